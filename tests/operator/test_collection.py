"""What was made for an Agent goes with it, in the order that its users need."""

import json
from typing import Any

import pytest

from tests.chart.helm import NAMESPACE
from tests.chart.people import OPERATOR
from tests.operator.stage import Stage
from tests.operator.team import AGENTS, DEPLOYMENTS, NAME, ROUTES, Team
from tests.support.api import Document
from tests.support.audit import AuditLog
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import agent
from tests.support.operator import OperatorProcess
from tests.support.watching import Watch
from turnout.adapters.documents import CONFIG_MAP, DEPLOYMENT, HTTP_ROUTE, POD, SERVICE
from turnout.core.naming import AGENT_LABEL, MANAGED_BY, VERSION_LABEL
from turnout.runtime.guards import MOST, STOP

pytestmark = pytest.mark.light

KINDS = (HTTP_ROUTE, SERVICE, DEPLOYMENT, CONFIG_MAP)
QUICK_DRAIN: dict[str, Any] = agent()["spec"]["traffic"] | {"drainTimeout": "1s"}
MANY = MOST + 4


def children(team: Team) -> list[Document]:
    return [one for kind in KINDS for one in team.admin.list(kind.resource, AGENT_LABEL)]


def deploy(team: Team, **spec: Any) -> str:
    return team.deploys(traffic=QUICK_DRAIN, **spec)


def canary(team: Team, **spec: Any) -> tuple[str, str]:
    """Bring a candidate to a quarter of the traffic."""
    stable = deploy(team, **spec)
    candidate = team.candidate_of(team.changes_prompt("A better prompt."))
    team.await_weight(candidate, 25)
    return stable, candidate


def delete(team: Team) -> None:
    team.ada.run("delete", AGENTS, NAME)


def await_nothing(team: Team) -> None:
    eventually(f"nothing is left ({len(children(team))})", lambda: not children(team))


def running(team: Team, version: str) -> set[str]:
    """Return the uids of a version's pods."""
    pods = team.admin.list(POD.resource, f"{VERSION_LABEL}={version}")
    return {one["metadata"]["uid"] for one in pods}


def test_children_go_traffic_first_and_content_last(team: Team, stage: Stage) -> None:
    deploy(team)
    log = AuditLog(stage.cluster)
    delete(team)
    await_nothing(team)
    wrote = log.requests(user=OPERATOR, namespace=team.namespace, verb="delete")
    assert {one.code for one in wrote} == {200}
    assert [one.resource for one in wrote] == [
        HTTP_ROUTE.resource,
        *[SERVICE.resource] * 2,
        DEPLOYMENT.resource,
        CONFIG_MAP.resource,
    ]


def test_in_the_middle_of_a_rollout_traffic_goes_back_first(team: Team, stage: Stage) -> None:
    with Watch(stage.cluster, team.namespace) as watch:
        stable, candidate = canary(team)
        eventually("the weight is seen", lambda: watch.weight(candidate) == 25)
        log = AuditLog(stage.cluster)
        delete(team)
        await_nothing(team)
        eventually("all weight is seen at stable", lambda: watch.weight(stable) == 100)
    wrote = log.requests(user=OPERATOR, namespace=team.namespace, writes=True)
    about = [one.verb for one in wrote if one.resource == HTTP_ROUTE.resource]
    assert about[-1] == "delete"
    assert set(about[:-1]) == {"patch"}


def test_while_nobody_operates_stable_serves_and_later_it_is_collected(
    team: Team, operator: OperatorProcess
) -> None:
    stable = deploy(team)
    pods, left = running(team, stable), children(team)
    assert operator.stop() == 0
    try:
        delete(team)
        assert team.admin.get(AGENTS, NAME) is None
        assert children(team) == left
        assert running(team, stable) == pods
    finally:
        operator.start().await_lead()
    await_nothing(team)
    eventually("no pod is left", lambda: not running(team, stable))


def test_an_orphan_serves_on_with_its_stable_version_and_belongs_to_nobody(
    team: Team, operator: OperatorProcess
) -> None:
    stable, candidate = canary(team)
    pods = running(team, stable)
    before = team.admin.get(DEPLOYMENTS, stable)
    assert before is not None
    team.changes_agent(deletionPolicy="Orphan")
    delete(team)

    def released() -> bool:
        labels = [one["metadata"]["labels"] for one in children(team)]
        return bool(labels) and all(MANAGED_BY not in one for one in labels)

    eventually("nothing is ours any more", released)
    team.await_weights({stable: 100})
    assert {one["metadata"]["name"] for one in children(team)} == {NAME, stable}
    assert all(one["metadata"]["labels"][AGENT_LABEL] == NAME for one in children(team))
    assert running(team, stable) == pods
    after = team.admin.get(DEPLOYMENTS, stable)
    assert after is not None
    assert after["spec"] == before["spec"]
    eventually("the candidate's pods are gone", lambda: not running(team, candidate))
    assert operator.metric("turnout_orphaned_agents") == 0


def test_very_many_at_once_stay_until_an_administrator_has_answered(
    team: Team, stage: Stage, operator: OperatorProcess
) -> None:
    deploy(team)
    names = [f"{NAME}-{number}" for number in range(MANY)]
    one = team.admin.get(AGENTS, NAME)
    assert one is not None
    team.ada.apply(*({**agent(), "metadata": {"name": n}, "spec": one["spec"]} for n in names))
    for name in names:
        team.admin.await_phase("Healthy", name)
    team.ada.run("delete", AGENTS, "--all")
    eventually("collection stopped", lambda: operator.metric("turnout_collection_stopped"))
    system = Kubectl(stage.cluster, NAMESPACE)
    mark = eventually("the mark", lambda: system.get(CONFIG_MAP.resource, STOP))
    assert STOP in mark["data"]["acknowledge"]
    eventually("an Event", lambda: "MassDeletion" in [one["reason"] for one in team.events()])
    stopped = MANY + 1 - MOST
    eventually(
        "who came later waits", lambda: operator.metric("turnout_orphaned_agents") >= stopped
    )
    assert len(team.admin.list(ROUTES)) >= stopped
    system.run("delete", "configmap", STOP)
    await_nothing(team)
    eventually("all is well", lambda: not operator.metric("turnout_collection_stopped"))
    assert operator.metric("turnout_orphaned_agents") == 0


def test_a_namespace_goes_in_the_middle_of_a_rollout(team: Team, operator: OperatorProcess) -> None:
    canary(team)
    read = operator.log.stat().st_size
    team.admin.run("delete", "namespace", team.namespace, "--wait=false")
    gone = "/api/v1/namespaces/" + team.namespace
    eventually("the namespace is gone", lambda: team.admin.api.get(gone) is None)
    with operator.log.open("rb") as log:
        log.seek(read)
        lines = [json.loads(line) for line in log]
    assert not [one for one in lines if "exception" in one]
    assert operator.metric("turnout_collection_stopped") == 0
