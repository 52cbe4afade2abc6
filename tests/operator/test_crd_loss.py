"""Losing the Agents' CRD stops nobody's traffic, also where the operator may not read it.

These tests delete it, so they have a cluster of their own, with two operators from the chart: one
that serves the whole cluster, and one that has rights in a single namespace and nowhere else.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, ROOT, Helm
from tests.operator.stage import Stage, set_up, write_kubeconfig
from tests.operator.team import AGENTS, DEPLOYMENTS, NAME, ROUTES, Team, new_team
from tests.support.api import Document
from tests.support.kubectl import eventually, throughout
from tests.support.manifests import agent
from tests.support.operator import OperatorProcess
from turnout.adapters.documents import CUSTOM_RESOURCE_DEFINITION, NAMESPACE
from turnout.core.naming import AGENT_LABEL
from turnout.runtime.witness import VIGIL

pytestmark = pytest.mark.light

SCOPED = "scoped-system"
"""Where the second operator stands."""

SERVED = "scoped-team"
CRD = "agents.turnout.dev"
LEFT = ["deployments", ROUTES, "services", "configmaps"]
OPERATORS = ("turnout-system", SCOPED)


@pytest.fixture(scope="module")
def wide(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    chosen = [
        f"crds.operators[{number}].{key}={value}"
        for number, place in enumerate(OPERATORS)
        for key, value in (("namespace", place), ("serviceAccount", "turnout"))
    ]
    options = tuple(word for one in chosen for word in ("--set", one))
    with set_up("crds", helm, tmp_path_factory.mktemp("crds"), options) as stage:
        yield stage


@pytest.fixture(scope="module")
def scoped(wide: Stage, helm: Helm) -> Stage:
    """The same cluster for an operator with a Role in one namespace and no ClusterRole."""
    for name in (SCOPED, SERVED):
        Team(wide.cluster, name).admin.api.create(NAMESPACE.path(), {"metadata": {"name": name}})
    values = (
        "crds.enabled=false",
        f"scope.namespaces={{{SERVED}}}",
        "approvals.unprotected=Accept",
    )
    options = [word for one in values for word in ("--set", one)]
    bound = Helm(helm.program, helm.home, wide.cluster.kubeconfig)
    bound.run("install", "scoped", str(CHART), "--namespace", SCOPED, *options)
    return wide


@pytest.fixture
def team(wide: Stage, request: pytest.FixtureRequest) -> Iterator[tuple[Team, OperatorProcess]]:
    made = new_team(wide.cluster)
    with wide.operator(f"wide-{made.namespace}").start() as operator:
        yield made, operator.await_lead()
    made.admin.run("delete", "namespace", made.namespace, "--wait=false")


@pytest.fixture
def confined(scoped: Stage) -> Iterator[tuple[Team, OperatorProcess]]:
    made = Team(scoped.cluster, SERVED)
    words = ("create", "token", "turnout", f"--namespace={SCOPED}")
    token = made.admin.run(*words).strip()
    path = write_kubeconfig(scoped.directory / "scoped.kubeconfig", scoped.cluster, token)
    name = f"scoped-{len(list(scoped.directory.iterdir()))}"
    chosen: dict[str, Any] = {"podNamespace": SCOPED, "namespaces": [SERVED]}
    with scoped.operator(name, kubeconfig=path, **chosen).start() as operator:
        yield made, operator.await_lead()
    made.admin.run("delete", ",".join(LEFT), "-l", AGENT_LABEL)


def left(team: Team) -> dict[str, Document]:
    """Read everything that was made for the agent, by kind and name."""
    return {
        f"{resource}/{one['metadata']['name']}": one["metadata"]["uid"]
        for resource in (DEPLOYMENTS, ROUTES, "services", "configmaps", "pods")
        for one in team.admin.list(resource, AGENT_LABEL)
    }


def lose_crd(team: Team) -> None:
    """Delete the Agents' CRD, and with it every Agent."""
    team.admin.run("delete", "crd", CRD)


def restore_crd(team: Team) -> None:
    manifest = yaml.safe_load((ROOT / "crds" / "agents.yaml").read_text())
    team.admin.api.create(CUSTOM_RESOURCE_DEFINITION.path(), manifest)
    listed = f"/apis/turnout.dev/v1alpha1/namespaces/{team.namespace}/agents"
    eventually("the kind is served again", lambda: team.admin.api.get(listed))


def deploy(team: Team) -> str:
    return team.deploys(traffic=agent()["spec"]["traffic"] | {"drainTimeout": "1s"})


def orphans(operator: OperatorProcess) -> float:
    return operator.metric("turnout_orphaned_agents")


def outlives_its_kind(team: Team, operator: OperatorProcess, seconds: float) -> dict[str, Document]:
    """Deploy an agent, lose its kind for a moment, see that all stays, and return what that is."""
    deploy(team)
    before = left(team)
    lose_crd(team)
    restore_crd(team)
    eventually("an orphan is counted", lambda: orphans(operator) == 1)
    throughout(seconds, "everything is there", lambda: left(team) == before)
    return before


def test_agents_that_go_with_their_kind_leave_all_that_serves(
    team: tuple[Team, OperatorProcess],
) -> None:
    ours, operator = team
    before = outlives_its_kind(ours, operator, seconds=2)
    stable = deploy(ours)
    assert left(ours) == before
    assert f"{DEPLOYMENTS}/{stable}" in before
    eventually("nobody is an orphan", lambda: orphans(operator) == 0)


def test_with_a_role_alone_a_deleted_agent_is_collected_once_its_kind_has_stayed(
    confined: tuple[Team, OperatorProcess],
) -> None:
    ours, operator = confined
    deploy(ours)
    ours.ada.run("delete", AGENTS, NAME)
    throughout(VIGIL - 2, "everything is there", lambda: len(left(ours)) > 0)
    eventually("nothing is left", lambda: not left(ours))
    assert orphans(operator) == 0


def test_with_a_role_alone_nothing_goes_where_the_kind_went(
    confined: tuple[Team, OperatorProcess],
) -> None:
    ours, operator = confined
    assert outlives_its_kind(ours, operator, seconds=VIGIL + 3)
    assert orphans(operator) == 1
