"""How a version does: recorded when it is promoted, and what it is held to while it is stable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from turnout.api.base import count, fraction
from turnout.api.drift import Baseline, DriftState
from turnout.api.gate import GateMetric, OnRegression
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.api.version import AgentVersion
from turnout.core.content import Unresolved
from turnout.core.evidence import Evidence
from turnout.core.gates import Blind
from turnout.core.kill import stopped_by
from turnout.core.ledger import Entry
from turnout.core.looks import Counts
from turnout.core.measures import Measure, measure_of
from turnout.core.phase import has_ended
from turnout.core.profiles import options_of
from turnout.core.reasons import Reason
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.spending import Spending
from turnout.core.sequential.tally import Tally
from turnout.core.stable import stable_of
from turnout.core.watching import Plan, Subject
from turnout.core.way import way_of
from turnout.core.world import World

SHOWN: Final = 100.0
"""Requests by which a promotion shows how a version does; with fewer it is learned afterwards."""


def is_watched(world: World) -> bool:
    """Claim that stable is to be watched, at rest."""
    way = way_of(world)
    return not isinstance(way, Unresolved) and way[0].watch is not None


def plan_of(world: World) -> Plan | None:
    """Say what is to be watched; None where nothing is, or just now nobody is at rest."""
    way, stable = way_of(world), stable_of(world)
    if isinstance(way, Unresolved) or stable is None or not _is_at_rest(world):
        return None
    strategy, gate = way
    if strategy.watch is None:
        return None
    version, told = world.versions.get(stable.version), world.agent.status.drift
    known = {one.name: one for one in version.status.baseline} if version else {}
    states = told.metrics if told is not None and told.version == stable.version else ()
    model = world.agent.spec.model
    return Plan(
        stable,
        gate.provider,
        tuple(_subject(world, one, known) for one in gate.metrics if _is_watched_by(one)),
        frozenset(one.name for one in states if one.state is DriftState.DEGRADED),
        frozenset(one.name for one in states if one.state is DriftState.STEADY),
        None if model is None else model.provider,
    )


def _is_at_rest(world: World) -> bool:
    newest = world.rollouts[-1] if world.rollouts else None
    ended = newest is None or has_ended(newest.status.phase)
    return ended and world.agent.spec.replicas > 0 and stopped_by(world) is None


def _is_watched_by(metric: GateMetric) -> bool:
    """Claim that a metric decides."""
    return metric.action is not OnRegression.RECORD


def _subject(world: World, metric: GateMetric, known: Mapping[str, Baseline]) -> Subject:
    sources, baseline = _sources(world, metric), known.get(metric.name)
    if isinstance(sources, Blind):
        return Subject(metric.name, problem=sources)
    recorded = None
    if baseline is not None and baseline.reads in sources:
        recorded = Rate(float(baseline.good), float(baseline.total))
        sources = {baseline.reads: sources[baseline.reads]}
    allowed = metric.max_regression or metric.max_increase
    margin = None if allowed is None else fraction(allowed)
    return Subject(metric.name, sources, recorded, margin, is_cost=metric.max_increase is not None)


def _sources(world: World, metric: GateMetric) -> Mapping[str, Measure] | Blind:
    """Tell what may be read for a metric, in its order."""
    if metric.template_ref is None:
        return {_source(metric, one.name): one.measure for one in options_of(metric)}
    template = world.sources.templates.get(metric.template_ref.name)
    if not isinstance(template, MetricTemplate):
        why = template.message if template else "it does not exist in this namespace"
        message = f"{metric.name}: MetricTemplate {metric.template_ref.name}: {why}"
        return Blind(Reason.METRIC_NOT_FOUND, message)
    measure = measure_of(metric, template)
    if isinstance(measure, str):
        return Blind(Reason.METRIC_NOT_FOUND, f"{metric.name}: {measure}")
    return {_source(metric, None): measure}


def _source(metric: GateMetric, option: str | None) -> str:
    """Name what is read, so that a baseline of something else is told from it."""
    named = metric.template_ref.name if metric.template_ref else f"{metric.profile} {option}"
    return f"{named} slower than {metric.slower_than}" if metric.slower_than else named


def shown_by(
    rollout: AgentRollout, evidence: Evidence | None, world: World
) -> tuple[Baseline, ...]:
    """Record what the evidence of a promotion shows of the candidate."""
    if evidence is None or rollout.spec.strategy.watch is None:
        return ()
    known = ((one, evidence.ledger.get(one.name)) for one in rollout.spec.gate.metrics)
    found = (
        (metric, entry, _candidate(entry))
        for metric, entry in known
        if entry is not None and _is_watched_by(metric)
    )
    return tuple(
        Baseline(
            name=metric.name,
            reads=_source(metric, entry.matched),
            good=count(_good(counts, metric)),
            total=count(counts.total),
            recorded_at=world.now,
        )
        for metric, entry, counts in found
        if counts.total >= SHOWN
    )


def _good(counts: Counts, metric: GateMetric) -> float:
    """Give the good ones, which are no more than all; or an amount, which may be any."""
    return counts.good if metric.max_increase is not None else min(counts.good, counts.total)


def _candidate(entry: Entry) -> Counts:
    if isinstance(entry.tally, Tally | Spending):
        return entry.tally.candidate
    return sum((one.candidate for one in entry.windows), Counts())


def completed(world: World, version: AgentVersion) -> tuple[Baseline, ...]:
    """Add to what is recorded of stable what was learned of it since."""
    known, watching = version.status.baseline, world.watching
    if watching is None or watching.stable.digest != version.spec.digest:
        return known
    there = {one.name: one for one in known}
    learned = {one.name: one for one in _learned(world) if _is_new(there.get(one.name), one)}
    return tuple((there | learned).values()) if learned else known


def _is_new(known: Baseline | None, learned: Baseline) -> bool:
    return known is None or known.reads != learned.reads


def _learned(world: World) -> Iterator[Baseline]:
    watching = world.watching
    for name, one in watching.metrics.items() if watching is not None else ():
        if one.recorded is not None and one.reads is not None and one.looks > 0:
            yield Baseline(
                name=name,
                reads=one.reads,
                good=count(one.recorded.good),
                total=count(one.recorded.total),
                recorded_at=world.now,
            )
