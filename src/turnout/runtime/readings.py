"""Reading the counters that a gate looks at, from the provider that its administrator named."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from turnout.adapters.documents import METRIC_TEMPLATE, Ref
from turnout.adapters.metrics import SampleQuery
from turnout.adapters.metrics import Series as Answer
from turnout.adapters.questions import Ask, Pair, Scope, pair_of
from turnout.api.base import seconds
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import GateMetric
from turnout.core.gates import Blind
from turnout.core.looks import Readings
from turnout.core.measures import Sight, sight_of, trusted
from turnout.core.profiles import chosen, options_of
from turnout.core.reasons import Reason
from turnout.core.world import Unread
from turnout.errors import MetricsUnavailable
from turnout.runtime.hub import Hub
from turnout.runtime.sightings import Sightings
from turnout.settings import MetricsProvider

LONGEST_LOOKBACK = timedelta(hours=2)
"""Evidence older than this is not replayed: the window that spans the gap begins there."""

SCRAPED_AFTER = 0.1
"""Seconds that a scrape mostly takes until it can be read; if it takes longer, it is waited for."""

Templates = Mapping[str, MetricTemplate | Unread]


@dataclass(frozen=True)
class Question:
    """What one look asks.

    Attributes:
        rollout: Whose gate it is.
        arms: Pods of each arm, by its version: nobody else's samples count.
        since: Where the oldest open window begins.
        now: Until when.
        chosen: Which of a profile's series were counted so far, by metric.
        patience: How much older than ``now`` an answer to others may be.
    """

    rollout: AgentRollout
    arms: Mapping[str, tuple[str, ...]]
    since: datetime
    now: datetime
    chosen: Mapping[str, str] = field(default_factory=dict)
    patience: timedelta = timedelta(0)

    @property
    def pods(self) -> tuple[str, ...]:
        """The pods of both arms."""
        return tuple(sorted(pod for pods in self.arms.values() for pod in pods))

    @property
    def stable(self) -> frozenset[str]:
        """Whose series are stable's: its version's, and its pods'."""
        candidate = self.rollout.spec.to.version
        others = ((version, *pods) for version, pods in self.arms.items() if version != candidate)
        return frozenset(name for names in others for name in names)


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

    def lag(self, rollout: AgentRollout) -> float:
        """Tell how long after the end of a gate's window its samples are there, in seconds.

        Pods are scraped each at its own moment, again and again at the same. Where that is not
        known a scrape interval is enough for all.
        """
        scrape = self.scrape_interval(rollout)
        phase = self._hub.phase(rollout.spec.gate.provider, scrape)
        if phase is None or seconds(rollout.spec.gate.interval) % scrape:
            return scrape
        tenth = scrape / 10
        return min(scrape, math.ceil((phase + SCRAPED_AFTER) / tenth) * tenth)

    async def read(self, question: Question, templates: Templates) -> dict[str, Readings | Blind]:
        """Read all metrics of a gate at once."""
        metrics = question.rollout.spec.gate.metrics
        if len(metrics) == 1:  # a task of its own would cost as much as the rest of a look
            return {metrics[0].name: await self._one(question, metrics[0], templates)}
        found = await asyncio.gather(*(self._one(question, one, templates) for one in metrics))
        return {metric.name: one for metric, one in zip(metrics, found, strict=True)}

    async def _one(
        self, question: Question, metric: GateMetric, templates: Templates
    ) -> Readings | Blind:
        name = question.rollout.spec.gate.provider
        if name not in self._providers:
            message = f"{metric.name}: no metrics provider {name} is configured"
            return Blind(Reason.METRICS_UNAVAILABLE, message)

        async def ask(query: SampleQuery) -> Sequence[Answer]:
            return await self._hub.samples(name, query, question.patience)

        try:
            if metric.template_ref is None:
                return await self._by_profile(question, metric, ask)
            template = templates.get(metric.template_ref.name)
            return await self._by_template(question, metric, template, ask)
        except MetricsUnavailable as error:
            return Blind(Reason.METRICS_UNAVAILABLE, f"{metric.name}: {error}")

    async def _by_template(
        self,
        question: Question,
        metric: GateMetric,
        template: MetricTemplate | Unread | None,
        ask: Ask,
    ) -> Readings | Blind:
        if not isinstance(template, MetricTemplate):
            why = template.message if template else "it does not exist in this namespace"
            name = metric.template_ref.name if metric.template_ref else ""
            return Blind(Reason.METRIC_NOT_FOUND, f"{metric.name}: MetricTemplate {name}: {why}")
        pair = pair_of(metric, template, self._scope(question))
        readings = await pair.read(ask)
        sight = await pair.sight(readings, ask)
        self._note(question, template, sight)
        return trusted(metric.name, readings, sight)

    async def _by_profile(
        self, question: Question, metric: GateMetric, ask: Ask
    ) -> Readings | Blind:
        """Read what was read before in this rollout, or the first that is there."""
        before = question.chosen.get(metric.name)
        counted = options_of(metric, question.rollout.spec.gate.count_by)
        options = [one for one in counted if before in (None, one.name)]
        if not options:
            message = (
                f"{metric.name}: the rollout began to read {before} of profile {metric.profile}, "
                "which this operator does not know: promote or abort it"
            )
            return Blind(Reason.METRIC_NOT_FOUND, message)
        pairs = [Pair(one.measure, self._scope(question)) for one in options]
        read = await asyncio.gather(*(one.read(ask) for one in pairs))
        choice = chosen(list(zip(options, read, strict=True)), question.stable)
        if choice is None:
            sights = await asyncio.gather(
                *(pair.sight(found, ask) for pair, found in zip(pairs, read, strict=True))
            )
            missing = (one for one in sights if one.reason is Reason.VERSION_LABEL_MISSING)
            return trusted(metric.name, read[0], next(missing, sights[0]))
        option, readings = choice
        sight = sight_of(option.measure, readings, unnamed=False)
        return trusted(metric.name, replace(readings, option=option.name), sight)

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
            versions=tuple(question.arms),
        )
