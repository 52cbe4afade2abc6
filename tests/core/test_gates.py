"""Windows in, one verdict out."""

from typing import Any

import pytest

from turnout.api.rollout_status import Verdict
from turnout.api.strategy import Gate
from turnout.core.gates import Blind, Judgement, judge, kept, looks_healthy
from turnout.core.looks import Counts, Window
from turnout.core.reasons import Reason

DARK = Blind(Reason.METRICS_UNAVAILABLE, "tasks: connection refused")


def gate(**changes: Any) -> Gate:
    metric = {"type": "SuccessRate", "templateRef": {"name": "t"}, "minimum": "90%"}
    base: dict[str, Any] = {
        "mode": "Threshold",
        "minRequests": 10,
        "onInconclusive": "Hold",
        "metrics": [metric | {"name": "tasks", "onRegression": "Rollback"}],
    }
    for name in changes.pop("more", ()):
        base["metrics"] = [*base["metrics"], metric | {"name": name, "onRegression": "Rollback"}]
    for name, action in changes.pop("actions", {}).items():
        base["metrics"] = [
            one | {"onRegression": action} if one["name"] == name else one
            for one in base["metrics"]
        ]
    return Gate.model_validate(base | changes)


def windows(candidate: str, stable: str = "", size: float = 20) -> tuple[Window, ...]:
    """Draw windows: + is good, - is bad, . has too few requests, and _ has none."""
    drawn = stable or "+" * len(candidate)
    return tuple(
        Window(10.0 * number, 10.0 * number + 10, _counts(mine, size), _counts(theirs, size))
        for number, (mine, theirs) in enumerate(zip(candidate, drawn, strict=True))
    )


def _counts(sign: str, size: float) -> Counts:
    return {
        "+": Counts(size, size),
        "-": Counts(size / 2, size),
        ".": Counts(0, 5),
        "_": Counts(),
    }[sign]


def judged(candidate: str, stable: str = "", since: float = 0, **changes: Any) -> Judgement:
    return judge(gate(**changes), {"tasks": windows(candidate, stable)}, {}, since)


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        ("", Verdict.CONTINUE),
        ("++", Verdict.CONTINUE),
        ("+++", Verdict.PASS),
        ("-+++", Verdict.PASS),
        ("++-", Verdict.CONTINUE),
        ("+++-", Verdict.CONTINUE),
        ("---", Verdict.FAIL),
        ("-+-+-", Verdict.FAIL),
        ("--+++", Verdict.PASS),
        ("-++-++-", Verdict.CONTINUE),
        ("-.-.-", Verdict.FAIL),
        ("..+.+.+..", Verdict.PASS),
        ("......", Verdict.CONTINUE),
        ("______", Verdict.CONTINUE),
    ],
)
def test_three_bad_of_the_last_five_fail_and_three_good_in_a_row_pass(
    candidate: str, verdict: Verdict
) -> None:
    assert judged(candidate).verdict is verdict


def test_only_windows_after_the_last_change_of_weight_pass() -> None:
    assert judged("++++", since=20).verdict is Verdict.CONTINUE
    assert judged("+++++", since=20).verdict is Verdict.PASS
    assert judged("+++++", since=25).verdict is Verdict.CONTINUE, "it began before the change"


def test_failures_count_across_a_change_of_weight() -> None:
    assert judged("--+-", since=20).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("stable", "verdict", "reason"),
    [
        ("+++", Verdict.FAIL, Reason.REGRESSED),
        ("---", Verdict.CONTINUE, Reason.BOTH_ARMS_DEGRADED),
        ("___", Verdict.CONTINUE, Reason.BOTH_ARMS_DEGRADED),
        ("++-", Verdict.CONTINUE, Reason.BOTH_ARMS_DEGRADED),
        ("_++", Verdict.FAIL, Reason.REGRESSED),
    ],
)
def test_a_candidate_is_blamed_only_where_stable_was_above_the_bar(
    stable: str, verdict: Verdict, reason: Reason
) -> None:
    judgement = judged("---", stable)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


def test_a_failure_names_metric_both_values_and_the_rule() -> None:
    assert judged("--+-").message == (
        "tasks: candidate 50.0% (60 requests), stable 100.0% (60 requests) in the same windows; "
        "candidate below 90% in 3 of the last 4 windows of 10s (fails at 3)"
    )


def test_a_share_that_equals_the_bar_is_good() -> None:
    exact = tuple(Window(10.0 * n, 10.0 * n + 10, Counts(18, 20), Counts(20, 20)) for n in range(3))
    assert judge(gate(), {"tasks": exact}, {}, 0).verdict is Verdict.PASS


def test_a_metric_that_cannot_be_read_never_passes_and_still_fails_on_what_is_known() -> None:
    passing, failing = {"tasks": windows("+++")}, {"tasks": windows("---")}
    dark = judge(gate(), passing, {"tasks": DARK}, 0)
    assert (dark.verdict, dark.reason, dark.message) == (
        Verdict.CONTINUE,
        Reason.METRICS_UNAVAILABLE,
        "tasks: connection refused",
    )
    assert judge(gate(), failing, {"tasks": DARK}, 0).verdict is Verdict.FAIL


def test_the_worst_metric_decides_and_all_must_pass() -> None:
    both = gate(more=["speed"])
    one = {"tasks": windows("+++"), "speed": windows("---")}
    assert judge(both, one, {}, 0).cause == judge(both, one, {}, 0).metrics[1]
    missing = judge(both, {"tasks": windows("+++")}, {}, 0)
    assert (missing.verdict, missing.cause and missing.cause.name) == (Verdict.CONTINUE, "speed")
    fine = judge(both, {"tasks": windows("+++"), "speed": windows("+++")}, {}, 0)
    assert fine.verdict is Verdict.PASS
    assert "tasks: 100.0%" in fine.message
    assert "speed: 100.0%" in fine.message


def test_what_rolls_back_comes_before_what_holds_and_what_is_unknown() -> None:
    both = gate(more=["speed"], actions={"tasks": "Hold"})
    failing = {"tasks": windows("---"), "speed": windows("---")}
    cause = judge(both, failing, {}, 0).cause
    assert cause is not None
    assert cause.name == "speed"
    held = judge(both, {"tasks": windows("---")}, {"speed": DARK}, 0).cause
    assert held is not None
    assert held.name == "tasks"


def test_a_recorded_metric_is_shown_and_decides_nothing() -> None:
    recorded = gate(more=["tone"], actions={"tone": "Record"})
    judgement = judge(recorded, {"tasks": windows("+++"), "tone": windows("---")}, {}, 0)
    assert judgement.verdict is Verdict.PASS
    assert judgement.metrics[1].verdict is Verdict.FAIL


def test_a_gate_that_only_records_passes_nothing() -> None:
    judgement = judged("+++++", actions={"tasks": "Record"})
    assert (judgement.verdict, judgement.cause) == (Verdict.CONTINUE, None)


@pytest.mark.parametrize(
    ("candidate", "stable", "healthy"),
    [
        ("+", "+", True),
        ("-+", "++", True),
        ("+-", "++", False),
        ("", "", False),
        ("..", "++", False),
    ],
)
def test_healthy_is_what_was_measured_and_was_good_at_last(
    candidate: str, stable: str, *, healthy: bool
) -> None:
    ledger = {"tasks": windows(candidate, stable)}
    assert looks_healthy(gate(), ledger, judge(gate(), ledger, {}, 0)) is healthy


def test_nothing_is_healthy_while_a_deciding_metric_cannot_be_read() -> None:
    both = gate(more=["tone"])
    ledger = {"tasks": windows("+"), "tone": windows("+")}
    assert not looks_healthy(both, ledger, judge(both, ledger, {"tone": DARK}, 0))
    recorded = gate(more=["tone"], actions={"tone": "Record"})
    assert looks_healthy(recorded, ledger, judge(recorded, ledger, {"tone": DARK}, 0))


def test_windows_that_count_are_kept_however_many_do_not() -> None:
    known = windows("-" + "." * 30 + "-")
    assert [one.start for one in kept(known, gate())] == [0, 310]
    assert [one.start for one in kept(windows("-" + "." * 30), gate())] == [0, 300], (
        "the last one too: the next begins where it ended"
    )
    assert len(kept(windows("+" * 40), gate())) == 5
    long = gate(failures={"count": 20, "of": 20})
    assert len(kept(windows("+" * 40 + "."), long)) == 20


def test_keeping_step_by_step_is_keeping_at_once() -> None:
    drawn = windows("+.-..+++.-.-+..-+" * 3)
    step_by_step: tuple[Window, ...] = ()
    for one in drawn:
        step_by_step = kept((*step_by_step, one), gate())
    assert step_by_step == kept(drawn, gate())
