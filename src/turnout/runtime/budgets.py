"""What whole services answered, asked for once a minute for all Agents that have objectives.

Every look at an Agent says what is to be known of it. Each distinct question is asked once for all,
whoever looks when, and an Agent is woken only where the answers are news.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from turnout.adapters.documents import Ref
from turnout.adapters.metrics import ServiceMetrics
from turnout.adapters.ports import Clock
from turnout.api.base import as_timedelta
from turnout.api.metric import MetricTemplate, MetricTemplateSpec
from turnout.api.objectives import Objective, ObjectiveStatus
from turnout.core.budget import Spending
from turnout.core.gates import Blind
from turnout.core.looks import Counts, Says
from turnout.core.measures import promised_share
from turnout.core.objectives import Pledge, kept, pledges
from turnout.core.reasons import Reason
from turnout.core.world import Unread, World
from turnout.errors import MetricsUnavailable
from turnout.runtime.budget_series import BudgetSeries
from turnout.runtime.growth import Answer, Growths, Question, namespaces_by, questions, together
from turnout.runtime.store import Refs

SOONEST: Final = timedelta(minutes=1)
LATEST: Final = timedelta(minutes=10)
"""Pauses between two askings of a question: a sixtieth of its window, within these."""

GATHERING: Final = 0.2
"""Seconds that a new question waits for others."""


@dataclass(frozen=True)
class _Question:
    """How a counter grew in a window, whoever asks it."""

    growth: Question
    window: str

    @property
    def pause(self) -> timedelta:
        return min(LATEST, max(SOONEST, as_timedelta(self.window) / 60))


@dataclass(frozen=True)
class _Pair:
    """What is asked of one window: some requests and all; the some are good ones, or bad ones."""

    some: _Question
    all: _Question
    are_bad: bool

    def counts(self, some: float, every: float) -> Counts:
        return Counts(every - some if self.are_bad else some, every)


@dataclass(frozen=True)
class _Asker:
    """An Agent, and the questions about each of its objectives by window."""

    pledges: tuple[Pledge, ...]
    pairs: Mapping[str, Mapping[str, _Pair | Blind]]

    def questions(self) -> Iterator[_Question]:
        for one in chain.from_iterable(windows.values() for windows in self.pairs.values()):
            if isinstance(one, _Pair):
                yield from (one.some, one.all)


@dataclass
class _Topic:
    """A question's newest answer, and for which namespaces it was asked."""

    asked_at: datetime
    namespaces: frozenset[str] = frozenset()
    answer: Answer = field(default_factory=dict)


class Budgets:
    """Knows how far the budgets of all Agents' objectives are used up."""

    def __init__(
        self,
        metrics: ServiceMetrics,
        clock: Clock,
        series: BudgetSeries,
        *,
        wake: Callable[[Refs], None],
    ) -> None:
        self._growths = Growths(metrics)
        self._clock = clock
        self._series = series
        self._wake = wake
        self._askers: dict[Ref, _Asker] = {}
        self._topics: dict[_Question, _Topic] = {}
        self._told: dict[Ref, tuple[ObjectiveStatus, ...]] = {}
        self._is_new = asyncio.Event()

    def attend(self, ref: Ref, world: World) -> Mapping[str, Spending]:
        """Hear what is to be known of an Agent; returns what is, by objective."""
        promised = pledges(world)
        if not promised:
            self.forget(ref)
            return {}
        templates = world.sources.templates
        asker = _Asker(
            promised,
            {
                one.objective.name: _pairs(one, templates.get(one.objective.metric))
                for one in promised
            },
        )
        if self._askers.get(ref) != asker:
            self._askers[ref] = asker
            self._is_new.set()
        found = self.spendings(ref)
        self._told[ref] = _kept(asker, found, world.agent.status.objectives, world.now)
        return found

    def spendings(self, ref: Ref) -> Mapping[str, Spending]:
        """Give what is known of an Agent that was attended to, by objective."""
        asker = self._askers.get(ref)
        if asker is None:
            return {}
        return {name: self._spending(ref, one) for name, one in asker.pairs.items()}

    def forget(self, ref: Ref) -> None:
        """Drop an Agent that is gone or has no objectives."""
        self._askers.pop(ref, None)
        self._told.pop(ref, None)
        self._series.forget(ref)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            pause = await self._ask_due()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._is_new.wait()
            await asyncio.sleep(GATHERING)
            self._is_new.clear()

    async def _ask_due(self) -> float:
        """Ask what is due; returns in how many seconds more is."""
        wanted = namespaces_by((ref, one.questions()) for ref, one in self._askers.items())
        self._topics = {one: topic for one, topic in self._topics.items() if one in wanted}
        now = self._clock.now()
        due = [one for one, names in wanted.items() if self._is_due(one, names, now)]
        await asyncio.gather(*(self._ask(one, wanted[one], now) for one in due))
        if due:
            self._wake(frozenset(self._with_news()))
        times = (topic.asked_at + one.pause for one, topic in self._topics.items())
        soonest = min(times, default=now + LATEST)
        return max(1.0, (soonest - self._clock.now()).total_seconds())

    def _is_due(self, question: _Question, names: frozenset[str], now: datetime) -> bool:
        topic = self._topics.get(question)
        if topic is None or not names <= topic.namespaces:
            return True
        failed = isinstance(topic.answer, MetricsUnavailable)
        return now >= topic.asked_at + (SOONEST if failed else question.pause)

    async def _ask(self, question: _Question, names: frozenset[str], now: datetime) -> None:
        window = as_timedelta(question.window)
        answer = await self._growths.ask(question.growth, names, now, window)
        self._topics[question] = _Topic(now, names, answer)

    def _with_news(self) -> Iterator[Ref]:
        """Tell the metrics, and name the Agents of which something else would be told now."""
        now = self._clock.now()
        for ref, asker in self._askers.items():
            told, found = self._told.get(ref, ()), self.spendings(ref)
            self._series.tell(ref, asker.pledges, found, now)
            if _kept(asker, found, told, now) != told:
                yield ref

    def _spending(self, ref: Ref, windows: Mapping[str, _Pair | Blind]) -> Spending:
        found = {window: self._counts(ref, pair) for window, pair in windows.items()}
        return {window: one for window, one in found.items() if one is not None}

    def _counts(self, ref: Ref, pair: _Pair | Blind) -> Counts | Blind | None:
        if isinstance(pair, Blind):
            return pair
        topics = [self._topics.get(one) for one in (pair.some, pair.all)]
        some, every = (
            one.answer if one is not None and ref.namespace in one.namespaces else None
            for one in topics
        )
        both = together(some, every)
        if both is None or isinstance(both, Blind):
            return both
        counted, total = both
        whose = ref.namespace, ref.name
        if whose not in total:
            message = f"{pair.all.growth.provider} has no such series of the agent's pods"
            return Blind(Reason.METRIC_NOT_FOUND, message)
        return pair.counts(counted.get(whose, 0.0), total[whose])


def _kept(
    asker: _Asker,
    spendings: Mapping[str, Spending],
    before: Iterable[ObjectiveStatus],
    now: datetime,
) -> tuple[ObjectiveStatus, ...]:
    known = {one.name: one for one in before}
    return tuple(
        kept(one, spendings[one.objective.name], known.get(one.objective.name), now)
        for one in asker.pledges
    )


def _pairs(pledge: Pledge, template: MetricTemplate | Unread | None) -> dict[str, _Pair | Blind]:
    """Say what is asked of every window, or why nothing can be."""
    objective = pledge.objective
    if not isinstance(template, MetricTemplate):
        why = template.message if template else "it does not exist in this namespace"
        unread = Blind(Reason.METRIC_NOT_FOUND, f"MetricTemplate {objective.metric}: {why}")
        return dict.fromkeys(pledge.windows, unread)
    return {window: _pair(objective, template.spec, window) for window in pledge.windows}


def _pair(objective: Objective, spec: MetricTemplateSpec, window: str) -> _Pair | Blind:
    """Ask for the two counters of a share."""
    measure = promised_share(objective, spec)
    if measure is None:
        message = (
            f"MetricTemplate {objective.metric} does not fit: an objective reads type Ratio, or "
            "Histogram with slowerThan"
        )
        return Blind(Reason.METRIC_NOT_FOUND, message)
    some, every = (_Question(one, window) for one in questions(objective.provider, measure))
    return _Pair(some, every, are_bad=measure.says is Says.BAD)
