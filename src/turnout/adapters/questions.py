"""What a gate's metric asks of a provider, by raw counters, and what came of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from turnout.adapters.metrics import UNNAMED, SampleQuery
from turnout.adapters.metrics import Series as Answer
from turnout.api.metric import MetricTemplate
from turnout.api.strategy import GateMetric
from turnout.core.looks import Readings, Series
from turnout.core.measures import Counter, Measure, Sight, measure_of, sight_of
from turnout.errors import MetricsUnavailable

Ask = Callable[[SampleQuery], Awaitable[Sequence[Answer]]]
"""Puts one question to whom it is for."""

Names = tuple[str, ...] | None
"""Names whose series are asked for; None for all of the namespace."""


@dataclass(frozen=True)
class Scope:
    """Whose samples are asked for, and of when.

    Attributes:
        pods: Names of the pods.
        end: Last instant of the samples.
        lookback: How far back they reach.
        versions: Names of the versions, where series name no pods.
    """

    namespace: str
    pods: Names
    end: datetime
    lookback: timedelta
    versions: Names = None

    def query(self, counter: Counter, label: str | None, names: Names) -> SampleQuery:
        """Ask for a counter's series; where a label names versions, by it."""
        return SampleQuery(
            metric=counter.metric,
            namespaces=(self.namespace,),
            pods=names,
            end=self.end,
            lookback=self.lookback,
            match_labels=dict(counter.match_labels),
            upper_bound=counter.upper_bound,
            version_label=label,
        )


@dataclass(frozen=True)
class Pair:
    """The questions of a metric, mostly two."""

    measure: Measure
    scope: Scope

    async def read(self, ask: Ask) -> Readings:
        """Put all questions, or the one that answers all.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        first, total = self.measure.first, self.measure.total
        if total.includes(first):
            every = await ask(self._query(total))
            counted: Sequence[Answer] = [one for one in every if first.has(one.labels)]
        else:
            parts = (total, first, *self.measure.more)
            every, *told = await asyncio.gather(*(ask(self._query(one)) for one in parts))
            counted = [one for some in told for one in some]
        return Readings(_series(counted), _series(every), self.measure.says)

    async def sight(self, readings: Readings, ask: Ask) -> Sight:
        """Tell what was found; where that is nothing, look for series that name nobody.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        label, unnamed = self.measure.version_label, False
        if not readings.total:
            unnamed = bool(await ask(self.scope.query(self.measure.total, label, UNNAMED)))
        return sight_of(self.measure, readings, unnamed=unnamed)

    def _query(self, counter: Counter) -> SampleQuery:
        label = self.measure.version_label
        names = self.scope.pods if label is None else self.scope.versions
        return self.scope.query(counter, label, names)


def pair_of(metric: GateMetric, template: MetricTemplate, scope: Scope) -> Pair:
    """Ask what a metric reads by a template.

    Raises:
        MetricsUnavailable: The template is of another kind than the metric.
    """
    measure = measure_of(metric, template)
    if isinstance(measure, str):
        raise MetricsUnavailable("TemplateMismatch", measure)
    return Pair(measure, scope)


def _series(answers: Sequence[Answer]) -> tuple[Series, ...]:
    return tuple(Series(one.pod, one.samples) for one in answers)
