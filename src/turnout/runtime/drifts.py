"""Stable versions under watch: looked at once a minute, all together, and told of where it is news.

Each distinct counter is asked once for all Agents, whatever their number, and none where no
strategy has a watch. What was seen is kept in memory: a restarted operator gathers evidence anew,
and goes on from what stands in the records.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from turnout.adapters.documents import Ref
from turnout.adapters.metrics import ServiceMetrics
from turnout.adapters.ports import Clock
from turnout.api.drift import DriftState, DriftStatus
from turnout.core.baselines import plan_of
from turnout.core.clues import Suspect, suspect_of
from turnout.core.drift import Around, around, drift_of, stance
from turnout.core.gates import Blind
from turnout.core.looks import Counts, Says
from turnout.core.measures import Measure
from turnout.core.reasons import Reason
from turnout.core.sequential.drift import LOOK_SECONDS
from turnout.core.watching import Peers, Plan, Watching, after, begin
from turnout.core.world import World
from turnout.errors import MetricsUnavailable
from turnout.runtime.growth import (
    Answer,
    Growth,
    Growths,
    Question,
    namespaces_by,
    questions,
    together,
)
from turnout.runtime.inquiry import Inquiry
from turnout.runtime.store import Refs
from turnout.settings import MetricsProvider

PAUSE: Final = timedelta(seconds=LOOK_SECONDS)

LATER: Final = timedelta(seconds=5)
"""How long after its end a minute is asked for: the last scrapes have been stored by then."""


@dataclass(frozen=True)
class _Watched:
    """An Agent under watch, and what was told of it last."""

    plan: Plan
    watching: Watching
    beside: Around
    told: DriftStatus | None

    @property
    def is_suspect(self) -> bool:
        """Claim that it is worth to ask for a cause."""
        is_told = self.told is not None and self.told.state is DriftState.DEGRADED
        return is_told or self.watching.is_suspect


class Drifts:
    """Watches the stable versions of Agents at rest whose strategies have a watch.

    Where one does worse, or both versions of a rollout do, it is asked for the cause.
    """

    def __init__(
        self,
        metrics: ServiceMetrics,
        providers: Mapping[str, MetricsProvider],
        clock: Clock,
        *,
        wake: Callable[[Refs], None],
    ) -> None:
        self._watched: dict[Ref, _Watched] = {}
        self._held: dict[Ref, Suspect] = {}
        self._growths, self._providers = Growths(metrics), providers
        self._inquiry = Inquiry(metrics)
        self._clock, self._wake = clock, wake
        self._is_new = asyncio.Event()

    def attend(self, ref: Ref, world: World) -> World:
        """Hear what is to be watched of an Agent; returns its world with what was seen so far."""
        self._held.pop(ref, None)
        plan, world = plan_of(world), replace(world, clues=self._inquiry.clues(ref))
        if plan is None:
            self._watched.pop(ref, None)
            self._hear_of_rollout(ref, world)
            return world
        known = self._watched.get(ref)
        seen = known.watching if known is not None else begin(plan)
        if seen.stable != plan.stable:
            seen = begin(plan)
        seeing = replace(world, watching=seen, peers=self._peers(ref, plan))
        self._watched[ref] = _Watched(plan, seen, around(seeing), drift_of(seeing))
        self._is_new.set()
        return seeing

    def _hear_of_rollout(self, ref: Ref, world: World) -> None:
        suspect = suspect_of(world.rollouts)
        if suspect is not None:
            self._held[ref] = suspect
            self._is_new.set()

    def forget(self, ref: Ref) -> None:
        """Drop an Agent that is gone."""
        self._watched.pop(ref, None)
        self._held.pop(ref, None)

    async def run(self) -> None:
        """Look once a minute for ever; not at all while nobody is to be watched or asked about."""
        while True:
            await self._is_new.wait()
            await asyncio.sleep(self._until_next())
            await self.look(self._last_minute())
            if not self._watched and not self._held:
                self._is_new.clear()

    def _last_minute(self) -> datetime:
        """Tell when the last whole minute ended that can be asked for: no two looks overlap."""
        now = (self._clock.now() - LATER).timestamp()
        return datetime.fromtimestamp(now // LOOK_SECONDS * LOOK_SECONDS, tz=UTC)

    def _until_next(self) -> float:
        return (self._last_minute() + PAUSE + LATER - self._clock.now()).total_seconds()

    async def look(self, end: datetime) -> None:
        """Take in the minute that ended then, and wake those of whom there is news."""
        wanted = namespaces_by((ref, _questions(one.plan)) for ref, one in self._watched.items())
        found = await asyncio.gather(*(self._ask(one, wanted[one], end) for one in wanted))
        answers = dict(zip(wanted, found, strict=True))
        for ref, one in list(self._watched.items()):
            heard = {
                name: said
                for subject in one.plan.subjects
                for name, measure in subject.sources.items()
                if (said := _counts(ref, one.plan, measure, answers)) is not None
            }
            seen = after(one.watching, one.plan, heard)
            self._watched[ref] = replace(one, watching=seen)
        clued = await self._inquiry.look(self._suspects(), end)
        self._wake(frozenset(self._with_news()) | (self._held.keys() & set(clued)))

    def _suspects(self) -> dict[Ref, Suspect]:
        """Name those who do worse: the stable versions at rest, and both of a rollout."""
        at_rest = {
            ref: Suspect(one.plan.asks, (one.plan.stable.version,))
            for ref, one in self._watched.items()
            if one.is_suspect
        }
        return at_rest | self._held

    async def _ask(self, question: Question, names: frozenset[str], end: datetime) -> Answer:
        """Ask for the growth in a minute.

        The range reaches a scrape further back, to the last sample before, and what was
        extrapolated to its edges is taken away again: so each request counts once.
        """
        provider = self._providers.get(question.provider)
        if provider is None:
            why = f"no metrics provider {question.provider} is configured"
            return MetricsUnavailable("Unknown", why)
        window = PAUSE + provider.scrape_interval
        grown = await self._growths.ask(question, names, end, window)
        if isinstance(grown, MetricsUnavailable):
            return grown
        part = PAUSE / window
        return {whose: growth * part for whose, growth in grown.items()}

    def _with_news(self) -> Iterator[Ref]:
        """Name the Agents of which something else would be told now than was told last."""
        now = self._clock.now()
        for ref, one in self._watched.items():
            peers, clues = self._peers(ref, one.plan), self._inquiry.clues(ref)
            beside = replace(one.beside, peers=peers, clues=clues)
            told = stance(one.plan, one.watching, beside, one.told, now)
            if told is not one.told or _has_learned(one):
                yield ref

    def _peers(self, ref: Ref, plan: Plan) -> Peers:
        """Count the others whose model the same provider serves."""
        if plan.model is None:
            return Peers()
        others = [
            one.watching
            for other, one in self._watched.items()
            if other != ref and one.plan.model == plan.model and one.watching.is_known
        ]
        return Peers(len(others), sum(one.is_suspect for one in others))


def _questions(plan: Plan) -> Iterator[Question]:
    for subject in plan.subjects:
        for measure in subject.sources.values():
            yield from questions(plan.asks, measure)


def _counts(
    ref: Ref, plan: Plan, measure: Measure, answers: Mapping[Question, Answer]
) -> Counts | Blind | None:
    some, every = questions(plan.asks, measure)
    both = together(answers.get(some), answers.get(every))
    if both is None or isinstance(both, Blind):
        return both
    return _counted(measure, *both, (ref.namespace, ref.name))


def _counted(
    measure: Measure,
    some: Growth,
    every: Growth,
    whose: tuple[str, str],
) -> Counts | Blind:
    """Count an Agent's minute; a series that is missing is no zero."""
    missing = measure.total if whose not in every else None
    if missing is None and whose not in some and not _may_be_missing(measure):
        missing = measure.first
    if missing is not None:
        message = f"there is no series of {missing.metric} of the agent's pods"
        return Blind(Reason.METRIC_NOT_FOUND, message)
    total, counted = every[whose], some.get(whose, 0.0)
    return Counts(total - counted if measure.says is Says.BAD else counted, total)


def _may_be_missing(measure: Measure) -> bool:
    """Claim that bad ones among all need no series while there are none."""
    return measure.says is Says.BAD and measure.total.includes(measure.first)


def _has_learned(one: _Watched) -> bool:
    """Claim that it became known how a version does, which is to be recorded."""
    lacking = {subject.name for subject in one.plan.subjects if subject.recorded is None}
    return any(
        name in lacking and seen.recorded is not None for name, seen in one.watching.metrics.items()
    )
