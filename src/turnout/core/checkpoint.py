"""What of the evidence is written down, and when.

Windows close every few seconds and can be replayed from the provider, so they are written only
with something a person would see change, and otherwise at most every five minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from turnout.api.base import count, difference
from turnout.api.rollout import (
    AgentRolloutStatus,
    BudgetSpend,
    GateStatus,
    MetricStatus,
    Verdict,
)
from turnout.api.rollout import Window as WireWindow
from turnout.api.strategy import Gate, GateMetric
from turnout.core.evidence import Evidence
from turnout.core.excess import Excess, excess_of
from turnout.core.gates import Judgement, MetricVerdict
from turnout.core.ledger import NOTHING, Entry, Ledger
from turnout.core.looks import Counts, Window
from turnout.core.patch import revised
from turnout.core.profiles import option_named
from turnout.core.scale import FULL
from turnout.core.sequential.findings import Finding
from turnout.core.sequential.forecast import forecast, rounded
from turnout.core.sequential.record import read, read_spending, written, written_spending
from turnout.core.sequential.spending import Spending
from turnout.core.sequential.tally import Tally
from turnout.core.sequential.words import evidence as evidence_of
from turnout.core.sequential.words import factor, points
from turnout.core.spend import Spend
from turnout.core.statistical import terms_of

EVERY = timedelta(minutes=5)


def restore(status: AgentRolloutStatus) -> dict[str, Entry]:
    """Read what the last checkpoint kept: where a restarted operator goes on from."""
    metrics = status.gate.metrics if status.gate else ()
    return {
        one.name: Entry(
            tuple(_read(window) for window in one.windows),
            _tally(one.checkpoint),
            _excess(one),
            one.matched,
        )
        for one in metrics
    }


def _tally(checkpoint: str | None) -> Tally | Spending | None:
    """Read evidence back; what cannot be read, as of another version, is gathered anew."""
    try:
        document = json.loads(checkpoint or "{}")
        return read_spending(document) if "drifts" in document else read(document)
    except (KeyError, TypeError, ValueError):
        return None


def _excess(status: MetricStatus) -> Excess | None:
    """Read back how many more failed; a record of before this was counted has none."""
    if status.extra_failures is None:
        return None
    block = None if status.uncompared is None else _read(status.uncompared)
    return excess_of(float(status.extra_failures), block)


def _read(window: WireWindow) -> Window:
    return Window(
        window.starts_at.timestamp(),
        window.ends_at.timestamp(),
        Counts(float(window.candidate_good), float(window.candidate_total)),
        Counts(float(window.stable_good), float(window.stable_total)),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _written(window: Window) -> WireWindow:
    return WireWindow(
        starts_at=_moment(window.start),
        ends_at=_moment(window.end),
        candidate_good=count(window.candidate.good),
        candidate_total=count(window.candidate.total),
        stable_good=count(window.stable.good),
        stable_total=count(window.stable.total),
    )


def checkpoint(
    before: AgentRolloutStatus,
    after: AgentRolloutStatus,
    evidence: Evidence,
    gate: Gate,
    now: datetime,
) -> AgentRolloutStatus:
    """Write the evidence into a record if it is due or something visible changed.

    Once all traffic is decided, the evidence that decided it stays: only a Fail comes after it.
    """
    decided = before.weights is not None and before.weights.desired == FULL
    if not evidence.verdict.metrics or (decided and evidence.verdict.verdict is not Verdict.FAIL):
        return after
    known = before.gate
    shown = (known.verdict, *(one.verdict for one in known.metrics)) if known else None
    seen = (evidence.verdict.verdict, *(one.verdict for one in evidence.verdict.metrics))
    moved = (before.phase, before.reason, before.step) != (after.phase, after.reason, after.step)
    if known is not None and shown == seen and not moved and not is_due(known, evidence, now):
        return after
    return revised(after, gate=_gate_status(evidence, gate, now))


def is_due(known: GateStatus, evidence: Evidence, now: datetime) -> bool:
    """Claim that new windows have waited for five minutes to be written."""
    newest = _newest(evidence.ledger) or 0.0
    written = known.last_look_at.timestamp() if known.last_look_at else 0.0
    return newest > written and now - (known.checkpointed_at or now - EVERY) >= EVERY


def _newest(ledger: Ledger) -> float | None:
    return max((one.end for one in ledger.values() if one.end is not None), default=None)


def _gate_status(evidence: Evidence, gate: Gate, now: datetime) -> GateStatus:
    metrics = {metric.name: metric for metric in gate.metrics}
    newest = _newest(evidence.ledger)
    return GateStatus(
        verdict=evidence.verdict.verdict,
        metrics=tuple(
            _metric(gate, metrics[one.name], one, evidence.ledger.get(one.name, NOTHING))
            for one in evidence.verdict.metrics
        ),
        checkpointed_at=now,
        last_look_at=None if newest is None else _moment(newest),
        budget=tuple(_budget(one) for one in evidence.spends),
        summary=summarise(evidence.verdict),
        split=None if evidence.split is None else evidence.split.said,
    )


def _metric(gate: Gate, metric: GateMetric, one: MetricVerdict, entry: Entry) -> MetricStatus:
    candidate, stable = one.values
    option = option_named(metric, entry.matched)
    status = MetricStatus(
        name=one.name,
        verdict=one.verdict,
        candidate=candidate,
        stable=stable,
        candidate_requests=round(one.candidate.total),
        stable_requests=round(one.stable.total),
        bar=metric.minimum,
        matched=entry.matched,
        unit=None if entry.unit is None else entry.unit.value,
        reads=None if option is None else option.said,
        windows=tuple(_written(window) for window in entry.windows),
    )
    status = _with_excess(status, entry.excess)
    if one.finding is None or entry.tally is None:
        return status
    shown = _with_evidence(status, one.finding)
    if isinstance(entry.tally, Spending):
        return revised(shown, checkpoint=_compact(written_spending(entry.tally)))
    kept = _compact(written(entry.tally))
    shown = revised(shown, noise=factor(entry.tally.noise))
    if one.finding.exceeds:
        return revised(shown, checkpoint=kept)
    ahead = forecast(entry.tally, terms_of(gate, metric), gate.least_requests)
    more = None if ahead is None else rounded(ahead.requests)
    return revised(shown, checkpoint=kept, more_requests_needed=more)


def _with_excess(status: MetricStatus, excess: Excess | None) -> MetricStatus:
    """Add the failures that stable would not have had, and what they go on from."""
    if excess is None:
        return status
    block = None if excess.block is None else _written(excess.block)
    return revised(status, extra_failures=difference(excess.failures), uncompared=block)


def _budget(spend: Spend) -> BudgetSpend:
    return BudgetSpend(
        objective=spend.objective.name,
        metric=spend.metric.name,
        failures=count(spend.failures),
        allowed=count(spend.allowed),
        spent=f"{100 * min(1.0, spend.share):.2f}%",
    )


def _with_evidence(status: MetricStatus, finding: Finding) -> MetricStatus:
    """Add what Statistical mode has to show."""
    sign = "+" if finding.spent else "-"
    return revised(
        status,
        bar=None if finding.margin is None else f"stable {sign} {points(finding.margin)}%",
        measured_regression=None if finding.drop is None else f"{points(finding.drop)}%",
        evidence_worse=evidence_of(finding.worse),
        evidence_safe=evidence_of(finding.safe),
    )


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def summarise(verdict: Judgement) -> str:
    """Say in a column's width what the gate says: the verdict, the metric, both values."""
    cause = verdict.cause
    if cause is None:
        values = (f"{one.name} {one.values[0]}" for one in verdict.metrics)
        return f"{verdict.verdict.value}: {', '.join(values)}"
    if verdict.verdict is Verdict.CONTINUE and cause.shares[0] is None:
        return f"{verdict.verdict.value}: {cause.reason.value}"
    candidate, stable = cause.values
    return f"{verdict.verdict.value}: {cause.name} {candidate} vs {stable}"
