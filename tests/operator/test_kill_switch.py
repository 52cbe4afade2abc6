"""The kill switch on a real API server: who is told, what stays told, and what does not move."""

import json
import time
from typing import Any

import pytest

from tests.chart.people import OPERATOR
from tests.operator.stage import Stage
from tests.operator.team import AGENTS, DEPLOYMENTS, NAME, ROLLOUTS, VERSIONS, Team, new_team
from tests.support.api import Document
from tests.support.kubectl import Kubectl, eventually, throughout
from tests.support.manifests import kind
from tests.support.operator import OperatorProcess
from turnout.core.naming import AGENT_LABEL, KILL, RENDER

pytestmark = pytest.mark.light

POLICIES = "agentpolicies.turnout.dev"
CONFIG_MAPS = "configmaps"
STANDING = f"{NAME}-kill"
REFS = {"policyRef": {"name": "policy"}}
REFUNDS = {"tools": ["refunds.create"]}
TOLD = '{"agent":"Allow","tools":["refunds.create"],"traffic":"Serving"}'
RELEASED = '{"agent":"Allow","tools":[],"traffic":"Serving"}'
LIMIT = 5.0
"""Seconds from the patch until the last pod was told."""


def _deploys(team: Team, **spec: Any) -> str:
    return team.deploys(kind("AgentPolicy", "policy", {"mode": "Enforce"}), **REFS, **spec)


def _throws(team: Team, switch: Document | None) -> None:
    team.ada.patch(POLICIES, "policy", {"spec": {"killSwitch": switch}})


def _pods(team: Team) -> list[Document]:
    found = team.admin.list("pods", f"{AGENT_LABEL}={NAME}")
    return [one for one in found if "deletionTimestamp" not in one["metadata"]]


def _orders(team: Team) -> list[str | None]:
    return [(one["metadata"].get("annotations") or {}).get(KILL) for one in _pods(team)]


def _await_orders(team: Team, *orders: str | None) -> None:
    eventually(
        f"pods have {orders}",
        lambda: sorted(map(str, _orders(team))) == sorted(map(str, orders)),
    )


def _standing(team: Team) -> str | None:
    found = team.admin.get(CONFIG_MAPS, STANDING)
    return found["data"]["order.json"] if found else None


def _identities(team: Team) -> set[tuple[str, int]]:
    """Name the pods with how often their containers were started again."""
    return {
        (one["metadata"]["uid"], sum(c["restartCount"] for c in one["status"]["containerStatuses"]))
        for one in _pods(team)
    }


def _history(team: Team) -> list[tuple[str, str]]:
    lines = team.rollout(f"{NAME}-r1")["timeline"]
    return [(one["reason"], one["message"]) for one in lines if one["rule"] == "kill_switch"]


def _told_events(team: Team) -> list[tuple[str, str]]:
    found = json.loads(team.admin.run("get", "events.events.k8s.io", "-o", "json"))["items"]
    about = [one for one in found if one["reason"].startswith("KillSwitch")]
    about.sort(key=lambda one: str(one["eventTime"]))
    return sorted((one["regarding"]["kind"], one["reason"]) for one in about)


def _shows(team: Team, *cells: str) -> None:
    """Wait until `kubectl get` shows these cells of the policy."""

    def shown() -> bool:
        row = team.admin.run("get", POLICIES, "policy", "-o", "wide", "--no-headers").split()
        return set(cells) <= set(row)

    eventually(f"the policy shows {cells}", shown)


def test_a_tool_is_killed_in_pods_that_run_within_five_seconds_and_nothing_else_moves(
    team: Team, measured: list[str]
) -> None:
    _deploys(team, replicas=3)
    pods, version = _identities(team), team.agent()["desired"]
    deployment = team.admin.get(DEPLOYMENTS, version["version"])
    _shows(team, "Clear")
    began = time.monotonic()
    _throws(team, REFUNDS)
    _await_orders(team, TOLD, TOLD, TOLD)
    took = time.monotonic() - began
    measured.append(f"kill switch: {took:.3f} s until 3 pods were told")
    assert took < LIMIT
    assert _standing(team) == TOLD
    _shows(team, "Thrown", "3/3")
    _throws(team, {"tools": ["tickets.*"]})
    changed = TOLD.replace("refunds.create", "tickets.*")
    _await_orders(team, *[changed] * 3)
    assert _standing(team) == changed
    _throws(team, None)
    _await_orders(team, *[RELEASED] * 3)
    eventually("the standing order goes", lambda: _standing(team) is None)
    _shows(team, "Clear")
    assert _identities(team) == pods
    assert team.agent()["desired"] == version
    assert team.newest_rollout() == f"{NAME}-r1"
    after = team.admin.get(DEPLOYMENTS, version["version"])
    assert deployment is not None
    assert after is not None
    assert after["metadata"]["generation"] == deployment["metadata"]["generation"]
    assert _history(team) == [
        ("Thrown", "tools refunds.create stopped"),
        ("Thrown", "tools tickets.* stopped"),
        ("Clear", "nothing is stopped"),
    ]
    thrown, cleared = "KillSwitchThrown", "KillSwitchCleared"
    kinds = ("Agent", "AgentPolicy")
    expected = sorted((one, word) for one in kinds for word in (thrown, thrown, cleared))
    eventually("each is told once", lambda: _told_events(team) == expected)


def test_a_pod_that_starts_while_the_operator_is_away_finds_the_order(
    team: Team, stage: Stage, operator: OperatorProcess
) -> None:
    _deploys(team)
    _throws(team, REFUNDS)
    _await_orders(team, TOLD, TOLD)
    operator.stop()
    try:
        gone = _pods(team)[0]["metadata"]["name"]
        team.admin.run("delete", "pod", gone, "--wait=false")
        _await_orders(team, TOLD, None)
        (young,) = (one for one in _pods(team) if KILL not in one["metadata"]["annotations"])
        (volume,) = (one for one in young["spec"]["volumes"] if one["name"] == "turnout-kill")
        (source,) = (one["configMap"] for one in volume["projected"]["sources"][1:])
        assert (source["name"], source["optional"]) == (STANDING, True)
        assert _standing(team) == TOLD
        _throws(team, {"agent": "Stop"})
    finally:
        operator.start().await_lead()
    stopped = TOLD.replace("Allow", "Stop")
    _await_orders(team, stopped, stopped)
    _throws(team, None)
    _await_orders(team, RELEASED, RELEASED)


def test_an_agent_that_is_stopped_serves_nobody_until_it_is_released(team: Team) -> None:
    stable = _deploys(team)
    pods = _identities(team)
    _throws(team, {"agent": "Stop"})
    team.await_phase("Suspended")
    team.await_weights({NAME: 100})
    eventually("the Service leads to no pod", lambda: team.endpoints(NAME) == [])
    said = team.condition("Available")
    assert (said["reason"], said["message"]) == (
        "Suspended", "AgentPolicy policy stops the agent by its kill switch",
    )  # fmt: skip
    _throws(team, None)
    team.await_phase("Healthy")
    team.await_weights({stable: 100})
    assert _identities(team) == pods
    team.changes_agent(traffic={"state": "Stopped"})
    _await_orders(team, *[RELEASED.replace("Serving", "Stopped")] * 2)


def test_a_policy_that_is_deleted_releases_nothing(team: Team) -> None:
    _deploys(team)
    _throws(team, REFUNDS)
    _await_orders(team, TOLD, TOLD)
    team.ada.run("delete", POLICIES, "policy")
    eventually(
        "the policy is missed",
        lambda: team.condition("ResolvedRefs").get("reason") == "ReferenceNotFound",
    )
    team.changes_agent(replicas=3)
    _await_orders(team, TOLD, TOLD, TOLD)
    assert _standing(team) == TOLD
    team.ada.apply(kind("AgentPolicy", "policy", {"mode": "Enforce"}))
    _await_orders(team, *[RELEASED] * 3)


def test_a_config_map_of_somebody_else_keeps_its_name_and_pods_are_told_all_the_same(
    team: Team,
) -> None:
    _deploys(team)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": STANDING}}
    team.admin.apply(theirs | {"data": {"order.json": "theirs"}})
    _throws(team, REFUNDS)
    _await_orders(team, TOLD, TOLD)
    throughout(2, "it is left alone", lambda: _standing(team) == "theirs")
    _throws(team, None)
    _await_orders(team, RELEASED, RELEASED)
    assert _standing(team) == "theirs"


def _rendered_before(team: Team, version: str) -> None:
    """Make a version look as an operator left it that knew no kill switch."""
    operator = Kubectl(team.admin.cluster, team.namespace, f"--as={OPERATOR}")
    record = operator.get(VERSIONS, version)
    deployment = team.admin.get(DEPLOYMENTS, version)
    assert record is not None
    assert deployment is not None
    pods = deployment["spec"]["template"]
    del pods["metadata"]["annotations"][RENDER]
    pods["spec"]["volumes"] = pods["spec"]["volumes"][:1]
    container = pods["spec"]["containers"][0]
    container["volumeMounts"] = container["volumeMounts"][:1]
    container["env"] = [one for one in container["env"] if one["name"] != "TURNOUT_KILL_DIR"]
    team.admin.run("replace", "-f", "-", stdin=json.dumps(deployment))
    for resource in (DEPLOYMENTS, CONFIG_MAPS, "services"):
        team.admin.patch(resource, version, {"metadata": {"annotations": {RENDER: "1"}}})
    metadata = {key: record["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    record |= {"metadata": metadata, "spec": record["spec"] | {"render": 1}}
    operator.run("delete", VERSIONS, version)
    operator.run("create", "-f", "-", stdin=json.dumps(record))


def test_an_upgrade_leaves_the_pods_of_an_older_rendering_alone_and_names_them(
    stage: Stage, operator: OperatorProcess
) -> None:
    team = new_team(stage.cluster, "older")
    version = _deploys(team)
    operator.stop()
    try:
        _rendered_before(team, version)
        eventually("pods without a place for orders", lambda: _places(team) == [1, 1])
        before = [team.admin.get(one, version) for one in (DEPLOYMENTS, "services")]
        pods = _identities(team)
    finally:
        operator.start().await_lead()
    eventually("it is taken up", lambda: team.version(version).get("state") == "Stable")
    _throws(team, REFUNDS)
    _shows(team, "Thrown", "0/2")
    told = team.condition("KillSwitch", POLICIES, "policy")["message"]
    assert "cannot be told: ending, or made before there were kill switches" in told
    assert _pods(team)[0]["metadata"]["name"] in told
    assert _orders(team) == [None, None]
    assert _identities(team) == pods
    after = [team.admin.get(one, version) for one in (DEPLOYMENTS, "services")]
    assert [one and one["spec"] for one in after] == [one and one["spec"] for one in before]
    assert team.agent()["phase"] == "Healthy"
    assert len(team.admin.list(ROLLOUTS)) == len(team.admin.list(AGENTS)) == 1


def _places(team: Team) -> list[int]:
    """Count the volumes of ours in each pod."""
    return [
        sum(volume["name"].startswith("turnout-") for volume in one["spec"]["volumes"])
        for one in _pods(team)
    ]
