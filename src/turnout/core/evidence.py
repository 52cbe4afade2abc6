"""Evidence of one rollout: the windows closed so far and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from turnout.api.base import VersionRef, seconds
from turnout.api.rollout import AgentRollout, Verdict
from turnout.api.strategy import Gate
from turnout.core.gates import Blind, Judgement, counted, judge, kept, looks_healthy
from turnout.core.looks import Cadence, Readings, Window, close_windows
from turnout.core.reasons import Reason
from turnout.core.world import World

FIRST = Judgement(
    Verdict.PASS, Reason.SAFE, "the first version has nothing to be judged against", ()
)


@dataclass(frozen=True)
class Evidence:
    """What a gate knows.

    Attributes:
        verdict: What it says now.
        ledger: Closed windows per metric, the newest ones.
        blind: Metrics that cannot be read, and why.
        healthy: Every gating metric has counted windows and none looks worse.
        last_counted: Unix seconds at which the last counted window ended; None before one did.
    """

    verdict: Judgement
    ledger: Mapping[str, tuple[Window, ...]]
    blind: Mapping[str, Blind] = field(default_factory=dict)
    healthy: bool = True
    last_counted: float | None = None


def evidence_starts(rollout: AgentRollout) -> float | None:
    """Tell from when requests count, in unix seconds; None while the candidate has had none.

    Requests of the warm-up after the first weight are nobody's verdict.
    """
    weights = rollout.status.weights
    first = weights.first_at if weights else None
    return None if first is None else first.timestamp() + seconds(rollout.spec.gate.warmup)


def take_evidence(
    world: World, rollout: AgentRollout, stable: VersionRef | None, since: datetime
) -> Evidence:
    """Close the windows that can be closed and judge them all."""
    gate = rollout.spec.gate
    if stable is None:
        return Evidence(FIRST, {})
    starts = evidence_starts(rollout)
    ledger: dict[str, tuple[Window, ...]] = {}
    blind: dict[str, Blind] = {}
    for metric in gate.metrics:
        known = world.ledger.get(metric.name, ())
        reading = world.readings.get(metric.name)
        if isinstance(reading, Blind):
            blind[metric.name] = reading
        elif reading is not None and starts is not None:
            more = _closed(world, rollout, stable, reading, known[-1].end if known else starts)
            if not more:
                _note_silence(blind, metric.name, reading, world, rollout)
            known += more
        ledger[metric.name] = kept(known, gate)
    changed = since.timestamp() + seconds(gate.warmup)
    verdict = judge(gate, ledger, blind, changed)
    return Evidence(
        verdict, ledger, blind, looks_healthy(gate, ledger, verdict), _last_counted(gate, ledger)
    )


def _closed(
    world: World,
    rollout: AgentRollout,
    stable: VersionRef,
    reading: Readings,
    since: float,
) -> tuple[Window, ...]:
    members = world.members(stable.version, rollout.spec.to.version)
    cadence = Cadence(seconds(rollout.spec.gate.interval), world.scrape)
    return close_windows(reading, members, since, world.now.timestamp(), cadence)


def _note_silence(
    blind: dict[str, Blind],
    metric: str,
    reading: Readings,
    world: World,
    rollout: AgentRollout,
) -> None:
    """Say so where the provider answers but has nothing fresh about the candidate."""
    pods = {pod.name: pod for pod in world.pods if pod.version == rollout.spec.to.version}
    newest = max(
        (one.samples[-1][0] for one in reading.total if one.pod in pods and one.samples),
        default=None,
    )
    limit = 3 * world.scrape + seconds(rollout.spec.gate.interval)
    late = world.now.timestamp() - limit
    if newest is not None and newest < late:
        at = datetime.fromtimestamp(newest, tz=UTC)
        message = f"{metric}: the candidate's newest sample is of {at:%H:%M:%S}Z"
        blind[metric] = Blind(Reason.METRICS_UNAVAILABLE, message)
    elif newest is None and any(pod.ready and pod.created < late for pod in pods.values()):
        message = f"{metric}: the provider has no such series for the candidate's pods"
        blind[metric] = Blind(Reason.METRIC_NOT_FOUND, message)


def _last_counted(gate: Gate, ledger: Mapping[str, tuple[Window, ...]]) -> float | None:
    ends = [one.end for windows in ledger.values() for one in counted(windows, gate)]
    return max(ends, default=None)
