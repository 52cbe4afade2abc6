"""The gate in Statistical mode: evidence against stable in, a verdict in words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from turnout.api.base import fraction, seconds
from turnout.api.gate import Gate, GateMetric, OnRegression
from turnout.api.rollout_status import Verdict
from turnout.core.gates import Blind, Judgement, MetricVerdict
from turnout.core.ledger import NOTHING, Entry, Ledger
from turnout.core.looks import Window
from turnout.core.past import Past
from turnout.core.reasons import Reason
from turnout.core.sequential.findings import MONEY, Finding, Metric, find
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.spending import Spending, find_spending, follow_spending
from turnout.core.sequential.tally import Tally, Terms, begin, follow
from turnout.core.sequential.verdicts import Decision, Policy, Signal, decide, healthy, speaks_alone
from turnout.core.sequential.words import said_of, said_of_both, said_of_cost

STEP_REQUESTS = 30
"""Requests to the candidate at one weight before it rises."""

STEP_SECONDS = 300.0
"""Time at one weight before it rises; less where the whole Pass may take less."""


@dataclass(frozen=True)
class Ruling:
    """What the gate says, and what rules ask beside the verdict.

    Attributes:
        healthy: Nothing speaks against the candidate, though it may not be proved safe.
        rise: What a higher weight still waits for; None where it may rise.
        proved: Metrics by each of which alone the candidate is proved worse, by however little.
    """

    verdict: Judgement
    healthy: bool
    rise: str | None
    proved: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Progress:
    """How far a rollout came.

    Attributes:
        started: Unix seconds from which on requests count.
        changed: Unix seconds from which on they count for the present weight.
        verdict: The verdict so far.
    """

    started: float
    changed: float
    verdict: Verdict


def terms_of(gate: Gate, metric: GateMetric) -> Terms:
    """Tell what a metric is tested for."""
    return Terms(
        margin=None if metric.max_regression is None else fraction(metric.max_regression),
        alpha=policy_of(gate).alpha,
        minimum=None if metric.minimum is None else fraction(metric.minimum),
    )


def policy_of(gate: Gate) -> Policy:
    """Tell when a gate decides; its limit in time is a rule's affair."""
    return Policy(
        alpha=round(1.0 - fraction(gate.confidence or "95%"), 6),
        min_duration=seconds(gate.least_duration),
        min_requests=gate.least_requests,
        max_duration=float("inf"),
    )


def followed(
    gate: Gate, metric: GateMetric, known: Entry, more: Sequence[Window]
) -> Tally | Spending:
    """Take new windows of a metric in."""
    if metric.max_increase is not None:
        return _spent(metric.max_increase, known, more)
    terms = terms_of(gate, metric)
    tally = known.tally if isinstance(known.tally, Tally) else begin(terms)
    for window in more:
        tally = follow(tally, window, terms)
    return tally


def begun(gate: Gate, past: Mapping[str, Past]) -> dict[str, Entry]:
    """Begin each metric that is a share with what stable's pods told of it before the rollout."""
    return {
        metric.name: Entry(tally=_begun(terms_of(gate, metric), past[metric.name]))
        for metric in gate.metrics
        if metric.name in past and metric.max_increase is None
    }


def _begun(terms: Terms, past: Past) -> Tally:
    return begin(terms, None if past.share is None else Rate.known(past.share), past.noise)


def _spent(limit: str, known: Entry, more: Sequence[Window]) -> Spending:
    spending = known.tally if isinstance(known.tally, Spending) else Spending()
    for window in more:
        spending = follow_spending(spending, window, fraction(limit))
    return spending


def judge_evidence(gate: Gate, ledger: Ledger, blind: Mapping[str, Blind], so: Progress) -> Ruling:
    """Judge all metrics of a gate.

    Args:
        gate: What is asked.
        ledger: What is known.
        blind: Metrics that cannot be read just now. They hold; nothing passes meanwhile.
        so: How far the rollout came.
    """
    policy = policy_of(gate)
    cases = [_case(gate, one, ledger) for one in gate.metrics]
    newest = max((one.end for one in ledger.values() if one.end is not None), default=so.started)
    decision = decide([one.finding for one in cases], policy, newest - so.started, so.verdict)
    verdicts = tuple(_verdict(one, decision, blind.get(one.metric.name), policy) for one in cases)
    findings = [one.finding for one in cases]
    suffering = {one.metric.name for one in cases if one.both_fell is not None}
    gating = [one for one in findings if one.on_regression is not OnRegression.RECORD]
    sees = not any(one.name in blind or one.name in suffering for one in gating)
    return Ruling(
        _together(verdicts, decision),
        sees and healthy(gating, decision.signal),
        _rise(gate, ledger, gating, decision, so.changed),
        frozenset(one.name for one in gating if speaks_alone(one, gating, policy)),
    )


@dataclass(frozen=True)
class _Case:
    """One metric before the judge.

    Attributes:
        metric: What it is held to.
        tally: What was counted.
        finding: What that says.
        message: The same in a sentence.
        both_fell: That both arms do worse than stable used to, in a sentence, where they do.
    """

    metric: Metric
    tally: Tally | Spending
    finding: Finding
    message: str
    both_fell: str | None = None


def _case(gate: Gate, metric: GateMetric, ledger: Ledger) -> _Case:
    importance = 1.0 if metric.importance is None else float(metric.importance)
    held_to = Metric(metric.name, terms_of(gate, metric), importance, metric.action)
    tally = followed(gate, metric, ledger.get(metric.name, NOTHING), ())
    policy = policy_of(gate)
    if isinstance(tally, Spending):
        limit = fraction(metric.max_increase or "0%")
        spent = MONEY if metric.about is None else metric.about.value.lower()
        finding = find_spending(held_to, tally, limit, spent)
        return _Case(held_to, tally, finding, said_of_cost(finding, policy))
    finding = find(held_to, [tally])
    said = said_of(finding, tally, held_to.terms, policy)
    both = said_of_both(finding.name, tally) if tally.slump.is_shared(tally.margin) else None
    return _Case(held_to, tally, finding, said, both)


def _verdict(case: _Case, decision: Decision, blind: Blind | None, policy: Policy) -> MetricVerdict:
    """Say what one metric says by itself: Fail where it is blamed, Pass where it is sure."""
    finding = case.finding
    verdict, reason = Verdict.CONTINUE, Reason.TOO_FEW_REQUESTS
    message = case.message
    if decision.verdict is Verdict.FAIL and decision.cause == finding:
        verdict, reason = Verdict.FAIL, Reason.REGRESSED
    elif blind is not None:
        reason, message = blind.reason, blind.message
    elif case.both_fell is not None:
        reason, message = Reason.BOTH_ARMS_DEGRADED, case.both_fell
    elif finding.is_below and _stable_is_below(finding):
        reason = Reason.BOTH_ARMS_DEGRADED
    elif policy.is_safe(finding):
        verdict, reason = Verdict.PASS, Reason.SAFE
    return MetricVerdict(
        name=finding.name,
        verdict=verdict,
        reason=reason,
        message=message,
        candidate=case.tally.candidate,
        stable=case.tally.stable,
        on_regression=finding.on_regression,
        finding=finding,
    )


def _stable_is_below(finding: Finding) -> bool:
    return (
        finding.shares is not None
        and finding.minimum is not None
        and finding.shares[1] < finding.minimum
    )


def _together(verdicts: tuple[MetricVerdict, ...], decision: Decision) -> Judgement:
    """Say what all metrics say together: who is blamed first, then who holds, then the decision."""
    gating = [one for one in verdicts if one.on_regression is not OnRegression.RECORD]
    failed = next((one for one in gating if one.verdict is Verdict.FAIL), None)
    cause = failed or next((one for one in gating if one.holds), None)
    if cause is not None:
        return Judgement(cause.verdict, cause.reason, cause.message, verdicts, cause)
    message = "; ".join(one.message for one in gating)
    if decision.verdict is Verdict.PASS:
        return Judgement(Verdict.PASS, Reason.SAFE, message, verdicts)
    waited_for = decision.cause.name if decision.cause else None
    cause = next((one for one in gating if one.name == waited_for), None)
    reason = decision.reason if decision.signal is Signal.NONE else Reason.SUSPICIOUS
    return Judgement(Verdict.CONTINUE, reason, cause.message if cause else message, verdicts, cause)


def _rise(
    gate: Gate,
    ledger: Ledger,
    findings: Sequence[Finding],
    decision: Decision,
    changed: float,
) -> str | None:
    """Say what a higher weight waits for, in words that do not change from look to look."""
    if decision.verdict is Verdict.PASS:
        return None
    if decision.signal is not Signal.NONE:
        return "evidence against the candidate to fall below 3"
    below = next((one for one in findings if one.is_below), None)
    if below is not None:
        return f"{below.name}, which measures below its minimum"
    at_this_weight = [_since(ledger, one.name, changed) for one in findings]
    time = min(STEP_SECONDS, seconds(gate.least_duration))
    if any(
        one is None or one.candidate.total < STEP_REQUESTS or one.end - changed < time
        for one in at_this_weight
    ):
        return f"{STEP_REQUESTS} requests and {time:.0f}s at the weight before"
    return None


def _since(ledger: Ledger, metric: str, changed: float) -> Window | None:
    """Give what was counted since the weight changed."""
    windows = ledger.get(metric, NOTHING).windows
    return windows[-1] if windows and windows[-1].start >= changed else None


def last_asked(ledger: Ledger) -> float | None:
    """Tell until when the candidate was last seen to be asked, in unix seconds."""
    ends = [
        entry.end - entry.tally.idle
        for entry in ledger.values()
        if entry.end is not None and entry.tally is not None and entry.tally.candidate.total > 0.0
    ]
    return max(ends, default=None)
