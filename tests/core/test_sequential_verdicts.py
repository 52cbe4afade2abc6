"""Findings of metrics in, one of three verdicts out."""

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.core.sequential import tallied
from turnout.api.rollout_status import Verdict
from turnout.api.strategy import OnInconclusive, OnRegression
from turnout.core.reasons import Reason
from turnout.core.sequential.findings import Finding, Metric, find
from turnout.core.sequential.forecast import forecast, rounded
from turnout.core.sequential.tally import Terms, begin
from turnout.core.sequential.verdicts import Policy, Signal, decide

POLICY = Policy()
LATE = POLICY.max_duration


def finding(name: str = "tasks", worse: float = 1.0, safe: float = 1.0, **changes: Any) -> Finding:
    """Write a finding; evidence as plain numbers."""
    plain = Finding(
        name=name,
        on_regression=OnRegression.ROLLBACK,
        importance=1.0,
        worse=math.log(worse),
        safe=math.log(safe),
        margin=0.02,
        drop=0.0,
        shares=(0.97, 0.97),
        requests=1000.0,
    )
    return replace(plain, **changes)


def verdict(*findings: Finding, age: float = 3600.0, **policy: Any) -> tuple[Verdict, Reason]:
    decision = decide(findings, replace(POLICY, **policy), age)
    return decision.verdict, decision.reason


def test_enough_evidence_and_a_drop_over_the_margin_is_a_fail() -> None:
    bad = finding(worse=20.1, drop=0.03)
    decision = decide([bad], POLICY, 60.0)
    assert (decision.verdict, decision.reason) == (Verdict.FAIL, Reason.REGRESSED)
    assert (decision.cause, decision.signal) == (bad, Signal.ENOUGH)


@pytest.mark.parametrize(
    "not_enough",
    [
        finding(worse=19.9, drop=0.03),
        finding(worse=1e9, drop=0.02),
        finding(worse=1e9, drop=None),
        finding(worse=1e9, drop=0.3, margin=None),
    ],
)
def test_less_evidence_or_a_drop_within_the_margin_is_none(not_enough: Finding) -> None:
    assert verdict(not_enough) == (Verdict.CONTINUE, Reason.TOO_FEW_REQUESTS)


def test_below_its_minimum_a_candidate_that_is_worse_fails_within_the_margin() -> None:
    low = finding(worse=30, drop=0.015, shares=(0.79, 0.805), minimum=0.8, proved_below=True)
    assert verdict(low) == (Verdict.FAIL, Reason.REGRESSED)
    assert verdict(replace(low, proved_below=False))[0] is Verdict.CONTINUE
    assert verdict(replace(low, shares=(0.81, 0.825)))[0] is Verdict.CONTINUE
    assert verdict(replace(low, worse=0.0))[0] is Verdict.CONTINUE


def test_every_metric_must_be_safe_for_a_pass() -> None:
    good = finding(safe=20.1)
    assert verdict(good, finding("latency", safe=21)) == (Verdict.PASS, Reason.SAFE)
    for lacking in (
        finding("latency", safe=19.9),
        finding("latency", safe=40, requests=49),
        finding("latency", safe=40, minimum=0.98),
    ):
        decision = decide([good, lacking], POLICY, 3600.0)
        assert (decision.verdict, decision.cause) == (Verdict.CONTINUE, lacking)


def test_no_pass_before_its_time() -> None:
    assert verdict(finding(safe=40), age=899.0)[0] is Verdict.CONTINUE
    assert verdict(finding(safe=40), age=900.0)[0] is Verdict.PASS


def test_confidence_decides_how_much_is_enough() -> None:
    assert verdict(finding(worse=50, drop=0.1), alpha=0.01)[0] is Verdict.CONTINUE
    assert verdict(finding(worse=101, drop=0.1), alpha=0.01)[0] is Verdict.FAIL
    assert verdict(finding(safe=50), alpha=0.01)[0] is Verdict.CONTINUE


def test_metrics_share_the_evidence_by_their_importance() -> None:
    bad, quiet = finding(worse=39, drop=0.1), finding("latency")
    assert verdict(bad, quiet) == (Verdict.FAIL, Reason.REGRESSED)
    assert verdict(bad, replace(quiet, importance=1.2))[0] is Verdict.CONTINUE
    assert verdict(replace(bad, importance=0.0), quiet)[0] is Verdict.CONTINUE
    assert verdict(replace(bad, importance=0.0))[0] is Verdict.CONTINUE
    loud = finding("latency", worse=1e9, drop=0.1)
    assert decide([replace(bad, importance=0.0), loud], POLICY, 60.0).cause == loud


def test_the_loudest_metric_is_blamed_unless_one_that_rolls_back_is_enough_alone() -> None:
    cost = finding("cost", worse=1e9, drop=0.1, on_regression=OnRegression.HOLD)
    weak, enough = finding(worse=39, drop=0.1), finding(worse=41, drop=0.1)
    assert decide([weak, cost], POLICY, 60.0).cause == cost
    assert decide([enough, cost], POLICY, 60.0).cause == enough


def test_who_is_loudest_within_its_margin_is_not_passed_over_for_another() -> None:
    loud, other = finding(worse=100, drop=0.01), finding("latency", worse=2, drop=0.1)
    assert verdict(loud, other)[0] is Verdict.CONTINUE


def test_a_metric_that_only_records_decides_nothing() -> None:
    recorded = finding(worse=1e9, drop=0.5, on_regression=OnRegression.RECORD)
    assert verdict(recorded) == (Verdict.CONTINUE, Reason.NOT_RUNNING)
    assert verdict(recorded, finding("latency", safe=40)) == (Verdict.PASS, Reason.SAFE)


@pytest.mark.parametrize(
    ("evidence", "signal"),
    [
        (2.9, Signal.NONE),
        (3.1, Signal.SUSPICIOUS),
        (19.9, Signal.SUSPICIOUS),
        (20.1, Signal.ENOUGH),
    ],
)
def test_evidence_between_three_and_twenty_is_suspicious(evidence: float, signal: Signal) -> None:
    assert decide([finding(worse=evidence)], POLICY, 60.0).signal is signal


def test_verdicts_latch_and_only_a_fail_follows_a_pass() -> None:
    nothing, bad = finding(), finding(worse=40, drop=0.1)
    after_fail = decide([nothing], POLICY, 3600.0, Verdict.FAIL)
    assert (after_fail.verdict, after_fail.cause) == (Verdict.FAIL, nothing)
    assert decide([nothing], POLICY, 3600.0, Verdict.PASS).verdict is Verdict.PASS
    assert decide([bad], POLICY, 3600.0, Verdict.PASS).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("action", "found", "expected"),
    [
        (OnInconclusive.HOLD, finding(), Verdict.CONTINUE),
        (OnInconclusive.ROLLBACK, finding(), Verdict.FAIL),
        (OnInconclusive.PROMOTE_IF_HEALTHY, finding(drop=0.02), Verdict.PASS),
        (OnInconclusive.PROMOTE_IF_HEALTHY, finding(drop=0.021), Verdict.CONTINUE),
        (OnInconclusive.PROMOTE_IF_HEALTHY, finding(worse=3.1), Verdict.CONTINUE),
        (OnInconclusive.PROMOTE_IF_HEALTHY, finding(drop=None), Verdict.CONTINUE),
        (OnInconclusive.PROMOTE_IF_HEALTHY, finding(minimum=0.98), Verdict.CONTINUE),
    ],
)
def test_at_the_limit_the_declared_thing_happens(
    action: OnInconclusive, found: Finding, expected: Verdict
) -> None:
    assert verdict(found, age=LATE, on_inconclusive=action) == (expected, Reason.INCONCLUSIVE)
    assert verdict(found, age=LATE - 1, on_inconclusive=action)[0] is Verdict.CONTINUE


def test_a_pass_at_the_limit_is_a_pass() -> None:
    passed = verdict(finding(safe=40), age=LATE, on_inconclusive=OnInconclusive.ROLLBACK)
    assert passed == (Verdict.PASS, Reason.SAFE)


def test_two_bounds_of_a_latency_are_averaged() -> None:
    metric = Metric("latency", Terms(0.02))
    slow, same = tallied([(20, 10, 87, 3)] * 3)[-1], tallied([(29, 1, 87, 3)] * 3)[-1]
    both = find(metric, [slow, same])
    means = [
        math.log((slow_one + same_one) / 2)
        for slow_one, same_one in (
            (slow.worse.evidence, same.worse.evidence),
            (slow.safe.evidence, same.safe.evidence),
        )
    ]
    assert [both.worse, both.safe] == pytest.approx(means)
    assert both.drop == pytest.approx((slow.recent.drop or 0) / 2 + (same.recent.drop or 0) / 2)


def test_before_the_first_look_a_metric_says_nothing() -> None:
    metric = Metric("tasks", Terms(0.02, minimum=0.9))
    found = find(metric, [begin(metric.terms)])
    assert (found.worse, found.safe, found.drop, found.requests) == (0.0, 0.0, None, 0.0)
    assert not found.is_below
    assert not found.proved_below


def test_a_minimum_that_was_missed_often_is_proved_to_be() -> None:
    metric = Metric("tasks", Terms(0.02, minimum=0.9))
    found = find(metric, tallied([(20, 10, 87, 3)] * 5, metric.terms)[-1:])
    assert found.proved_below
    assert found.is_below


def test_a_forecast_is_met_by_a_candidate_that_is_as_good_as_stable() -> None:
    terms = Terms(0.02)
    tallies = tallied([(29.1, 0.9, 87.3, 2.7)] * 60, terms)
    early = forecast(tallies[4], terms, 50)
    assert early is not None
    assert early.seconds is not None
    passes = next(number for number, one in enumerate(tallies) if one.safe.log >= terms.sure)
    assert 30 * (passes - 4) == pytest.approx(early.requests, rel=0.5)
    assert early.seconds == pytest.approx(early.requests * 2, rel=0.01)
    late = forecast(tallies[-1], terms, 50)
    assert late is not None
    assert late.requests == 0
    more = forecast(tallies[-1], terms, 60 * 30 + 70)
    assert more is not None
    assert more.requests == pytest.approx(70)


def test_nothing_is_forecast_before_there_is_anything_to_go_by() -> None:
    terms = Terms(0.02)
    assert forecast(begin(terms), terms, 50) is None
    assert forecast(begin(Terms(None)), Terms(None), 50) is None
    silent = replace(tallied([(9, 1, 9, 1)], terms)[-1], recent=begin(terms).recent)
    found = forecast(silent, terms, 50)
    assert found is not None
    assert found.seconds is None


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.4, 0),
        (1, 1),
        (1.6, 2),
        (4, 5),
        (8, 10),
        (140, 100),
        (650, 500),
        (800, 1000),
        (1e6, 1000000),
    ],
)
def test_forecasts_are_rounded_so_that_they_seldom_change(number: float, shown: int) -> None:
    assert rounded(number) == shown
