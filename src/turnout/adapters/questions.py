"""What a gate's metric asks of a provider: good requests and all, by raw counters."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from turnout.adapters.ports import SampleQuery
from turnout.adapters.ports import Series as Answer
from turnout.api.base import seconds
from turnout.api.metric import MetricTemplate, Selector
from turnout.api.strategy import GateMetric
from turnout.core.looks import Readings, Series
from turnout.errors import MetricsUnavailable

Ask = Callable[[SampleQuery], Awaitable[Sequence[Answer]]]
"""Puts one question to whom it is for."""


@dataclass(frozen=True)
class Scope:
    """Whose samples are asked for, and of when.

    Attributes:
        pods: Names of the pods; None for all of the namespace.
        end: Last instant of the samples.
        lookback: How far back they reach.
    """

    namespace: str
    pods: tuple[str, ...] | None
    end: datetime
    lookback: timedelta

    def query(self, selector: Selector, metric: str, bound: float | None = None) -> SampleQuery:
        """Ask for the series of a selector under this name."""
        return SampleQuery(
            metric=metric,
            namespaces=(self.namespace,),
            pods=self.pods,
            end=self.end,
            lookback=self.lookback,
            match_labels=dict(selector.match_labels),
            upper_bound=bound,
        )


@dataclass(frozen=True)
class Pair:
    """The two questions of a metric."""

    good: SampleQuery
    total: SampleQuery

    @property
    def is_one(self) -> bool:
        """Claim that who asks for all is told of the good ones, too."""
        same = self.good.metric == self.total.metric
        every = self.total.match_labels.items() <= self.good.match_labels.items()
        return same and every and self.good.upper_bound == self.total.upper_bound

    def has_good(self, series: Answer) -> bool:
        """Claim that a series counts good ones: a label that it lacks is as good as empty."""
        wanted = self.good.match_labels.items()
        return all(series.labels.get(name, "") == value for name, value in wanted)

    async def read(self, ask: Ask) -> Readings:
        """Put both questions, or the one that answers both.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        if self.is_one:
            total = await ask(self.total)
            good: Sequence[Answer] = [one for one in total if self.has_good(one)]
        else:
            good, total = await asyncio.gather(ask(self.good), ask(self.total))
        return Readings(_series(good), _series(total))


def pair_of(metric: GateMetric, template: MetricTemplate, scope: Scope) -> Pair:
    """Ask for good and total; of a histogram these are one bucket and the count.

    Raises:
        MetricsUnavailable: The template is of another kind than the metric.
    """
    spec = template.spec
    if spec.ratio is not None:
        good, total = spec.ratio.good, spec.ratio.total
        return Pair(scope.query(good, good.metric), scope.query(total, total.metric))
    if spec.histogram is None or metric.slower_than is None:
        message = f"MetricTemplate {template.metadata.name} does not fit a {metric.type} metric"
        raise MetricsUnavailable("TemplateMismatch", message)
    base = spec.histogram
    return Pair(
        scope.query(base, f"{base.metric}_bucket", seconds(metric.slower_than)),
        scope.query(base, f"{base.metric}_count"),
    )


def _series(answers: Sequence[Answer]) -> tuple[Series, ...]:
    return tuple(Series(one.pod, one.samples) for one in answers)
