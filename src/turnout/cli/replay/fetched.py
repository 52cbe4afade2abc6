"""Looks of past rollouts, counted again from a Prometheus that still has their samples."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from turnout.adapters.metrics import Metrics, SampleQuery, Series
from turnout.adapters.questions import Pair, Scope
from turnout.api.base import seconds
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import GateMetric, GateMetricType
from turnout.cli.replay.gatefile import NOT_COUNTED, MetricType
from turnout.cli.replay.recorded import Look
from turnout.core.gates import Blind
from turnout.core.looks import ArmRole, Cadence, Member, Readings, Window, close_windows
from turnout.core.measures import Measure, measure_of, sight_of, trusted
from turnout.core.profiles import option_named
from turnout.errors import MetricsUnavailable

PROVIDER: Final = "prometheus"
"""The only provider that a person names."""

PIECE: Final = 1800.0
"""Seconds of samples that are asked for at once."""

_POD: Final = re.compile(r"[a-z0-9]{1,10}-?[a-z0-9]{5}")
"""What a Deployment's pod has after the Deployment's name: its template's hash, then chance."""


@dataclass(frozen=True)
class Skipped:
    """A rollout, or a metric of it, that has no looks, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Past:
    """A rollout of which the time with two versions is known.

    Attributes:
        start: Unix seconds from which on requests counted.
        end: Unix seconds at which it was over.
    """

    rollout: AgentRollout
    start: float
    end: float

    def member(self, pod: str, created: float) -> Member | None:
        """Tell for whom a pod answered, by its name; None where it is another's.

        Where series name versions and no pods, a version's own name stands for all its pods.
        """
        spec = self.rollout.spec
        stable = spec.from_.version if spec.from_ is not None else None
        for version, role in ((stable, ArmRole.STABLE), (spec.to.version, ArmRole.CANDIDATE)):
            begin = f"{version}-"
            own = pod.startswith(begin) and _POD.fullmatch(pod.removeprefix(begin))
            if own or pod == version:
                return Member(role, created)
        return None


def past_of(rollout: AgentRollout, now: datetime) -> Past | Skipped:
    """Tell from when to when a rollout compared two versions."""
    weights, name = rollout.status.weights, rollout.metadata.name
    if rollout.spec.from_ is None:
        return Skipped(name, "it was the first one: nothing served beside it")
    if weights is None or weights.first_at is None:
        return Skipped(name, "its candidate never had traffic")
    start = weights.first_at.timestamp() + seconds(rollout.spec.gate.warmup)
    return Past(rollout, start, (rollout.status.finished_at or now).timestamp())


@dataclass(frozen=True)
class Archive:
    """What is asked: the provider, how often it scrapes (seconds), and which series."""

    metrics: Metrics
    scrape: float
    templates: Mapping[str, MetricTemplate]

    async def looks(self, rollout: AgentRollout, now: datetime) -> AsyncIterator[Look | Skipped]:
        """Give the looks of a rollout, metric after metric, each in the order of time.

        Raises:
            MetricsUnavailable: The provider does not answer, or not what can be trusted.
        """
        past, name = past_of(rollout, now), rollout.metadata.name
        if isinstance(past, Skipped):
            yield past
            return
        for metric in rollout.spec.gate.metrics:
            found = await self._metric(past, metric)
            if isinstance(found, str):
                yield Skipped(f"{name}, metric {metric.name}", found)
                continue
            for one in found:
                yield _look(name, metric, one)

    async def _metric(self, past: Past, metric: GateMetric) -> Sequence[Window] | str:
        """Give the windows of one metric, or say why there are none."""
        if metric.type is GateMetricType.COST_PER_SUCCESS:
            return NOT_COUNTED[MetricType.COST_PER_SUCCESS]
        measure = self._measure(past.rollout, metric)
        if isinstance(measure, str):
            return measure
        windows = await self._windows(past, metric, measure)
        return windows or "the provider has no such samples of its pods at that time"

    def _measure(self, rollout: AgentRollout, metric: GateMetric) -> Measure | str:
        """Tell what was read, or why that is not known."""
        if metric.template_ref is None:
            told = rollout.status.gate.metrics if rollout.status.gate else ()
            matched = next((one.matched for one in told if one.name == metric.name), None)
            option = option_named(metric, matched)
            unknown = f"its record does not tell which series of profile {metric.profile} it read"
            return unknown if option is None else option.measure
        template = self.templates.get(metric.template_ref.name)
        if template is None:
            return f"MetricTemplate {metric.template_ref.name} is gone"
        return measure_of(metric, template)

    async def _windows(self, past: Past, metric: GateMetric, measure: Measure) -> Sequence[Window]:
        """Close windows as the operator did, a piece of the time after the other."""
        cadence = Cadence(seconds(past.rollout.spec.gate.interval), self.scrape)
        closed: list[Window] = []
        since, until, born = past.start, past.start, dict[str, float]()
        while until < past.end:
            until = min(past.end, until + max(PIECE, 2 * cadence.interval))
            readings = await self._readings(past, metric, measure, (since, until))
            members = _members(past, readings, born, since)
            closed += close_windows(readings, members, since, until + self.scrape, cadence)
            since = closed[-1].end if closed else past.start
        return [one for one in closed if one.end <= past.end]

    async def _readings(
        self, past: Past, metric: GateMetric, measure: Measure, span: tuple[float, float]
    ) -> Readings:
        lookback = span[1] - span[0] + 4 * self.scrape
        end = datetime.fromtimestamp(span[1] + self.scrape, UTC)
        namespace = past.rollout.metadata.namespace
        scope = Scope(namespace, None, end, timedelta(seconds=lookback))

        async def ask(query: SampleQuery) -> Sequence[Series]:
            return list(_believed(past, await self.metrics.samples(PROVIDER, query)))

        readings = await Pair(measure, scope).read(ask)
        found = trusted(metric.name, readings, sight_of(measure, readings, unnamed=False))
        if isinstance(found, Blind):
            raise MetricsUnavailable(found.reason, found.message)
        return found


def _believed(past: Past, found: Iterable[Series]) -> Iterator[Series]:
    """Keep the series of the rollout's own pods.

    Raises:
        MetricsUnavailable: One of them says that it is another's.
    """
    for one in found:
        if past.member(one.pod, 0.0) is None:
            continue
        if one.problem is not None:
            raise MetricsUnavailable("Malformed", one.problem)
        yield one


def _members(
    past: Past, readings: Readings, born: dict[str, float], since: float
) -> dict[str, Member]:
    """Tell whose pods are whose; one whose samples begin in this time is as young as they are."""
    for one in (*readings.total, *readings.good):
        if one.samples:
            first = one.samples[0][0]
            born[one.pod] = min(born.get(one.pod, math.inf), first if first > since else -math.inf)
    found = ((pod, past.member(pod, at)) for pod, at in born.items())
    return {pod: member for pod, member in found if member is not None}


def _look(stream: str, metric: GateMetric, window: Window) -> Look:
    at = datetime.fromtimestamp(window.end, UTC)
    return Look(
        stream,
        at.isoformat().replace("+00:00", "Z"),
        window.end,
        metric.name,
        window.candidate,
        window.stable,
    )
