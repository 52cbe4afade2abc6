"""The gate in Statistical mode: what is known of each metric in, a verdict in words out."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.core.sequential import Answers, looks
from tests.core.test_quiet import PAUSED, rolling
from turnout.api.gate import Gate
from turnout.api.rollout import AgentRollout
from turnout.api.rollout_status import Verdict
from turnout.core.checkpoint import restore
from turnout.core.gates import Blind
from turnout.core.ledger import Entry, since_change
from turnout.core.looks import Counts, Window
from turnout.core.reasons import Reason
from turnout.core.sequential.record import written
from turnout.core.sequential.tally import Tally
from turnout.core.statistical import Progress, Ruling, followed, judge_evidence, last_asked

DARK = Blind(Reason.METRICS_UNAVAILABLE, "tasks: connection refused")

EQUAL: Answers = (97, 3, 291, 9)
WORSE: Answers = (80, 20, 291, 9)
SLIGHTLY: Answers = (95.7, 4.3, 291, 9)


def gate(*names: str, **changes: Any) -> Gate:
    """Write a gate with a metric for each name; what is said of one is given by its name."""
    metrics = [
        {
            "name": name,
            "type": "SuccessRate",
            "templateRef": {"name": "t"},
            "maxRegression": "2%",
            "onRegression": "Rollback",
        }
        | changes.pop(name, {})
        for name in names or ("tasks",)
    ]
    base: dict[str, Any] = {"mode": "Statistical", "onInconclusive": "Hold", "metrics": metrics}
    return Gate.model_validate(base | changes)


def ruled(
    asked: Gate,
    answers: dict[str, list[Answers]],
    blind: dict[str, Blind] | None = None,
    before: Verdict = Verdict.CONTINUE,
    changed: float = 0.0,
) -> Ruling:
    """Judge looks of a minute each."""
    ledger = {}
    for metric in asked.metrics:
        windows = tuple(looks(answers.get(metric.name, [])))
        tally = followed(asked, metric, Entry(), windows)
        ledger[metric.name] = Entry(since_change(windows, changed), tally)
    return judge_evidence(asked, ledger, blind or {}, Progress(0.0, changed, before))


def test_a_worse_metric_is_blamed_with_values_drop_margin_and_evidence() -> None:
    ruling = ruled(gate("tasks", "tone"), {"tasks": [WORSE] * 3, "tone": [EQUAL] * 3})
    verdict = ruling.verdict
    assert (verdict.verdict, verdict.reason) == (Verdict.FAIL, Reason.REGRESSED)
    assert verdict.message == (
        "tasks: candidate 80.0%, stable 97.0% lately, 17.0 points worse (2 allowed); "
        "evidence over 1000 that it is worse, 0.0 that it is safe, of 300 requests (20 decides)"
    )
    assert [one.verdict for one in verdict.metrics] == [Verdict.FAIL, Verdict.CONTINUE]
    assert not ruling.healthy


def test_all_metrics_must_be_sure_and_the_first_that_is_not_is_waited_for() -> None:
    enough, few = [EQUAL] * 20, [EQUAL] * 3
    passed = ruled(gate("tasks", "tone"), {"tasks": enough, "tone": enough})
    assert (passed.verdict.verdict, passed.verdict.cause) == (Verdict.PASS, None)
    assert passed.rise is None
    waits = ruled(gate("tasks", "tone"), {"tasks": enough, "tone": few}).verdict
    assert waits.cause is not None
    assert (waits.verdict, waits.cause.name) == (Verdict.CONTINUE, "tone")
    assert [one.verdict for one in waits.metrics] == [Verdict.PASS, Verdict.CONTINUE]


def test_what_is_sure_too_early_waits_for_its_time() -> None:
    verdict = ruled(gate(), {"tasks": [EQUAL] * 10}).verdict
    assert [one.verdict for one in verdict.metrics] == [Verdict.PASS]
    assert (verdict.verdict, verdict.cause) == (Verdict.CONTINUE, None)


def test_a_metric_that_cannot_be_read_holds_even_what_passed() -> None:
    ruling = ruled(
        gate("tasks", "tone"),
        {"tasks": [EQUAL] * 20, "tone": [EQUAL] * 20},
        {"tone": DARK},
        Verdict.PASS,
    )
    assert (ruling.verdict.verdict, ruling.verdict.reason) == (
        Verdict.CONTINUE,
        Reason.METRICS_UNAVAILABLE,
    )
    assert not ruling.healthy
    recorded = gate("tasks", "tone", tone={"onRegression": "Record"})
    aside = ruled(recorded, {"tasks": [EQUAL] * 20}, {"tone": DARK})
    assert aside.verdict.verdict is Verdict.PASS
    assert aside.healthy


def test_a_worse_metric_is_blamed_though_another_cannot_be_read() -> None:
    ruling = ruled(gate("tasks", "tone"), {"tasks": [WORSE] * 3}, {"tone": DARK})
    assert ruling.verdict.verdict is Verdict.FAIL


def test_confidence_and_importance_decide_how_much_is_enough() -> None:
    some: dict[str, list[Answers]] = {"tasks": [(96, 4, 291, 9), (84, 16, 291, 9)]}
    assert ruled(gate(), some).verdict.verdict is Verdict.FAIL
    sure = ruled(gate(confidence="99.9%"), some).verdict
    assert sure.verdict is Verdict.CONTINUE
    assert "(1000 decides)" in sure.message
    light = gate("tasks", "tone", tasks={"importance": 1}, tone={"importance": 99})
    assert ruled(light, some).verdict.verdict is Verdict.CONTINUE


def test_suspicion_keeps_weights_where_they_are() -> None:
    drops: list[Answers] = [(17, 3, 58, 2), (17, 3, 58, 2)]
    ruling = ruled(gate(confidence="99.9%"), {"tasks": drops})
    assert ruling.verdict.reason is Reason.SUSPICIOUS
    assert ruling.rise == "evidence against the candidate to fall below 3"


@pytest.mark.parametrize(
    ("minutes", "changed", "waits"),
    [
        (6, 0.0, False),
        (4, 0.0, True),
        (0, 0.0, True),
        (8, 240.0, True),
        (9, 240.0, False),
        (9, 600.0, True),
    ],
)
def test_a_weight_rises_after_five_minutes_and_thirty_requests(
    minutes: int, changed: float, *, waits: bool
) -> None:
    ruling = ruled(gate(), {"tasks": [(9.7, 0.3, 29, 1)] * minutes}, changed=changed)
    assert (ruling.rise == "30 requests and 300s at the weight before") is waits
    assert (ruling.rise is None) is not waits


def test_requests_of_the_weight_before_do_not_count_for_the_next() -> None:
    ruling = ruled(gate(), {"tasks": [EQUAL] * 4 + [(2, 0, 29, 1)] * 6}, changed=240.0)
    assert ruling.rise == "30 requests and 300s at the weight before"


def test_below_its_minimum_a_candidate_rises_no_further() -> None:
    low = gate(tasks={"minimum": "97.5%", "maxRegression": "5%"})
    ruling = ruled(low, {"tasks": [(97, 3, 294, 6)] * 5})
    assert ruling.verdict.verdict is Verdict.CONTINUE
    assert "below the minimum of 97.5%" in ruling.verdict.message
    assert ruling.rise == "tasks, which measures below its minimum"
    both = ruled(low, {"tasks": [(97, 3, 291, 9)] * 20}).verdict
    assert both.reason is Reason.BOTH_ARMS_DEGRADED


def test_before_both_arms_were_asked_nothing_is_said_of_them() -> None:
    ruling = ruled(gate(), {"tasks": [(5, 0, 0, 0)]})
    assert ruling.verdict.message == (
        "tasks: candidate and stable were not asked in the same minutes yet"
    )
    assert ruling.verdict.metrics[0].shares == (1.0, None)


def test_a_margin_that_is_not_declared_is_not_told_before_it_is_fixed() -> None:
    open_margin = gate(tasks={"maxRegression": None})
    early = ruled(open_margin, {"tasks": [(9, 1, 29, 1)]}).verdict.message
    assert "6.7 points worse; evidence" in early
    later = ruled(open_margin, {"tasks": [(10, 0, 29, 1)] * 2}).verdict.message
    assert "3.3 points better (2 allowed); evidence" in later


def test_a_gate_that_only_records_decides_nothing() -> None:
    recorded = gate(tasks={"onRegression": "Record"})
    assert ruled(recorded, {"tasks": [WORSE] * 5}).verdict.reason is Reason.NOT_RUNNING


def test_when_the_candidate_was_asked_last_is_known_without_its_windows() -> None:
    asked = gate()
    windows = tuple(looks([EQUAL, EQUAL, (0, 0, 9, 1), (0, 0, 9, 1)]))
    tally = followed(asked, asked.metrics[0], Entry(), windows)
    assert last_asked({"tasks": Entry(windows[-1:], tally)}) == 120.0
    assert last_asked({"tasks": Entry(windows[-1:], None), "tone": Entry()}) is None


def test_windows_since_a_change_are_kept_as_one_and_the_last_one_before_as_it_was() -> None:
    windows = tuple(looks([EQUAL] * 3))
    assert since_change(windows, 60.0) == (Window(60, 180, Counts(194, 200), Counts(582, 600)),)
    assert since_change(windows, 130.0) == windows[-1:]
    assert since_change((), 0.0) == ()


STATISTICAL: dict[str, Any] = {
    "mode": "Statistical",
    "failures": None,
    "successes": None,
    "metrics": [
        {
            "name": "task-success",
            "type": "SuccessRate",
            "templateRef": {"name": "tasks"},
            "maxRegression": "5%",
            "minimum": "50%",
            "onRegression": "Rollback",
        }
    ],
}


def test_a_restarted_operator_goes_on_from_the_same_evidence_to_the_same_bits() -> None:
    sim, other = rolling(PAUSED, **STATISTICAL), rolling(PAUSED, **STATISTICAL)
    for one in (sim, other):
        one.traffic.quality |= {one.candidate: 0.95, one.stable: 0.97}
        one.run(95)
    other.restart()
    for one in (sim, other):
        one.run(45)
    mine, theirs = (one.ledger["support-r2"]["task-success"] for one in (sim, other))
    assert isinstance(mine.tally, Tally)
    assert isinstance(theirs.tally, Tally)
    assert written(mine.tally) == written(theirs.tally)
    assert mine.end == theirs.end
    assert len(json.dumps(written(mine.tally))) < 1500


def test_a_record_shows_the_evidence_and_what_is_kept_of_it_can_be_read_back() -> None:
    sim = rolling(PAUSED, **STATISTICAL)
    sim.traffic.quality |= {sim.candidate: 0.96, sim.stable: 0.97}
    sim.run(150)
    status = AgentRollout.model_validate(sim.rollout).status
    assert status.gate is not None
    (metric,) = status.gate.metrics
    assert (metric.candidate, metric.stable, metric.bar) == ("96.0%", "97.0%", "stable - 5%")
    assert metric.measured_regression == "1%"
    assert metric.evidence_worse is not None
    assert metric.evidence_safe is not None
    assert restore(status)["task-success"].tally is not None


@pytest.mark.parametrize("spoiled", ["", "{", "7", "[]", '{"worse": [0]}'])
def test_evidence_of_another_version_is_gathered_anew(spoiled: str) -> None:
    sim = rolling(PAUSED, **STATISTICAL)
    sim.run(150)
    status = AgentRollout.model_validate(sim.rollout).status
    assert status.gate is not None
    metric = status.gate.metrics[0].model_copy(update={"checkpoint": spoiled})
    gate_status = status.gate.model_copy(update={"metrics": (metric,)})
    known = restore(status.model_copy(update={"gate": gate_status}))["task-success"]
    assert known.tally is None
    assert replace(known, windows=()).end is None
