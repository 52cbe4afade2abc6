"""Reading the counters that a gate looks at, from the provider that its administrator named."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from turnout.adapters.documents import METRIC_TEMPLATE, Ref
from turnout.adapters.ports import SampleQuery
from turnout.adapters.ports import Series as Answer
from turnout.adapters.questions import Scope, pair_of
from turnout.api.base import seconds
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import GateMetric
from turnout.core.gates import Blind
from turnout.core.looks import Readings
from turnout.core.measures import Sight, trusted
from turnout.core.reasons import Reason
from turnout.core.world import Unread
from turnout.errors import MetricsUnavailable
from turnout.runtime.hub import Hub
from turnout.runtime.sightings import Sightings
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
        versions: The versions of both arms, where series name no pods.
        since: Where the oldest open window begins.
        now: Until when.
    """

    rollout: AgentRollout
    pods: tuple[str, ...]
    versions: tuple[str, ...]
    since: datetime
    now: datetime


class Gauge:
    """Reads a gate's metrics; every failure becomes a Blind that says what was asked.

    Attributes:
        sightings: What was found of the series of MetricTemplates.
    """

    def __init__(
        self, hub: Hub, providers: Mapping[str, MetricsProvider], sightings: Sightings
    ) -> None:
        self._hub = hub
        self._providers = providers
        self.sightings = sightings

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
        patience = timedelta(seconds=seconds(question.rollout.spec.gate.interval)) / 4

        async def ask(query: SampleQuery) -> Sequence[Answer]:
            return await self._hub.samples(name, query, patience)

        try:
            pair = pair_of(metric, template, self._scope(question))
            readings = await pair.read(ask)
            sight = await pair.sight(readings, ask)
        except MetricsUnavailable as error:
            return Blind(Reason.METRICS_UNAVAILABLE, f"{metric.name}: {error}")
        self._note(question, template, sight)
        return trusted(metric.name, readings, sight)

    def _note(self, question: Question, template: MetricTemplate, sight: Sight) -> None:
        where = question.rollout.metadata.namespace
        ref = Ref(METRIC_TEMPLATE, where, template.metadata.name)
        of_this = replace(sight, generation=template.metadata.generation)
        self.sightings.note(ref, question.rollout.spec.agent, of_this)

    def _scope(self, question: Question) -> Scope:
        scrape = timedelta(seconds=self.scrape_interval(question.rollout))
        lookback = question.now - question.since + 3 * scrape
        return Scope(
            namespace=question.rollout.metadata.namespace,
            pods=question.pods,
            end=question.now,
            lookback=min(lookback, LONGEST_LOOKBACK),
            versions=question.versions,
        )
