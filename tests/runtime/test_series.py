import time
from dataclasses import replace
from typing import Any

from turnout.adapters.documents import AGENT, Ref
from turnout.api.agent import AgentPhase
from turnout.api.drift import DriftStatus
from turnout.core.course import Course
from turnout.core.decide import Outcome
from turnout.core.ledger import Entry
from turnout.core.looks import Counts, Window
from turnout.core.plan import Decision
from turnout.core.reasons import Reason
from turnout.runtime.telemetry import Telemetry

REF = Ref(AGENT, "demo", "support")
DELAY = "turnout_gate_window_delay_seconds"


def outcome(*ends: float) -> Outcome:
    """An outcome with windows of ten seconds that ended so long ago."""
    now, some = time.time(), Counts(9, 10)
    windows = tuple(Window(now - end - 10, now - end, some, some) for end in ends)
    course = Course("advance", Reason.PAUSED, "paused", None)
    decision = Decision("advance", "Paused", "paused", (), ())
    return Outcome(decision, {"success": Entry(windows)}, {}, AgentPhase.PROGRESSING, course)


def delays(telemetry: Telemetry, bound: str) -> float | None:
    return telemetry.registry.get_sample_value(f"{DELAY}_bucket", {"le": bound})


def test_a_window_is_noted_once_by_how_late_it_was_judged() -> None:
    telemetry = Telemetry()
    first = outcome(12)
    telemetry.agents.notice(REF, first)
    assert delays(telemetry, "+Inf") == 0, "what a checkpoint held was judged before"
    both = outcome(12, 2.2)
    telemetry.agents.notice(REF, both)
    telemetry.agents.notice(REF, both)
    assert (delays(telemetry, "2.0"), delays(telemetry, "3.0")) == (0, 1)
    assert delays(telemetry, "+Inf") == 1


def test_an_agent_that_is_gone_begins_anew() -> None:
    telemetry = Telemetry()
    telemetry.agents.notice(REF, outcome(12))
    telemetry.agents.forget(REF)
    telemetry.agents.notice(REF, outcome(2))
    assert delays(telemetry, "+Inf") == 0


def drifts(telemetry: Telemetry) -> dict[tuple[str, str], float]:
    found = telemetry.registry.collect()
    samples = next(one.samples for one in found if one.name == "turnout_agent_drift")
    return {(one.labels["state"], one.labels["attribution"]): one.value for one in samples}


def test_how_stable_does_is_one_series_until_the_agent_is_gone() -> None:
    telemetry, version = Telemetry(), "support-0123456789"

    def tells(**known: Any) -> None:
        told = {"version": version, "since": "2026-01-01T00:00:00Z"} | known
        drift = DriftStatus.model_validate(told) if known else None
        telemetry.agents.notice(REF, replace(outcome(12), drift=drift))

    tells()
    assert drifts(telemetry) == {}
    for _ in range(2):
        tells(state="Steady")
        assert drifts(telemetry) == {("Steady", ""): 1.0}
    tells(state="Degraded", attribution="Provider")
    assert drifts(telemetry) == {("Degraded", "Provider"): 1.0}
    tells(state="Degraded", attribution="Own")
    assert drifts(telemetry) == {("Degraded", "Own"): 1.0}
    telemetry.agents.forget(REF)
    assert drifts(telemetry) == {}
