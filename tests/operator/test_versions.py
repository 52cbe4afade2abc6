"""Versions one after another: undone, kept, forgotten, and shared content that parts ways."""

import pytest

from tests.operator.stage import EDITOR, Stage
from tests.operator.team import NAME, PROMPTS, QUICK_GATE, ROLLOUTS, UNTIL_PROMOTED, VERSIONS, Team
from tests.support.api import Document
from tests.support.kubectl import eventually, throughout
from tests.support.manifests import agent, metric, prompt, strategy
from tests.support.operator import OperatorProcess
from turnout.core.naming import AGENT_LABEL

pytestmark = pytest.mark.light

IN_FULL = {"mode": "Full", "by": "bo"}


def _promotes(team: Team, text: str) -> str:
    """Bring a change of the prompt out by a person's word; returns the version."""
    rollout = team.changes_prompt(text)
    team.changes_rollout(team.bo, rollout, promote=IN_FULL)
    team.await_rollout(rollout, "Promoted")
    return team.candidate_of(rollout)


def _names(team: Team, resource: str) -> set[str]:
    found = team.admin.list(resource, AGENT_LABEL if resource == "configmaps" else "")
    return {one["metadata"]["name"] for one in found}


def test_a_pin_inside_the_rollback_window_goes_straight_back(team: Team) -> None:
    first = team.deploys()
    second = _promotes(team, "Another prompt.")
    seen = team.newest_rollout()
    team.changes_agent(pinnedVersion=first)
    undo = team.await_rollout_after(seen)
    team.await_rollout(undo, "Promoted")
    team.await_weight(first, 100)
    team.await_weights({first: 100})
    found = team.admin.get(ROLLOUTS, undo)
    assert found is not None
    assert found["spec"]["trigger"] == "Return"
    assert found["spec"]["from"]["version"] == second
    assert team.await_phase("Healthy")["stable"]["version"] == first


def test_a_pin_outside_the_rollback_window_takes_the_steps(team: Team) -> None:
    first = team.deploys(rollbackWindow={"versions": 0})
    second = _promotes(team, "Another prompt.")
    seen = team.newest_rollout()
    team.changes_agent(pinnedVersion=first)
    rollout = team.await_rollout_after(seen)
    team.await_rollout(rollout, "Paused")
    team.await_weight(first, 25)
    team.await_weights({second: 75, first: 25})
    found = team.admin.get(ROLLOUTS, rollout)
    assert found is not None
    assert found["spec"]["trigger"] == "Pinned"


def test_old_versions_go_with_their_content_and_those_that_matter_stay(team: Team) -> None:
    first = team.deploys(revisionHistoryLimit=1)
    tried = []
    for text in ("second", "third", "fourth"):
        rollout = team.changes_prompt(f"The {text} prompt.")
        team.await_weight(team.candidate_of(rollout), 25)
        tried.append(team.candidate_of(rollout))
        team.changes_rollout(team.ada, rollout, abort={"by": EDITOR})
        team.await_rollout(rollout, "Aborted")
    kept = {first, tried[1], tried[2]}
    eventually("the oldest is forgotten", lambda: _names(team, VERSIONS) == kept)
    eventually("its content too", lambda: _names(team, "configmaps") == kept)
    throughout(2, "what is wanted stays", lambda: _names(team, VERSIONS) == kept)
    assert team.version(tried[2])["state"] == "Rejected"
    assert team.await_phase("RolledBack")["desired"]["version"] == tried[2]


def test_a_reference_that_is_missing_changes_nothing_and_its_return_needs_no_edit(
    team: Team,
) -> None:
    stable = team.deploys()
    team.ada.run("delete", PROMPTS, "support-system")
    eventually("the condition", lambda: team.condition("ResolvedRefs")["status"] == "False")
    found = team.condition("ResolvedRefs")
    assert found["reason"] == "ReferenceNotFound"
    assert "Prompt support-system" in found["message"]
    throughout(2, "stable serves", lambda: team.admin.weights() == {stable: 100})
    assert team.newest_rollout() == f"{NAME}-r1"
    team.ada.apply(prompt("A prompt of tomorrow."))
    rollout = team.await_rollout_after(f"{NAME}-r1")
    team.await_weight(team.candidate_of(rollout), 25)


def _contents(team: Team) -> dict[str, Document]:
    """Read what the pods of each version mount."""
    return {
        one["metadata"]["name"]: one["data"] for one in team.admin.list("configmaps", AGENT_LABEL)
    }


def test_two_agents_that_share_a_prompt_part_ways_and_each_keeps_its_bytes(
    team: Team, stage: Stage, operator: OperatorProcess
) -> None:
    names = ("support", "travel")
    way = {"strategy": strategy(UNTIL_PROMOTED, scaleDownDelay="1s"), "gate": QUICK_GATE}
    agents = [agent(**way) | {"metadata": {"name": name}} for name in names]
    team.ada.apply(prompt("Old bytes."), metric(), *agents)
    olds = {one: team.admin.await_phase("Healthy", one)["stable"]["version"] for one in names}
    team.ada.patch(PROMPTS, "support-system", {"spec": {"text": "New bytes."}})
    seconds = {f"{name}-r2" for name in names}
    eventually("both rollouts", lambda: seconds <= _names(team, ROLLOUTS))
    team.changes_rollout(team.bo, "support-r2", promote=IN_FULL)
    team.changes_rollout(team.ada, "travel-r2", abort={"by": EDITOR})
    new = team.admin.await_phase("Healthy", "support")["stable"]["version"]
    assert team.admin.await_phase("RolledBack", "travel")["stable"]["version"] == olds["travel"]
    before = _contents(team)
    operator.stop()
    with stage.operator("versions-second-operator").start() as second:
        second.await_lead()
        throughout(3, "both serve", lambda: _shares(team) == ({new: 100}, {olds["travel"]: 100}))
    operator.start().await_lead()
    texts = {name: data["prompt.support-system.txt"] for name, data in _contents(team).items()}
    assert texts[new] == "New bytes."
    assert texts[olds["travel"]] == "Old bytes."
    assert {name: _contents(team)[name] for name in before} == before


def _shares(team: Team) -> tuple[dict[str, int], dict[str, int]]:
    return team.admin.weights("support"), team.admin.weights("travel")
