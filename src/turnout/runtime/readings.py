"""Reading the counters that a gate looks at, from the provider that its administrator named."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from turnout.adapters.questions import Scope, pair_of
from turnout.api.base import seconds
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import GateMetric
from turnout.core.gates import Blind
from turnout.core.looks import Readings
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
            patience = timedelta(seconds=seconds(question.rollout.spec.gate.interval)) / 4
            pair = pair_of(metric, template, self._scope(question))
            return await pair.read(lambda query: self._hub.samples(name, query, patience))
        except MetricsUnavailable as error:
            return Blind(Reason.METRICS_UNAVAILABLE, f"{metric.name}: {error}")

    def _scope(self, question: Question) -> Scope:
        scrape = timedelta(seconds=self.scrape_interval(question.rollout))
        lookback = question.now - question.since + 3 * scrape
        return Scope(
            namespace=question.rollout.metadata.namespace,
            pods=question.pods,
            end=question.now,
            lookback=min(lookback, LONGEST_LOOKBACK),
        )
