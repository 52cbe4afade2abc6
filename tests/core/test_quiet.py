"""What is written and told: only what a person would see change, and never a secret."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.manifests import GATE, everything, prompt, strategy
from tests.support.simulation import Simulation
from turnout.api.rollout import AgentRollout
from turnout.core.announce import MOST_WAITS, WAITS
from turnout.core.checkpoint import restore
from turnout.core.decide import decide, decide_again
from turnout.core.looks import Counts
from turnout.core.plan import Record
from turnout.core.reasons import Reason
from turnout.core.rules import RULES
from turnout.simulation.cluster import Document

PAUSED: list[Document] = [{"setWeight": 50}, {"pause": {}}]


def rolling(steps: list[Document], **gate: Any) -> Simulation:
    sim = Simulation(everything(strategy=strategy(steps), gate=GATE | gate))
    sim.settle()
    sim.store(prompt("better"))
    sim.settle()
    return sim


def writes(sim: Simulation, kind: str) -> int:
    return sum(isinstance(one, Record) and one.target.kind == kind for one in sim.written)


def test_an_idle_agent_is_not_written_and_asks_for_no_look() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.run(60)
    written = len(sim.written)
    outcome = sim.reconcile()
    assert not outcome.decision.actions
    assert not outcome.decision.announcements
    assert outcome.decision.again_in is None
    sim.run(3600)
    assert len(sim.written) == written


def test_a_rollout_that_waits_is_written_at_most_every_five_minutes() -> None:
    sim = rolling(PAUSED)
    sim.run(60)
    written, agent = writes(sim, "AgentRollout"), writes(sim, "Agent")
    sim.run(20 * 60)
    assert writes(sim, "AgentRollout") - written <= 4
    assert writes(sim, "Agent") - agent <= 4


def test_a_verdict_that_wavers_in_its_numbers_only_is_not_written_at_every_look() -> None:
    sim = rolling([{"setWeight": 50}], successes=20, maxDuration="1h")
    sim.run(60)
    written = writes(sim, "AgentRollout")
    for share in (0.91, 0.95, 0.93, 0.97, 0.92, 0.99):
        sim.traffic.quality[sim.candidate] = share
        sim.run(20)
    assert writes(sim, "AgentRollout") - written <= 1


def test_what_holds_a_rollout_is_said_once_however_its_numbers_change() -> None:
    sim = rolling([{"setWeight": 50}])
    sim.traffic.quality |= {sim.candidate: 0.5, sim.stable: 0.6}
    sim.run(60)
    assert sim.status["phase"] == "Held"
    message, written = sim.rollout["status"]["message"], writes(sim, "AgentRollout")
    sim.traffic.quality |= {sim.candidate: 0.4, sim.stable: 0.7}
    sim.run(60)
    assert sim.rollout["status"]["message"] == message
    assert writes(sim, "AgentRollout") - written <= 1


def test_evidence_is_read_back_as_it_was_written() -> None:
    sim = rolling(PAUSED)
    sim.run(60)
    rollout = AgentRollout.model_validate(sim.rollout)
    restored = restore(rollout.status)["task-success"].windows
    assert restored == sim.ledger["support-r2"]["task-success"].windows[: len(restored)]
    assert rollout.status.gate is not None
    assert rollout.status.gate.last_look_at is not None


def test_a_restarted_operator_goes_on_from_the_same_evidence() -> None:
    sim, other = rolling(PAUSED), rolling(PAUSED)
    for one in (sim, other):
        one.traffic.quality[one.candidate] = 0.93
    sim.run(95)
    other.run(95)
    other.restart()
    sim.run(30)
    other.run(30)
    assert sim.ledger["support-r2"] == other.ledger["support-r2"]


def test_a_rollout_tells_of_at_most_twelve_things() -> None:
    stairs: list[Document] = [{"setWeight": weight} for weight in (10, 20, 30, 40)]
    approvals: list[Document] = [{"name": f"ask-{n}", "approve": {}} for n in range(8)]
    sim = rolling([*stairs, *approvals])
    sim.run(300)
    for _ in range(3):
        for wait in (_pause, _blind, _refused, _unready, _stop, _freeze):
            wait(sim)
    for number in range(8):
        sim.approve(f"ask-{number}", "ada")
        sim.settle()
    sim.run(120)
    assert sim.status["phase"] == "Healthy"
    mine = [key for key in sim.events if key.startswith("r2")]
    assert len(mine) <= 12
    assert sim.told()[-1] == "Promoted", "the end is always told"


def _pause(sim: Simulation) -> None:
    sim.intend(pause={"by": "ada"})
    sim.settle()
    sim.intend(pause=None)
    sim.settle()


def _blind(sim: Simulation) -> None:
    sim.provider.cut_off()
    sim.settle()
    sim.provider.come_back()
    sim.run(30)


def _refused(sim: Simulation) -> None:
    route = sim.get("HTTPRoute", "support")
    refusal = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound"}
    sim.store({**route, "status": {"parents": [{"conditions": [refusal]}]}})
    sim.settle()
    sim.store({**sim.get("HTTPRoute", "support"), "status": {}})
    sim.settle()


def _unready(sim: Simulation) -> None:
    for version in (sim.candidate, sim.stable):
        sim.ready_at_most[version] = 0
        sim.settle()
        del sim.ready_at_most[version]
        sim.settle()


def _stop(sim: Simulation) -> None:
    for state in ("Stopped", "Serving"):
        sim.patch("Agent", "support", {"spec": {"traffic": {"state": state}}})
        sim.settle()


def _freeze(sim: Simulation) -> None:
    for paused in (True, False):
        sim.patch("Agent", "support", {"spec": {"paused": paused}})
        sim.settle()


def test_a_long_staircase_tells_of_its_first_and_last_weight() -> None:
    sim = rolling([{"setWeight": weight} for weight in range(5, 50, 5)])
    sim.run(900)
    weights = [message for reason, message in sim.events.values() if reason == "WeightChanged"]
    assert [one.split(": ")[1] for one in weights] == ["weight 0 -> 5", "weight 45 -> 100"]


def test_every_reason_to_wait_is_one_that_people_are_told_of() -> None:
    waits = {Reason(one) for one in WAITS}
    assert Reason.STEP_RUNNING not in waits
    assert len(waits) > MOST_WAITS
    assert len(RULES) == len({one.__name__ for one in RULES})


def test_no_secret_reaches_a_status_or_an_event() -> None:
    hidden = "do-not-show-this"
    container = {
        "name": "agent",
        "image": "a:1",
        "env": [{"name": "TOKEN", "value": hidden}],
        "args": [hidden],
    }
    sim = Simulation(everything(template={"spec": {"containers": [container]}}))
    sim.store(prompt(hidden))
    sim.settle()
    sim.traffic.quality["v2"] = 0.1
    sim.store(prompt(f"{hidden} again"))
    sim.settle()
    sim.run(60)
    model = {"provider": "x", "name": "y", "extra": f'{{"key": "{hidden}"'}
    sim.patch("Agent", "support", {"spec": {"model": model}})
    sim.settle()
    assert sim.condition("Accepted")["status"] == "False"
    statuses = [one.get("status") for one in sim.objects.values()]
    assert hidden not in json.dumps([statuses, list(sim.events.values())])
    decided = [(one.decision.message, one.decision.reason) for one in sim.outcomes]
    assert hidden not in json.dumps(decided)


def test_texts_are_clipped_to_what_the_schema_takes() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.ready_at_most["v2"] = 0
    sim.trouble["v2"] = "x" * 5000
    sim.store(prompt("broken"))
    sim.settle()
    assert len(sim.rollout["status"]["message"]) == 1024
    assert sim.again_in is not None
    assert sim.again_in <= timedelta(minutes=2)


def test_a_condition_says_since_when_and_of_which_generation() -> None:
    sim = rolling(PAUSED)
    since = sim.condition("Ready")["lastTransitionTime"]
    sim.run(10)
    sim.patch("Agent", "support", {"spec": {"replicas": 3}})
    sim.settle()
    ready = sim.condition("Ready")
    assert ready["lastTransitionTime"] == since
    assert ready["observedGeneration"] == sim.status["observedGeneration"] == 2
    rollout = sim.rollout
    assert rollout["status"]["observedGeneration"] == rollout["metadata"]["generation"]
    sim.intend(pause={"by": "ada"})
    sim.settle()
    assert sim.rollout["status"]["observedGeneration"] == rollout["metadata"]["generation"] + 1
    assert sim.condition("Completed", sim.rollout)["observedGeneration"] == 2


def test_every_condition_is_always_there() -> None:
    sim = Simulation(everything())
    sim.reconcile()
    always = {
        "Accepted",
        "ResolvedRefs",
        "ContentPinned",
        "Available",
        "Programmed",
        "Progressing",
        "GatesPassing",
        "Ready",
    }
    assert always <= {one["type"] for one in sim.status["conditions"]}
    sim.settle()
    of_rollout = {"Accepted", "Progressing", "GatesPassing", "Approved", "Completed"}
    assert {one["type"] for one in sim.rollout["status"]["conditions"]} == of_rollout
    version = sim.get("AgentVersion", sim.stable)
    assert {one["type"]: one["status"] for one in version["status"]["conditions"]} == {
        "ContentStored": "True",
        "Available": "True",
    }


def test_a_look_at_which_only_evidence_came_is_decided_in_short() -> None:
    sim = rolling(PAUSED)
    sim.run(60)
    before = sim.outcomes[-1]
    assert before.is_calm
    seen = sim.world()
    sim.serve(10)
    now = sim.world()
    later = replace(seen, now=now.now, readings=now.readings, ledger=now.ledger)
    again = decide_again(later, before)
    assert again is not None
    assert again == sim.reconcile()
    assert again.ledger != before.ledger


NO_BAR = {"failures", "successes"}
STATISTICAL: Document = {key: value for key, value in GATE.items() if key not in NO_BAR} | {
    "mode": "Statistical",
    "metrics": [{key: value for key, value in GATE["metrics"][0].items() if key != "minimum"}],
}
QUIET: dict[str, tuple[list[Document], Document]] = {
    "a pause without end": (PAUSED, GATE),
    "a pause by the clock": ([{"setWeight": 50}, {"pause": {"duration": "30m"}}], GATE),
    "an approval": ([{"setWeight": 50}, {"name": "ask", "approve": {}}], GATE),
    "a promotion that waits": ([{"setWeight": 50}], GATE | {"successes": 20}),
    "evidence": (PAUSED, STATISTICAL),
}


@pytest.mark.parametrize(("steps", "gate"), QUIET.values(), ids=QUIET)
def test_rules_are_not_asked_again_where_they_would_say_the_same(
    steps: list[Document], gate: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = Simulation(everything(strategy=strategy(steps), gate=gate))
    sim.settle()
    sim.store(prompt("better"))
    sim.settle()
    sim.run(85)
    before = sim.outcomes[-1]
    sim.serve(10)
    at_length = decide(sim.world())
    with monkeypatch.context() as patched:
        patched.setattr("turnout.core.decide.go_on", None)
        assert decide_again(sim.world(), before) == at_length
    sim.serve(300)  # more than these windows is due to be written down
    again = decide_again(sim.world(), before)
    assert again is None or again.decision.actions


def test_where_a_service_has_objectives_the_rules_are_asked() -> None:
    sim = rolling(PAUSED)
    sim.run(65)
    before, spent = sim.outcomes[-1], {"a promise": {"5m": Counts(99, 100)}}
    sim.serve(10)
    assert decide_again(replace(sim.world(), spendings=spent), before) is not None


def test_a_moment_that_a_rule_waits_for_is_decided_at_length() -> None:
    sim = rolling([{"setWeight": 50}, {"pause": {"duration": "95s"}}, {"setWeight": 60}])
    sim.run(60)
    before = sim.outcomes[-1]
    sim.serve(40)
    assert decide_again(sim.world(), before) is None


def test_what_is_not_calm_is_decided_at_length() -> None:
    sim = rolling(PAUSED)
    first = sim.outcomes[0]
    assert not first.is_calm
    assert decide_again(sim.world(), first) is None
    sim.run(60)
    calm = sim.outcomes[-1]
    due = replace(calm, due=sim.now)
    assert decide_again(sim.world(), due) is None
    sim.traffic.quality[sim.candidate] = 0.0
    sim.serve(30)
    assert decide_again(sim.world(), calm) is None


def test_while_content_settles_it_is_due_to_be_taken() -> None:
    sim = Simulation(everything())
    sim.settle()
    outcome = decide(replace(sim.world(), settles_in=2.0))
    assert outcome.due == sim.now + timedelta(seconds=2)
