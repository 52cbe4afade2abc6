"""What people want of an agent, said by plain kubectl patch, and what becomes of it."""

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.operator.team import NAME, UNTIL_PROMOTED, Team
from tests.support.kubectl import eventually
from turnout.adapters.documents import AGENT, AGENT_ROLLOUT

pytestmark = pytest.mark.light

OF_ADA = {"by": "ada", "reason": "a test"}
OF_BO = {"by": "bo", "reason": "a test"}


def _canary(team: Team, text: str = "A better prompt.", **spec: Any) -> tuple[str, str, str]:
    """Bring a candidate to a quarter of the traffic; returns stable, candidate and rollout."""
    stable = team.deploys(**spec)
    rollout = team.changes_prompt(text)
    candidate = team.candidate_of(rollout)
    team.await_weight(candidate, 25)
    return stable, candidate, rollout


def test_a_paused_rollout_stays_where_it_is_until_it_is_resumed(team: Team) -> None:
    steps = [{"setWeight": 25}, {"pause": {"duration": "1s"}}, {"setWeight": 26}, {"pause": {}}]
    team.deploys(steps=steps)
    rollout = team.changes_prompt("A better prompt.")
    candidate = team.candidate_of(rollout)
    team.await_weight(candidate, 25)
    team.changes_rollout(team.ada, rollout, pause=OF_ADA)
    status = team.await_rollout(rollout, "Paused")
    assert status["message"] == "paused by ada: a test"
    assert team.await_phase("Paused")["candidate"]["weight"] == 25
    team.changes_rollout(team.ada, rollout, pause=None)
    team.await_weight(candidate, 26)
    assert [line[::2] for line in team.intents(rollout)] == [
        ("Pause", "Applied"),
        ("Resume", "Applied"),
    ]


def test_an_abort_takes_all_traffic_back_and_rejects_the_version(team: Team) -> None:
    stable, candidate, rollout = _canary(team)
    team.changes_rollout(team.ada, rollout, abort=OF_ADA)
    team.await_weight(candidate, 0)
    status = team.await_phase("RolledBack")
    team.await_weights({stable: 100})
    assert status["stable"]["version"] == stable
    assert status["desired"] | {"digest": ""} == {
        "version": candidate,
        "digest": "",
        "rejected": True,
    }
    assert team.rollout(rollout)["phase"] == "Aborted"
    assert team.rollout(rollout)["message"] == "aborted by ada: a test; stable has all traffic"
    assert team.version(candidate)["state"] == "Rejected"
    assert team.version(candidate)["rejectedBy"]["rollout"] == rollout
    assert team.intents(rollout) == [("Abort", "ada", "Applied")]


def test_a_step_that_a_person_promotes_through_counts_as_done(team: Team) -> None:
    _, candidate, rollout = _canary(team, steps=[*UNTIL_PROMOTED, {"setWeight": 50}, {"pause": {}}])
    team.await_rollout(rollout, "Paused")
    promote = {"mode": "Step", "throughStep": 3, **OF_BO}
    team.changes_rollout(team.bo, rollout, promote=promote)
    team.await_weight(candidate, 50)
    assert team.await_rollout(rollout, "Paused")["step"]["index"] == 4
    assert team.intents(rollout) == [("Promote", "bo", "Applied")]


def test_a_full_promotion_makes_the_candidate_stable_at_once(team: Team) -> None:
    stable, candidate, rollout = _canary(team)
    team.changes_rollout(team.bo, rollout, promote={"mode": "Full", **OF_BO})
    status = team.await_phase("Healthy")
    assert status["stable"]["version"] == candidate
    team.await_weights({candidate: 100})
    assert team.rollout(rollout)["phase"] == "Promoted"
    assert team.version(stable)["state"] == "Previous"
    assert team.rollout(rollout)["message"] == "promoted in full by bo: a test"


def test_two_people_approve_at_the_same_time_and_both_count(team: Team) -> None:
    ship = {"name": "ship", "approve": {"minApprovals": 2}}
    _, _, rollout = _canary(team, steps=[{"setWeight": 25}, ship, {"pause": {}}])
    status = team.await_rollout(rollout, "Paused")
    assert status["message"] == "step ship awaits approval 0/2"
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(team.approves, who, rollout, "ship", name)
            for name, who in (("bo", team.bo), ("cy", team.cy))
        ]
        for one in both:
            one.result()
    eventually("the next step", lambda: team.rollout(rollout)["step"]["index"] == 3)
    assert sorted(team.intents(rollout)) == [
        ("Approve", "bo", "Applied"),
        ("Approve", "cy", "Applied"),
    ]


def test_one_approval_of_two_is_not_enough(team: Team) -> None:
    ship = {"name": "ship", "approve": {"minApprovals": 2}}
    _, _, rollout = _canary(team, steps=[{"setWeight": 25}, ship])
    team.await_rollout(rollout, "Paused")
    team.approves(team.bo, rollout, "ship", "bo")
    eventually("the count", lambda: team.rollout(rollout)["message"].endswith("1/2"))
    assert team.rollout(rollout)["step"]["index"] == 2


def test_a_retry_begins_a_new_rollout_and_keeps_the_old_one(team: Team) -> None:
    _, candidate, first = _canary(team)
    team.changes_rollout(team.ada, first, abort=OF_ADA)
    team.await_phase("RolledBack")
    team.changes_rollout(team.bo, first, retry=OF_BO)
    second = team.await_rollout_after(first)
    assert (first, second) == (f"{NAME}-r2", f"{NAME}-r3")
    assert team.candidate_of(second) == candidate
    team.await_weight(candidate, 25)
    assert team.rollout(first)["phase"] == "Aborted"
    assert team.intents(first) == [("Abort", "ada", "Applied"), ("Retry", "bo", "Applied")]
    assert team.version(candidate)["state"] == "Candidate"


def test_a_wish_for_a_rollout_that_has_ended_is_ignored_and_says_so(team: Team) -> None:
    stable, _, rollout = _canary(team)
    team.changes_rollout(team.ada, rollout, abort=OF_ADA)
    team.await_phase("RolledBack")
    team.changes_rollout(team.bo, rollout, promote={"mode": "Full", **OF_BO})
    eventually("an audit line", lambda: len(team.intents(rollout)) == 2)
    assert team.intents(rollout)[-1] == ("Promote", "bo", "Ignored")
    assert team.rollout(rollout)["intents"][-1]["why"].endswith("(the rollout is Aborted)")
    team.await_weights({stable: 100})


def test_a_frozen_agent_keeps_its_traffic_and_takes_nothing_new(team: Team) -> None:
    stable, candidate, rollout = _canary(team)
    team.changes_agent(paused=True)
    team.await_phase("Paused")
    team.ada.patch("prompts.turnout.dev", "support-system", {"spec": {"text": "A third one."}})
    eventually(
        "the prompt was read",
        lambda: (
            (team.condition("RolledOut", "prompts.turnout.dev", "support-system")).get(
                "observedGeneration"
            )
            == 3
        ),
    )
    assert team.newest_rollout() == rollout
    team.await_weights({stable: 75, candidate: 25})
    team.changes_agent(paused=False)
    newer = team.await_rollout_after(rollout)
    assert team.rollout(rollout)["phase"] == "Superseded"
    assert team.candidate_of(newer) != candidate


def test_a_stopped_agent_answers_nobody_and_keeps_its_pods(team: Team) -> None:
    stable = team.deploys()
    pods = {one["metadata"]["uid"] for one in team.admin.list("pods")}
    team.changes_agent(traffic={"state": "Stopped"})
    team.await_phase("Suspended")
    assert stable not in team.admin.weights()
    eventually("no endpoint", lambda: not any(map(team.endpoints, team.admin.weights())))
    assert {one["metadata"]["uid"] for one in team.admin.list("pods")} == pods
    team.changes_agent(traffic={"state": "Serving"})
    team.await_phase("Healthy")
    team.await_weights({stable: 100})


def test_a_pinned_version_goes_out_and_stays(team: Team) -> None:
    first, second, rollout = _canary(team)
    team.changes_rollout(team.bo, rollout, promote={"mode": "Full", **OF_BO})
    team.await_phase("Healthy")
    team.changes_agent(pinnedVersion=first)
    back = team.await_rollout_after(rollout)
    assert team.candidate_of(back) == first
    found = team.admin.get("agentrollouts.turnout.dev", back)
    assert found is not None
    assert found["spec"]["trigger"] == "Return"
    team.await_rollout(back, "Promoted")
    team.await_phase("Healthy")
    team.await_weights({first: 100})
    assert team.version(second)["state"] == "Previous"


def test_an_abort_amid_fifty_other_patches_is_not_lost(team: Team) -> None:
    stable, candidate, rollout = _canary(team)
    api = team.admin.api
    agent, record = AGENT.path(team.namespace, NAME), AGENT_ROLLOUT.path(team.namespace, rollout)

    def patch(number: int) -> None:
        mark = {"metadata": {"annotations": {"number": str(number)}}}
        pause = {"by": "ada", "reason": f"number {number}"} if number % 2 else None
        path, change = (
            (agent, mark),
            (record, mark),
            (record, {"spec": {"pause": pause}}),
        )[number % 3]
        api.merge(path, change, "ada")

    def abort() -> None:
        api.merge(record, {"spec": {"abort": OF_ADA}}, "ada")

    acts = [functools.partial(patch, number) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        for done in pool.map(lambda act: act(), [*acts[:25], abort, *acts[25:]]):
            assert done is None
    team.await_rollout(rollout, "Aborted")
    team.await_weight(candidate, 0)
    team.await_weights({stable: 100})
    assert ("Abort", "ada", "Applied") in team.intents(rollout)
