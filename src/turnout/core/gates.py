"""The gate: windows in, one verdict out.

Threshold mode (GATES 3.10): a window with enough candidate requests is good or bad against a
bar; a declared number of bad ones among the last ones fails, a run of good ones since the weight
last changed passes, and everything else continues. A window without enough requests is neither:
unknown is never success and never failure.

A candidate is blamed only where stable, in the same windows, was above the bar; where both arms
are below it the provider or a tool is the likelier cause and the rollout is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from turnout.api.base import fraction
from turnout.api.rollout_status import Verdict
from turnout.api.strategy import Gate, GateMetric, OnRegression
from turnout.core.looks import Counts, Window
from turnout.core.reasons import Reason
from turnout.core.sequential.findings import Finding
from turnout.core.sequential.words import amount

KEPT_WINDOWS = 20
"""Most windows that a record holds per metric."""


@dataclass(frozen=True)
class Blind:
    """Why a metric could not be read: never a verdict, always shown.

    Attributes:
        reason: MetricsUnavailable, MetricNotFound or VersionLabelMissing.
        message: What was asked of whom, and what came back.
    """

    reason: Reason
    message: str


@dataclass(frozen=True)
class MetricVerdict:
    """One metric's verdict with all that explains it.

    Attributes:
        finding: What the evidence says of it, in Statistical mode.
    """

    name: str
    verdict: Verdict
    reason: Reason
    message: str
    candidate: Counts
    stable: Counts
    on_regression: OnRegression
    finding: Finding | None = None

    @property
    def shares(self) -> tuple[float | None, float | None]:
        """Shares of good answers of candidate and stable, of the same requests."""
        if self.finding is not None and self.finding.shares is not None:
            return self.finding.shares
        return self.candidate.share, self.stable.share

    @property
    def values(self) -> tuple[str, str]:
        """What candidate and stable measure, for people: shares, or the cost of a success."""
        candidate, stable = self.shares
        if self.finding is None or not self.finding.spent:
            return percent(candidate), percent(stable)
        return amount(self.finding.spent, candidate), amount(self.finding.spent, stable)

    @property
    def holds(self) -> bool:
        """Tell whether steps must wait for this metric until it is known again."""
        return self.reason in {
            Reason.METRICS_UNAVAILABLE,
            Reason.METRIC_NOT_FOUND,
            Reason.VERSION_LABEL_MISSING,
            Reason.BOTH_ARMS_DEGRADED,
        }


@dataclass(frozen=True)
class Judgement:
    """The verdict of all gating metrics together.

    Attributes:
        cause: The metric that decided, None where the gate has nothing to judge.
    """

    verdict: Verdict
    reason: Reason
    message: str
    metrics: tuple[MetricVerdict, ...]
    cause: MetricVerdict | None = None


def percent(share: float | None) -> str:
    """Write a share for people, a dash for unknown."""
    return "-" if share is None else f"{100 * share:.1f}%"


def bar_of(metric: GateMetric) -> float:
    """Tell the bar of Threshold mode; what has none, which admission refuses, is never good."""
    return fraction(metric.minimum or "100%")


def counted(windows: Sequence[Window], gate: Gate) -> tuple[Window, ...]:
    """Keep the windows with enough candidate requests to be good or bad."""
    return tuple(one for one in windows if one.candidate.total >= gate.least_requests)


def kept(windows: Sequence[Window], gate: Gate) -> tuple[Window, ...]:
    """Keep what a verdict can still depend on, and the last window: the next begins at its end.

    Windows without enough requests are not kept, or rare traffic would push out those that count.
    """
    needed = counted(windows, gate)[-max(gate.bad_windows.of, gate.good_windows) :]
    if windows and windows[-1] not in needed[-1:]:
        needed = (*needed, windows[-1])
    return needed[-KEPT_WINDOWS:]


def judge_metric(
    metric: GateMetric, windows: Sequence[Window], blind: Blind | None, gate: Gate, since: float
) -> MetricVerdict:
    """Judge one metric.

    Args:
        metric: Which metric, its bar and what a regression does.
        windows: Closed windows, oldest first.
        blind: Set where the provider could not be read just now.
        gate: How many windows fail, how many pass, how many requests count.
        since: Unix seconds of the last weight change: only later windows can pass.
    """
    bar = bar_of(metric)
    known = counted(windows, gate)
    recent = known[-gate.bad_windows.of :]
    bad = [one for one in recent if _below(one.candidate, bar)]
    candidate, stable = _sum(recent)
    failing = len(bad) >= gate.bad_windows.count
    if failing:
        verdict, reason, message = _blame(metric, bad, recent, bar, gate)
    elif blind is not None:
        verdict, reason, message = Verdict.CONTINUE, blind.reason, blind.message
    else:
        verdict, reason, message = _safety(metric, known, len(bad), gate, since)
    return MetricVerdict(metric.name, verdict, reason, message, candidate, stable, metric.action)


def _below(counts: Counts, bar: float) -> bool:
    share = counts.share
    return share is not None and share < bar


def _sum(windows: Sequence[Window]) -> tuple[Counts, Counts]:
    nothing = Counts()
    return (
        sum((one.candidate for one in windows), nothing),
        sum((one.stable for one in windows), nothing),
    )


def _blame(
    metric: GateMetric,
    bad: Sequence[Window],
    recent: Sequence[Window],
    bar: float,
    gate: Gate,
) -> tuple[Verdict, Reason, str]:
    candidate, stable = _sum(bad)
    rule = (
        f"below {metric.minimum} in {len(bad)} of the last {len(recent)} windows of {gate.interval}"
    )
    values = (
        f"candidate {percent(candidate.share)} ({candidate.total:.0f} requests), "
        f"stable {percent(stable.share)} ({stable.total:.0f} requests) in the same windows"
    )
    if stable.share is None or stable.share < bar:
        why = "stable answered nothing to compare with" if stable.share is None else "both arms"
        message = f"{metric.name}: {why}; {values}; candidate {rule}, not blamed"
        return Verdict.CONTINUE, Reason.BOTH_ARMS_DEGRADED, message
    message = f"{metric.name}: {values}; candidate {rule} (fails at {gate.bad_windows.count})"
    return Verdict.FAIL, Reason.REGRESSED, message


def _safety(
    metric: GateMetric, known: Sequence[Window], bad: int, gate: Gate, since: float
) -> tuple[Verdict, Reason, str]:
    after = [one for one in known if one.start >= since][-gate.good_windows :]
    candidate, _ = _sum(after)
    streak = _good_at_the_end(after, bar_of(metric))
    if streak >= gate.good_windows:
        message = (
            f"{metric.name}: {percent(candidate.share)} of {candidate.total:.0f} requests, "
            f"at least {metric.minimum} in the last {gate.good_windows} windows of {gate.interval}"
        )
        return Verdict.PASS, Reason.SAFE, message
    message = (
        f"{metric.name}: {streak} of {gate.good_windows} good windows since the weight changed, "
        f"{bad} bad of the last {min(len(known), gate.bad_windows.of)}"
    )
    return Verdict.CONTINUE, Reason.TOO_FEW_REQUESTS, message


def _good_at_the_end(windows: Sequence[Window], bar: float) -> int:
    streak = 0
    for one in reversed(windows):
        if _below(one.candidate, bar):
            break
        streak += 1
    return streak


def judge(
    gate: Gate,
    ledger: Mapping[str, Sequence[Window]],
    blind: Mapping[str, Blind],
    since: float,
) -> Judgement:
    """Judge all metrics of a gate; the worst one decides, and all gating ones must pass."""
    verdicts = tuple(
        judge_metric(metric, ledger.get(metric.name, ()), blind.get(metric.name), gate, since)
        for metric in gate.metrics
    )
    gating = [one for one in verdicts if one.on_regression is not OnRegression.RECORD]
    cause = min(gating, key=_rank, default=None)
    if cause is None:
        message = "no metric decides, so nothing passes by itself"
        return Judgement(Verdict.CONTINUE, Reason.NOT_RUNNING, message, verdicts)
    if cause.verdict is Verdict.PASS:
        message = "; ".join(one.message for one in gating)
        return Judgement(Verdict.PASS, Reason.SAFE, message, verdicts)
    return Judgement(cause.verdict, cause.reason, cause.message, verdicts, cause)


def _rank(one: MetricVerdict) -> int:
    """Order metrics by who decides: what rolls back, what holds, what waits, what is safe."""
    if one.verdict is Verdict.FAIL:
        return 0 if one.on_regression is OnRegression.ROLLBACK else 1
    if one.holds:
        return 2
    return 3 if one.verdict is Verdict.CONTINUE else 4


def looks_healthy(gate: Gate, ledger: Mapping[str, Sequence[Window]], verdict: Judgement) -> bool:
    """Tell whether every gating metric was measured and the last look at each was good.

    Less than a pass: what ``onInconclusive: PromoteIfHealthy`` asks at the declared limit.
    """
    cause = verdict.cause
    if cause is not None and (cause.holds or cause.verdict is Verdict.FAIL):
        return False
    return all(
        _was_good(counted(ledger.get(one.name, ()), gate)[-1:], bar_of(one))
        for one in gate.metrics
        if one.action is not OnRegression.RECORD
    )


def _was_good(last: Sequence[Window], bar: float) -> bool:
    return any(not _below(one.candidate, bar) for one in last)
