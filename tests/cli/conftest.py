"""A light cluster of its own with the chart and an operator, for the command line."""

from collections.abc import Iterator

import pytest

from devcluster import golang
from devcluster.progress import silence
from tests.chart.helm import Helm
from tests.cli.scene import Scene, play
from tests.operator.providers import serve_providers
from tests.operator.stage import Stage, set_up
from tests.operator.team import new_team
from tests.support.api import Api


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    golang.build(["helm"], silence())
    helm = Helm(str(golang.binary("helm")), tmp_path_factory.mktemp("helm"))
    with set_up("cli", helm, tmp_path_factory.mktemp("operators")) as made:
        prometheus = tmp_path_factory.mktemp("prometheus")
        with serve_providers(Api(made.cluster.kubeconfig), prometheus) as providers:
            made.settings["metrics"] = providers.settings
            with made.operator("cli-operator").start() as operator:
                operator.await_lead()
                yield made


@pytest.fixture
def scene(stage: Stage) -> Iterator[Scene]:
    """An agent of its own whose candidate has a quarter of the traffic and waits for a person."""
    team = new_team(stage.cluster, "cli")
    yield play(team)
    team.admin.run("delete", "namespace", team.namespace, "--wait=false")
