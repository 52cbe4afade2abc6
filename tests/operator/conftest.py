"""One light cluster with the chart for all of these tests; an operator for each module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster import golang
from devcluster.progress import silence
from tests.chart.helm import Helm
from tests.operator.kubelet import TaskKubelet, jobs_reporting_to, kubelet_of
from tests.operator.providers import Providers, serve_providers
from tests.operator.stage import Stage, set_up
from tests.operator.team import Team, new_team
from tests.support.api import Api
from tests.support.operator import OperatorProcess


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    golang.build(["helm"], silence())
    return Helm(str(golang.binary("helm")), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def stage(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_up("operator", helm, tmp_path_factory.mktemp("operators")) as made:
        yield made


@pytest.fixture(scope="session")
def providers(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    """Metrics for every operator of the stage."""
    directory = tmp_path_factory.mktemp("prometheus")
    with serve_providers(Api(stage.cluster.kubeconfig), directory) as made:
        stage.settings["metrics"] = made.settings
        yield made


@pytest.fixture(scope="module")
def reports() -> int | None:
    """Port where the module's operator takes what its Jobs report; it runs none where None."""
    return None


@pytest.fixture(scope="module")
def operator(
    stage: Stage, providers: Providers, reports: int | None, request: pytest.FixtureRequest
) -> Iterator[OperatorProcess]:
    """An operator for the whole cluster, leading, as long as the module's tests run."""
    word = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    chosen: dict[str, Any] = {} if reports is None else {"jobs": jobs_reporting_to(reports)}
    with stage.operator(f"{word}-operator", **chosen).start() as made:
        yield made.await_lead()


@pytest.fixture
def team(stage: Stage, operator: OperatorProcess) -> Iterator[Team]:
    """A new namespace, and the operator that serves it."""
    made = new_team(stage.cluster)
    yield made
    made.admin.run("delete", "namespace", made.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def kubelet(team: Team, tmp_path: Path) -> Iterator[TaskKubelet]:
    """Whoever runs the programs of the team's Jobs."""
    with kubelet_of(team.admin, tmp_path) as made:
        yield made
