"""What the operator stands on: names that are free, records that may be lost, rights, refusals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.chart.people import OPERATOR
from tests.operator.stage import EDITOR, Stage
from tests.operator.team import (
    DEPLOYMENTS,
    NAME,
    PROMPTS,
    QUICK_GATE,
    ROLLOUTS,
    ROUTES,
    UNTIL_PROMOTED,
    VERSIONS,
    Team,
    new_team,
)
from tests.support.api import Document
from tests.support.kubectl import PATIENCE, eventually, throughout
from tests.support.manifests import agent, everything, metric, prompt, strategy
from tests.support.operator import OperatorProcess
from turnout.adapters.documents import AGENT
from turnout.core.naming import AGENT_LABEL, DIGEST, MANAGED_BY, MANAGER, RENDER, VERSION_LABEL

pytestmark = pytest.mark.light

POD = {"containers": [{"name": "theirs", "image": "example/theirs:1"}]}
FOREIGN: dict[str, Document] = {
    "services": {"spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80}]}},
    ROUTES: {"spec": {"parentRefs": [{"name": "theirs"}]}},
    "configmaps": {"data": {"theirs": "bytes"}},
    DEPLOYMENTS: {
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "theirs"}},
            "template": {"metadata": {"labels": {"app": "theirs"}}, "spec": POD},
        }
    },
}
KINDS = {
    "services": ("v1", "Service"),
    ROUTES: ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    "configmaps": ("v1", "ConfigMap"),
    DEPLOYMENTS: ("apps/v1", "Deployment"),
}


@pytest.fixture(scope="module")
def first(stage: Stage, operator: OperatorProcess) -> tuple[str, str]:
    """The version of the usual agent, in any namespace: its name, and the digest of its content."""
    elsewhere = new_team(stage.cluster, "elsewhere")
    version = elsewhere.deploys()
    found = elsewhere.admin.get(VERSIONS, version)
    assert found is not None
    return version, found["spec"]["digest"]


def _apply(team: Team, **spec: Any) -> None:
    """Apply the usual agent as a team does, and wait for nothing."""
    chosen = {"strategy": strategy(UNTIL_PROMOTED, scaleDownDelay="1s"), "gate": QUICK_GATE}
    team.ada.apply(*everything(**chosen | spec))


def _create(team: Team, resource: str, name: str, metadata: Document | None = None) -> Document:
    """Make an object of somebody else; returns it as it is stored."""
    api_version, kind = KINDS[resource]
    named = {"name": name, **(metadata or {})}
    team.admin.apply(
        {"apiVersion": api_version, "kind": kind, "metadata": named, **FOREIGN[resource]}
    )
    return _written(team, resource, name)


def _written(team: Team, resource: str, name: str) -> Document:
    """Read what people wrote of an object, not what controllers tell of it."""
    found = team.admin.get(resource, name)
    assert found is not None
    ignored = {"managedFields", "resourceVersion"}
    kept = {key: value for key, value in found.items() if key not in {"status", "metadata"}}
    metadata = {k: v for k, v in found["metadata"].items() if k not in ignored}
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return kept | {"metadata": metadata}


def _await_condition(
    team: Team, kind: str, status: str, reason: str, timeout: float = PATIENCE
) -> str:
    """Wait for a condition of the agent; returns its message."""

    def reached() -> Document | None:
        found = team.condition(kind)
        return found if (found.get("status"), found.get("reason")) == (status, reason) else None

    what = f"{kind} {status} {reason}, is {team.condition(kind)}"
    found = eventually(what, reached, timeout)
    return str(found["message"])


# names


@pytest.mark.parametrize(
    ("resource", "whose"),
    [
        ("services", "agent"),
        (ROUTES, "agent"),
        ("services", "version"),
        ("configmaps", "version"),
        (DEPLOYMENTS, "version"),
    ],
    ids=["agent's Service", "route", "version's Service", "content", "Deployment"],
)
def test_an_object_of_somebody_else_is_named_and_left_alone_until_it_is_gone(
    team: Team, first: tuple[str, str], resource: str, whose: str
) -> None:
    name = first[0] if whose == "version" else NAME
    theirs = _create(team, resource, name)
    _apply(team)
    message = _await_condition(team, "Accepted", "False", "NameConflict")
    assert f"{KINDS[resource][1]} {name}" in message
    throughout(2, "it is as it was", lambda: _written(team, resource, name) == theirs)
    team.admin.run("delete", resource, name)
    assert team.await_phase("Healthy")["stable"]["version"] == first[0]


def test_the_agent_goes_on_once_its_own_part_has_another_name(team: Team) -> None:
    theirs = _create(team, "services", NAME)
    _apply(team)
    _await_condition(team, "Accepted", "False", "NameConflict")
    team.changes_agent(traffic={"service": {"name": "support-agent"}})
    assert team.await_phase("Healthy")["phase"] == "Healthy"
    assert _written(team, "services", NAME) == theirs


@pytest.mark.parametrize("resource", ["configmaps", DEPLOYMENTS])
def test_labels_and_digest_alone_make_nothing_ours(
    team: Team, first: tuple[str, str], resource: str
) -> None:
    version, digest = first
    forged = {
        "labels": {MANAGED_BY: MANAGER, AGENT_LABEL: NAME, VERSION_LABEL: version},
        "annotations": {DIGEST: digest, RENDER: "1"},
    }
    theirs = _create(team, resource, version, forged)
    _apply(team)
    message = _await_condition(team, "Accepted", "False", "NameConflict")
    assert f"{KINDS[resource][1]} {version}" in message
    throughout(2, "it is as it was", lambda: _written(team, resource, version) == theirs)
    team.admin.run("delete", resource, version)
    assert team.await_phase("Healthy")["stable"]["version"] == version


# records


def _forget(team: Team) -> None:
    """Lose the Agent's status and every version and rollout, as a restored backup does."""
    team.admin.run("delete", f"{ROLLOUTS},{VERSIONS}", "--all")
    status = f"{AGENT.path(team.namespace, NAME)}/status"
    team.admin.api.merge(status, {"status": None}, OPERATOR)


def test_lost_records_move_no_traffic_where_what_is_wanted_is_stable(team: Team) -> None:
    stable = team.deploys()
    before = _written(team, DEPLOYMENTS, stable)
    _forget(team)
    eventually("the index entry", lambda: team.version(stable).get("state") == "Stable")
    throughout(2, "all traffic is stable's", lambda: team.admin.weights() == {stable: 100})
    status = team.await_phase("Healthy")
    assert status["stable"]["version"] == stable
    assert team.newest_rollout() is None
    assert _written(team, DEPLOYMENTS, stable) == before


def test_lost_records_never_promote_what_nobody_judged(team: Team) -> None:
    stable = team.deploys()
    rollout = team.changes_prompt("Unjudged.")
    candidate = team.candidate_of(rollout)
    team.await_weight(candidate, 25)
    _forget(team)
    again = team.await_rollout_after(None)
    assert team.candidate_of(again) == candidate
    team.await_rollout(again, "Paused")
    team.await_weight(candidate, 25)
    team.await_weights({stable: 75, candidate: 25})
    assert team.rollout(again)["timeline"][0]["message"] == "the rollout begins"
    assert team.version(stable)["state"] == "Stable"


def test_an_index_entry_is_made_anew_from_the_content_alone(team: Team) -> None:
    stable = team.deploys()
    team.changes_prompt("Another prompt.")
    team.await_phase("Paused")
    before = team.admin.get(VERSIONS, stable)
    assert before is not None
    team.admin.run("delete", VERSIONS, stable)
    eventually("the index entry", lambda: team.version(stable).get("state") == "Stable")
    after = team.admin.get(VERSIONS, stable)
    assert after is not None
    assert after["spec"]["digest"] == before["spec"]["digest"]
    assert after["spec"]["planes"] == before["spec"]["planes"]


def test_a_deployment_is_made_anew_with_the_container_that_its_version_names(team: Team) -> None:
    pod = agent()["spec"]["template"]["spec"]
    sidecar = {"name": "sidecar", "image": "example/sidecar:1"}
    template = {"spec": {"containers": [sidecar, *pod["containers"]]}}
    stable = team.deploys(template=template, container="agent")
    team.changes_prompt("Another prompt.")
    team.await_phase("Paused")
    before = _written(team, DEPLOYMENTS, stable)["spec"]
    team.admin.run("delete", "deployment", stable)
    eventually("the Deployment", lambda: team.admin.get(DEPLOYMENTS, stable))
    assert _written(team, DEPLOYMENTS, stable)["spec"] == before


# refusals and rights


def _limits(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _told(team: Team, rollout: str) -> str:
    return str(team.rollout(rollout).get("message"))


NO_PODS = _limits("ResourceQuota", "none", {"hard": {"pods": "2"}})
LARGE_PODS = _limits(
    "LimitRange", "large", {"limits": [{"type": "Container", "min": {"cpu": "2"}}]}
)


@pytest.mark.parametrize(
    ("limit", "words"),
    [(NO_PODS, "exceeded quota: none"), (LARGE_PODS, "minimum cpu usage per Container is 2")],
    ids=["quota", "limit range"],
)
def test_pods_that_the_api_server_refuses_are_told_in_its_words_and_come_once_they_may(
    team: Team, limit: Document, words: str
) -> None:
    template = agent()["spec"]["template"]
    template["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
    stable = team.deploys(template=template)
    team.admin.apply(limit)
    rollout = team.changes_prompt("A better prompt.")
    eventually("the refusal", lambda: words in _told(team, rollout))
    eventually("the Agent tells it", lambda: words in team.condition("Progressing")["message"])
    team.await_weights({stable: 100})
    team.admin.run("delete", limit["kind"].lower(), limit["metadata"]["name"])
    team.await_weight(team.candidate_of(rollout), 25)


def test_pods_below_the_security_standard_are_told_and_come_once_they_may(team: Team) -> None:
    level = "pod-security.kubernetes.io/enforce"
    stable = team.deploys()
    team.admin.run("label", "namespace", team.namespace, f"{level}=restricted")
    rollout = team.changes_prompt("A better prompt.")
    eventually(
        "the refusal",
        lambda: 'violates PodSecurity "restricted' in _told(team, rollout),
    )
    team.await_weights({stable: 100})
    team.admin.run("label", "namespace", team.namespace, f"{level}-")
    team.await_weight(team.candidate_of(rollout), 25)


def test_an_object_that_the_api_server_refuses_is_told_in_its_words_and_made_once_it_may(
    team: Team,
) -> None:
    stable = team.deploys()
    full = _limits("ResourceQuota", "full", {"hard": {"count/deployments.apps": "1"}})
    team.admin.apply(full)
    eventually(
        "the quota counts",
        lambda: '"used"' in team.admin.run("get", "resourcequota", "full", "-o", "json"),
    )
    rollout = team.changes_prompt("A better prompt.")
    eventually("the refusal", lambda: "exceeded quota: full" in _told(team, rollout))
    team.await_weights({stable: 100})
    team.admin.run("delete", "resourcequota", "full")
    team.await_weight(team.candidate_of(rollout), 25)


@contextmanager
def _without_right(stage: Stage, resource: str, verb: str) -> Iterator[None]:
    """Take a right of the operator away for a while."""
    found = json.loads(stage.admin.run("get", "clusterrole", "turnout", "-o", "json"))
    rules = [
        rule | {"verbs": [one for one in rule["verbs"] if one != verb]}
        if rule["resources"] == [resource]
        else rule
        for rule in found["rules"]
    ]
    assert rules != found["rules"]
    patch = ("patch", "clusterrole", "turnout", "--type=merge", "-p")
    stage.admin.run(*patch, json.dumps({"rules": rules}))
    try:
        yield
    finally:
        stage.admin.run(*patch, json.dumps({"rules": found["rules"]}))


def test_a_right_that_is_taken_away_is_shown_and_its_return_heals(team: Team, stage: Stage) -> None:
    stable = team.deploys()
    with _without_right(stage, "httproutes", "patch"):
        rollout = team.changes_prompt("A better prompt.")
        message = _await_condition(team, "Forbidden", "True", "Forbidden")
        assert message == "not allowed to patch httproutes.gateway.networking.k8s.io"
        team.await_weights({stable: 100})
    team.await_weight(team.candidate_of(rollout), 25)
    eventually("the condition is gone", lambda: not team.condition("Forbidden"))


# shared content


def _agents(*names: str) -> list[Document]:
    spec = {"strategy": strategy(UNTIL_PROMOTED, scaleDownDelay="1s"), "gate": QUICK_GATE}
    return [agent(**spec) | {"metadata": {"name": name}} for name in names]


def _prompts_claim(team: Team) -> tuple[str, str, str]:
    found = team.condition("RolledOut", PROMPTS, "support-system")
    return found["status"], found["reason"], found["message"]


def _await_rollout_of(team: Team, name: str) -> str:
    """Wait for the second rollout of an agent, its first that is judged."""
    second = f"{name}-r2"
    eventually(second, lambda: team.admin.get(ROLLOUTS, second))
    return second


def test_a_prompt_that_three_agents_share_tells_how_far_its_edit_came(team: Team) -> None:
    names = ("support", "sales", "travel")
    team.ada.apply(prompt(), metric(), *_agents(*names))
    for name in names:
        team.admin.await_phase("Healthy", name)
    eventually("it is out", lambda: _prompts_claim(team)[:2] == ("True", "AllPromoted"))
    team.ada.patch(PROMPTS, "support-system", {"spec": {"text": "A better prompt."}})
    rollouts = {name: _await_rollout_of(team, name) for name in names}
    status, reason, message = _prompts_claim(team)
    assert (status, reason) == ("Unknown", "InProgress")
    assert all(name in message for name in names)
    for name in names[:2]:
        team.changes_rollout(team.bo, rollouts[name], promote={"mode": "Full", "by": "bo"})
    eventually("one is left", lambda: _prompts_claim(team)[2] == "on its way in travel")
    team.changes_rollout(team.bo, rollouts["travel"], promote={"mode": "Full", "by": "bo"})
    eventually("it is out", lambda: _prompts_claim(team)[:2] == ("True", "AllPromoted"))
    words = ("wait", "prompt/support-system", "--for=condition=RolledOut", "--timeout=5s")
    assert "condition met" in team.ada.run(*words)


def test_a_prompt_that_an_agent_took_back_names_the_agent(team: Team) -> None:
    names = ("support", "sales", "travel")
    team.ada.apply(prompt(), metric(), *_agents(*names))
    for name in names:
        team.admin.await_phase("Healthy", name)
    team.ada.patch(PROMPTS, "support-system", {"spec": {"text": "Another prompt."}})
    rollouts = {name: _await_rollout_of(team, name) for name in names}
    for name in names[:2]:
        team.changes_rollout(team.bo, rollouts[name], promote={"mode": "Full", "by": "bo"})
    team.changes_rollout(team.ada, rollouts["travel"], abort={"by": EDITOR})
    eventually(
        "it is taken back",
        lambda: _prompts_claim(team) == ("False", "RolledBack", "taken back in travel"),
    )
    stalled = team.condition("Stalled", PROMPTS, "support-system")
    assert stalled["status"] == "True"


# recovery


def _unready(team: Team, version: str) -> None:
    for pod in team.admin.list("pods", f"{VERSION_LABEL}={version}"):
        words = ("annotate", "pod", pod["metadata"]["name"], "--overwrite")
        team.admin.run(*words, "devcluster.turnout.dev/ready=false")


def test_a_fix_for_a_stable_without_pods_goes_straight_to_all_the_traffic(team: Team) -> None:
    steps = [{"setWeight": 5}, {"pause": {"duration": "1h"}}]
    stable = team.deploys(steps=steps, deployment={"progressDeadline": "5s"})
    _unready(team, stable)
    team.await_phase("Degraded")
    assert team.agent()["stable"]["unavailableSince"]
    rollout = team.changes_prompt("A fix.")
    candidate = team.candidate_of(rollout)
    status = team.await_phase("Healthy")
    assert status["stable"]["version"] == candidate
    assert "unavailableSince" not in status["stable"]
    team.await_weights({candidate: 100})
    found = team.admin.get(ROLLOUTS, rollout)
    assert found is not None
    assert found["spec"]["trigger"] == "Recover"
    assert "recover" in [one["rule"] for one in found["status"]["timeline"]]
    assert "Recover" in [one["reason"] for one in team.events()]
