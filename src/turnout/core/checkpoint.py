"""What of the evidence is written down, and when.

Windows close every few seconds and can be replayed from the provider, so they are written only
with something a person would see change, and otherwise at most every two minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from turnout.api.base import count
from turnout.api.rollout import AgentRolloutStatus, GateStatus, MetricStatus, Verdict
from turnout.api.rollout import Window as WireWindow
from turnout.api.strategy import Gate
from turnout.core.evidence import Evidence
from turnout.core.gates import Judgement, MetricVerdict, percent
from turnout.core.looks import Counts, Window
from turnout.core.patch import revised
from turnout.core.scale import FULL

EVERY = timedelta(minutes=2)


def restore(status: AgentRolloutStatus) -> dict[str, tuple[Window, ...]]:
    """Read the windows of the last checkpoint: where a restarted operator goes on from."""
    metrics = status.gate.metrics if status.gate else ()
    return {one.name: tuple(_read(window) for window in one.windows) for one in metrics}


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
    newest = max((one[-1].end for one in evidence.ledger.values() if one), default=0.0)
    written = known.last_look_at.timestamp() if known.last_look_at else 0.0
    return newest > written and now - (known.checkpointed_at or now - EVERY) >= EVERY


def _gate_status(evidence: Evidence, gate: Gate, now: datetime) -> GateStatus:
    bars = {metric.name: metric.minimum for metric in gate.metrics}
    ends = [windows[-1].end for windows in evidence.ledger.values() if windows]
    return GateStatus(
        verdict=evidence.verdict.verdict,
        metrics=tuple(
            _metric(one, bars[one.name], evidence.ledger) for one in evidence.verdict.metrics
        ),
        checkpointed_at=now,
        last_look_at=_moment(max(ends)) if ends else None,
        summary=summarise(evidence.verdict),
    )


def _metric(one: MetricVerdict, bar: str, ledger: Mapping[str, Sequence[Window]]) -> MetricStatus:
    return MetricStatus(
        name=one.name,
        verdict=one.verdict,
        candidate=percent(one.candidate.share),
        stable=percent(one.stable.share),
        candidate_requests=int(one.candidate.total),
        stable_requests=int(one.stable.total),
        bar=bar,
        windows=tuple(_written(window) for window in ledger.get(one.name, ())),
    )


def summarise(verdict: Judgement) -> str:
    """Say in a column's width what the gate says: the verdict, the metric, both values."""
    cause = verdict.cause
    if cause is None:
        shares = (f"{one.name} {percent(one.candidate.share)}" for one in verdict.metrics)
        return f"{verdict.verdict.value}: {', '.join(shares)}"
    if verdict.verdict is Verdict.CONTINUE and cause.candidate.share is None:
        return f"{verdict.verdict.value}: {cause.reason.value}"
    values = f"{percent(cause.candidate.share)} vs {percent(cause.stable.share)}"
    return f"{verdict.verdict.value}: {cause.name} {values}"
