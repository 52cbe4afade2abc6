"""Evidence of one rollout: the windows closed so far and the verdict on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from turnout.api.base import VersionRef, seconds
from turnout.api.rollout import AgentRollout, Verdict
from turnout.api.strategy import Gate, GateMetric, GateMetricType, OnRegression
from turnout.core.excess import Excess
from turnout.core.gates import Blind, Judgement, counted, judge, kept, looks_healthy
from turnout.core.ledger import NOTHING, Entry, Ledger, since_change
from turnout.core.looks import Readings, Window, close_windows
from turnout.core.reasons import Reason
from turnout.core.spend import Spend, spends_of
from turnout.core.splits import Split, split_of
from turnout.core.statistical import Progress, followed, judge_evidence, last_asked
from turnout.core.units import unit_of
from turnout.core.world import World

FIRST = Judgement(
    Verdict.PASS, Reason.SAFE, "the first version has nothing to be judged against", ()
)


@dataclass(frozen=True)
class Evidence:
    """What a gate knows.

    Attributes:
        verdict: What it says now.
        ledger: What is kept of each metric's looks.
        blind: Metrics that cannot be read, and why.
        healthy: Every gating metric has counted windows and none looks worse.
        last_counted: Unix seconds at which the last counted window ended; None before one did.
        rise: What a higher weight waits for; None where it may rise.
        lacking: What a Pass waits for.
        split: How requests are split at the present weight, where that can be told.
        proved: Metrics by each of which alone the candidate is proved worse, by however little.
        spends: What the rollout has used up of error budgets.
    """

    verdict: Judgement
    ledger: Ledger
    blind: Mapping[str, Blind] = field(default_factory=dict)
    healthy: bool = True
    last_counted: float | None = None
    rise: str | None = None
    lacking: str = ""
    split: Split | None = None
    proved: frozenset[str] = frozenset()
    spends: tuple[Spend, ...] = ()


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
    if stable is None:
        return Evidence(FIRST, {})
    gate = rollout.spec.gate
    changed = since.timestamp() + seconds(gate.warmup)
    ledger: dict[str, Entry] = {}
    blind: dict[str, Blind] = {}
    for metric in gate.metrics:
        known = world.ledger.get(metric.name, NOTHING)
        more = _new_windows(world, rollout, stable, metric.name, blind)
        entry = _kept(gate, metric, known, more, changed)
        matched = _matched(world, metric, known, more)
        unit = unit_of(metric, matched, world.sources.templates)
        excess = _excess(metric, known, more)
        ledger[metric.name] = replace(entry, matched=matched, unit=unit, excess=excess)
    spends = spends_of(world, rollout, ledger)
    if gate.is_statistical:
        evidence = _by_evidence(rollout, ledger, blind, changed)
        split = split_of(world, rollout, ledger, changed)
        return replace(evidence, split=split, spends=spends)
    return replace(_by_bar(gate, ledger, blind, changed), spends=spends)


def _new_windows(
    world: World,
    rollout: AgentRollout,
    stable: VersionRef,
    metric: str,
    blind: dict[str, Blind],
) -> tuple[Window, ...]:
    """Close a metric's windows; where that is not possible, note why."""
    reading, starts = world.readings.get(metric), evidence_starts(rollout)
    if isinstance(reading, Blind):
        blind[metric] = reading
        return ()
    if reading is None or starts is None:
        return ()
    end = world.ledger.get(metric, NOTHING).end
    more = _closed(world, rollout, stable, reading, starts if end is None else end)
    if not more:
        _note_silence(blind, metric, reading, world, rollout)
    return more


def _matched(
    world: World, metric: GateMetric, known: Entry, more: tuple[Window, ...]
) -> str | None:
    """Tell which series of a profile are counted: evidence of two is never put together."""
    reading = world.readings.get(metric.name)
    if known.matched is not None or not more or not isinstance(reading, Readings):
        return known.matched
    return reading.option or None


def _excess(metric: GateMetric, known: Entry, more: tuple[Window, ...]) -> Excess | None:
    """Take new windows in; a cost has no failures."""
    if metric.type is GateMetricType.COST_PER_SUCCESS:
        return None
    excess = known.excess or Excess()
    for window in more:
        excess = excess.with_window(window)
    return excess


def _kept(
    gate: Gate, metric: GateMetric, known: Entry, more: tuple[Window, ...], changed: float
) -> Entry:
    """Keep what the next look goes on from, and all that a verdict can depend on."""
    windows = known.windows + more
    if not gate.is_statistical:
        return Entry(kept(windows, gate))
    return Entry(since_change(windows, changed), followed(gate, metric, known, more))


def _by_bar(gate: Gate, ledger: Ledger, blind: Mapping[str, Blind], changed: float) -> Evidence:
    windows = {name: entry.windows for name, entry in ledger.items()}
    verdict = judge(gate, windows, blind, changed)
    metric = verdict.cause.name if verdict.cause else "the gate"
    lacking = (
        f"{metric}: {gate.good_windows} good windows of {gate.interval} in a row, "
        f"each with {gate.least_requests} requests"
    )
    return Evidence(
        verdict,
        ledger,
        blind,
        looks_healthy(gate, windows, verdict),
        _last_counted(gate, windows),
        None if verdict.verdict is Verdict.PASS else lacking,
        lacking,
    )


def _by_evidence(
    rollout: AgentRollout, ledger: Ledger, blind: Mapping[str, Blind], changed: float
) -> Evidence:
    gate, status = rollout.spec.gate, rollout.status
    before = status.gate.verdict if status.gate else Verdict.CONTINUE
    ruling = judge_evidence(
        gate, ledger, blind, Progress(evidence_starts(rollout) or changed, changed, before)
    )
    deciding = (one.name for one in gate.metrics if one.action is not OnRegression.RECORD)
    return Evidence(
        ruling.verdict,
        ledger,
        blind,
        ruling.healthy,
        last_asked(ledger),
        ruling.rise,
        f"{', '.join(deciding)}: evidence that the candidate is not worse than allowed",
        proved=ruling.proved,
    )


def _closed(
    world: World,
    rollout: AgentRollout,
    stable: VersionRef,
    reading: Readings,
    since: float,
) -> tuple[Window, ...]:
    members = world.members(stable.version, rollout.spec.to.version)
    cadence = world.cadence(seconds(rollout.spec.gate.interval))
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
    names = {*pods, rollout.spec.to.version}
    newest = max(
        (one.samples[-1][0] for one in reading.total if one.pod in names and one.samples),
        default=None,
    )
    limit = 3 * world.scrape + seconds(rollout.spec.gate.interval)
    late = world.now.timestamp() - limit
    if newest is not None and newest < late:
        at = datetime.fromtimestamp(newest, tz=UTC)
        message = f"{metric}: the candidate's newest sample is of {at:%H:%M:%S}Z"
        blind[metric] = Blind(Reason.METRICS_UNAVAILABLE, message)
    elif newest is None and any(pod.ready and pod.created < late for pod in pods.values()):
        message = f"{metric}: the provider has no such series of the candidate's pods"
        blind[metric] = Blind(Reason.METRIC_NOT_FOUND, message)


def _last_counted(gate: Gate, ledger: Mapping[str, tuple[Window, ...]]) -> float | None:
    ends = [one.end for windows in ledger.values() for one in counted(windows, gate)]
    return max(ends, default=None)
