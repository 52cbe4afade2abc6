"""What of the evidence is written down, and when.

Windows close every few seconds and can be replayed from the provider, so they are written only
with something a person would see change, and otherwise at most every two minutes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from turnout.api.base import count
from turnout.api.rollout import AgentRolloutStatus, GateStatus, MetricStatus, Verdict
from turnout.api.rollout import Window as WireWindow
from turnout.api.strategy import Gate, GateMetric
from turnout.core.evidence import Evidence
from turnout.core.gates import Judgement, MetricVerdict, percent
from turnout.core.ledger import NOTHING, Entry, Ledger
from turnout.core.looks import Counts, Window
from turnout.core.patch import revised
from turnout.core.scale import FULL
from turnout.core.sequential.findings import Finding
from turnout.core.sequential.forecast import forecast, rounded
from turnout.core.sequential.record import read, written
from turnout.core.sequential.tally import Tally, Terms
from turnout.core.sequential.words import evidence as evidence_of
from turnout.core.sequential.words import points
from turnout.core.statistical import terms_of

EVERY = timedelta(minutes=2)


def restore(status: AgentRolloutStatus) -> dict[str, Entry]:
    """Read what the last checkpoint kept: where a restarted operator goes on from."""
    metrics = status.gate.metrics if status.gate else ()
    return {
        one.name: Entry(tuple(_read(window) for window in one.windows), _tally(one.checkpoint))
        for one in metrics
    }


def _tally(checkpoint: str | None) -> Tally | None:
    """Read evidence back; what cannot be read, as of another version, is gathered anew."""
    try:
        return read(json.loads(checkpoint or "{}"))
    except (KeyError, TypeError, ValueError):
        return None


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
    if known is not None and shown == seen and not moved and not _due(known, evidence, now):
        return after
    return revised(after, gate=_gate_status(evidence, gate, now))


def _due(known: GateStatus, evidence: Evidence, now: datetime) -> bool:
    """Tell whether new windows have waited for two minutes to be written."""
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
        summary=summarise(evidence.verdict),
    )


def _metric(gate: Gate, metric: GateMetric, one: MetricVerdict, entry: Entry) -> MetricStatus:
    candidate, stable = one.shares
    status = MetricStatus(
        name=one.name,
        verdict=one.verdict,
        candidate=percent(candidate),
        stable=percent(stable),
        candidate_requests=round(one.candidate.total),
        stable_requests=round(one.stable.total),
        bar=metric.minimum,
        windows=tuple(_written(window) for window in entry.windows),
    )
    if one.finding is None or entry.tally is None:
        return status
    return _with_evidence(status, one.finding, entry.tally, terms_of(gate, metric), gate)


def _with_evidence(
    status: MetricStatus, finding: Finding, tally: Tally, terms: Terms, gate: Gate
) -> MetricStatus:
    """Add what Statistical mode has to show, and what it goes on from."""
    ahead = None if finding.exceeds else forecast(tally, terms, gate.least_requests)
    return revised(
        status,
        bar=None if finding.margin is None else f"stable - {points(finding.margin)}%",
        measured_regression=None if finding.drop is None else f"{points(finding.drop)}%",
        evidence_worse=evidence_of(finding.worse),
        evidence_safe=evidence_of(finding.safe),
        more_requests_needed=None if ahead is None else rounded(ahead.requests),
        checkpoint=json.dumps(written(tally), separators=(",", ":")),
    )


def summarise(verdict: Judgement) -> str:
    """Say in a column's width what the gate says: the verdict, the metric, both values."""
    cause = verdict.cause
    if cause is None:
        shares = (f"{one.name} {percent(one.shares[0])}" for one in verdict.metrics)
        return f"{verdict.verdict.value}: {', '.join(shares)}"
    candidate, stable = cause.shares
    if verdict.verdict is Verdict.CONTINUE and candidate is None:
        return f"{verdict.verdict.value}: {cause.reason.value}"
    values = f"{percent(candidate)} vs {percent(stable)}"
    return f"{verdict.verdict.value}: {cause.name} {values}"
