"""Reading the counters that a gate looks at, from the provider that its administrator named."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from turnout.adapters.ports import SampleQuery
from turnout.adapters.ports import Series as Answer
from turnout.api.base import seconds
from turnout.api.metric import MetricTemplate, Selector
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import GateMetric
from turnout.core.gates import Blind
from turnout.core.looks import Readings, Series
from turnout.core.reasons import Reason
from turnout.core.world import Unread
from turnout.errors import MetricsUnavailable
from turnout.runtime.hub import Hub
from turnout.settings import MetricsProvider

LONGEST_LOOKBACK = timedelta(hours=2)
"""Evidence older than this is not replayed: the window that spans the gap begins there."""

Templates = Mapping[str, MetricTemplate | Unread]


@dataclass(frozen=True)
class Question:
    """What one look asks.

    Attributes:
        rollout: Whose gate it is.
        pods: Pods of both arms: nobody else's samples count.
        since: Where the oldest open window begins.
        now: Until when.
    """

    rollout: AgentRollout
    pods: tuple[str, ...]
    since: datetime
    now: datetime


@dataclass(frozen=True)
class _Pair:
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


class Gauge:
    """Reads a gate's metrics; every failure becomes a Blind that says what was asked."""

    def __init__(self, hub: Hub, providers: Mapping[str, MetricsProvider]) -> None:
        self._hub = hub
        self._providers = providers

    def scrape_interval(self, rollout: AgentRollout) -> float:
        """Give the provider's scrape interval in seconds, or a usual one for an unknown name."""
        provider = self._providers.get(rollout.spec.gate.provider)
        return (provider or MetricsProvider(url="http://unknown")).scrape_interval.total_seconds()

    async def read(self, question: Question, templates: Templates) -> dict[str, Readings | Blind]:
        """Read all metrics of a gate at once."""
        metrics = question.rollout.spec.gate.metrics
        found = await asyncio.gather(
            *(self._one(question, one, templates.get(one.template_ref.name)) for one in metrics)
        )
        return {metric.name: one for metric, one in zip(metrics, found, strict=True)}

    async def _one(
        self, question: Question, metric: GateMetric, template: MetricTemplate | Unread | None
    ) -> Readings | Blind:
        if not isinstance(template, MetricTemplate):
            why = template.message if template else "it does not exist in this namespace"
            message = f"{metric.name}: MetricTemplate {metric.template_ref.name}: {why}"
            return Blind(Reason.METRIC_NOT_FOUND, message)
        name = question.rollout.spec.gate.provider
        if name not in self._providers:
            message = f"{metric.name}: no metrics provider {name} is configured"
            return Blind(Reason.METRICS_UNAVAILABLE, message)
        try:
            pair = self._pair(question, metric, template)
            patience = timedelta(seconds=seconds(question.rollout.spec.gate.interval)) / 4
            if pair.is_one:
                total = await self._hub.samples(name, pair.total, patience)
                good: Sequence[Answer] = [one for one in total if pair.has_good(one)]
            else:
                good, total = await asyncio.gather(
                    *(self._hub.samples(name, one, patience) for one in (pair.good, pair.total))
                )
        except MetricsUnavailable as error:
            return Blind(Reason.METRICS_UNAVAILABLE, f"{metric.name}: {error}")
        return Readings(_series(good), _series(total))

    def _pair(self, question: Question, metric: GateMetric, template: MetricTemplate) -> _Pair:
        """Ask for good and total; of a histogram these are one bucket and the count."""
        spec = template.spec
        if spec.ratio is not None:
            good, total = spec.ratio.good, spec.ratio.total
            return _Pair(
                self._query(question, good, good.metric), self._query(question, total, total.metric)
            )
        if spec.histogram is None or metric.slower_than is None:
            message = f"MetricTemplate {template.metadata.name} does not fit a {metric.type} metric"
            raise MetricsUnavailable("TemplateMismatch", message)
        base = spec.histogram
        bound = seconds(metric.slower_than)
        return _Pair(
            self._query(question, base, f"{base.metric}_bucket", bound),
            self._query(question, base, f"{base.metric}_count"),
        )

    def _query(
        self, question: Question, selector: Selector, metric: str, bound: float | None = None
    ) -> SampleQuery:
        scrape = timedelta(seconds=self.scrape_interval(question.rollout))
        lookback = question.now - question.since + 3 * scrape
        return SampleQuery(
            metric=metric,
            namespaces=(question.rollout.metadata.namespace,),
            pods=question.pods,
            end=question.now,
            lookback=min(lookback, LONGEST_LOOKBACK),
            match_labels=dict(selector.match_labels),
            upper_bound=bound,
        )


def _series(answers: Sequence[Answer]) -> tuple[Series, ...]:
    return tuple(Series(one.pod, one.samples) for one in answers)
