"""One question for many: what rollouts ask of a metric at the same moment is asked once.

All gates of an interval look at the same instant, so a fleet of canaries asks the same questions of
different pods. They are put together by metric, over all namespaces that asked lately, and each
asker gets the series of its own pods and nobody else's.
"""

import asyncio
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from turnout.adapters.metrics import Metrics, SampleQuery, Series
from turnout.errors import MetricsUnavailable
from turnout.runtime.allowance import Allowance

GATHERING: Final = 0.05
"""Seconds that the first asker waits for others."""

WIDEST: Final = timedelta(minutes=2)
"""Longest reach that is asked for together; who has a longer gap to make up asks alone."""

REMEMBERED: Final = timedelta(minutes=2)
"""A namespace that has asked for nothing so long is left out."""

ALONE: Final = timedelta(minutes=1)
"""So long everybody asks alone after an answer for all was too large."""

_Subject: TypeAlias = tuple[str, frozenset[tuple[str, str]], float | None, str | None, bool]
_Pod: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class _Answer:
    """What was answered to all, or why nothing was."""

    query: SampleQuery
    series: Mapping[_Pod, Sequence[Series]] = field(default_factory=dict)
    error: MetricsUnavailable | None = None

    def phase(self, scrape: float) -> float | None:
        """Tell how long after a multiple of the scrape interval the last pod is scraped."""
        times = (
            at for found in self.series.values() for one in found for at, _ in one.samples[-3:]
        )
        return max((at % scrape for at in times), default=None)

    def serves(self, query: SampleQuery, patience: timedelta) -> bool:
        """Claim that it answers a question as well as asking again would."""
        if self.query.end < query.end - patience:
            return False
        reaches = self.query.end - self.query.lookback <= query.end - query.lookback
        covers = set(query.namespaces) <= set(self.query.namespaces)
        return self.error is not None or (reaches and covers)

    def to(self, query: SampleQuery) -> list[Series]:
        """Give one asker its part.

        Raises:
            MetricsUnavailable: There is none, or it may not be believed.
        """
        if self.error is not None:
            raise self.error
        pods = [(one, pod) for one in query.namespaces for pod in query.pods or ()]
        found = [one for pod in pods for one in self.series.get(pod, ())]
        problem = next((one.problem for one in found if one.problem is not None), None)
        if problem is not None:
            raise MetricsUnavailable("Malformed", problem)
        cut = (_within(one, query) for one in found)
        return [one for one in cut if one.samples or one.dropped]


def _within(series: Series, query: SampleQuery) -> Series:
    """Cut a series to the time that was asked for."""
    start, end = (query.end - query.lookback).timestamp(), query.end.timestamp()
    if series.samples and start < series.samples[0][0] and series.samples[-1][0] <= end:
        return series
    first, last = (
        bisect_right(series.samples, moment, key=lambda sample: sample[0])
        for moment in (start, end)
    )
    return replace(series, samples=series.samples[first:last])


def _subject(query: SampleQuery) -> _Subject:
    labels = frozenset(query.match_labels.items())
    return query.metric, labels, query.upper_bound, query.version_label, query.is_unnamed


class _Topic:
    """One metric of one provider: who asks for it, and the newest answer.

    Attributes:
        asked_at: The end of the last question.
    """

    def __init__(
        self, metrics: Metrics, provider: str, allowance: Allowance, asked_at: datetime
    ) -> None:
        self.asked_at = asked_at
        self._metrics = metrics
        self._allowance = allowance
        self._provider = provider
        self._asked: dict[str, datetime] = {}
        self._waiting: list[SampleQuery] = []
        self._answer: _Answer | None = None
        self._phase: tuple[_Answer, float | None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._alone_until: datetime | None = None

    @property
    def provider(self) -> str:
        """Who is asked."""
        return self._provider

    def phase(self, scrape: float) -> float | None:
        """Tell when in a scrape interval the pods are scraped, as the newest answer shows it."""
        if self._answer is None:
            return None
        if self._phase is None or self._phase[0] is not self._answer:
            self._phase = self._answer, self._answer.phase(scrape)
        return self._phase[1]

    async def samples(self, query: SampleQuery, patience: timedelta) -> Sequence[Series]:
        while self._alone_until is None or query.end >= self._alone_until:
            if self._answer is not None and self._answer.serves(query, patience):
                self._remember(query)
                return self._answer.to(query)
            self._count(query)
            self._remember(query)
            self._waiting.append(query)
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            await asyncio.shield(self._asking)
        self._count(query)
        return await self._metrics.samples(self._provider, query)

    def _remember(self, query: SampleQuery) -> None:
        """Keep in mind who asks, to ask for them next time."""
        self._asked |= dict.fromkeys(query.namespaces, query.end)

    def _count(self, query: SampleQuery) -> None:
        """Count a question for its namespace, unless it waits for the same one already.

        Raises:
            MetricsUnavailable: The namespace has asked as many as it may.
        """
        counted = {name for one in self._waiting for name in one.namespaces}
        for name in set(query.namespaces) - counted:
            self._allowance.take(name, query.end)

    async def _ask(self) -> None:
        """Ask for all who wait, and for those who asked lately: they are about to."""
        await asyncio.sleep(GATHERING)
        waiting, self._waiting = self._waiting, []
        end = max(one.end for one in waiting)
        oldest = min(one.end - one.lookback for one in waiting)
        names = {name for name, at in self._asked.items() if end - at < REMEMBERED}
        query = replace(
            waiting[0],
            namespaces=tuple(sorted(names.union(*(one.namespaces for one in waiting)))),
            pods=waiting[0].pods if waiting[0].is_unnamed else None,
            end=end,
            lookback=end - oldest,
        )
        try:
            found = await self._metrics.samples(self._provider, query)
        except MetricsUnavailable as error:
            self._answer = _Answer(query, error=error)
            if error.reason == "TooLarge":
                self._alone_until = end + ALONE
            return
        series: defaultdict[_Pod, list[Series]] = defaultdict(list)
        for one in found:
            series[one.namespace, one.pod].append(one)
        self._answer = _Answer(query, series)


class Hub:
    """Asks metrics providers for all rollouts together."""

    def __init__(self, metrics: Metrics, most_queries: int = 0) -> None:
        """Let each namespace ask so many questions a minute; 0 is any number."""
        self._metrics = metrics
        self._allowance = Allowance(most_queries)
        self._topics: OrderedDict[tuple[str, _Subject], _Topic] = OrderedDict()

    async def samples(
        self, provider: str, query: SampleQuery, patience: timedelta
    ) -> Sequence[Series]:
        """Read raw samples of known pods.

        Args:
            provider: Name of the provider.
            query: What is asked, of named pods.
            patience: How much older than the question an answer to others may be.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        if not query.pods:
            return []
        if query.lookback > WIDEST:
            for name in query.namespaces:
                self._allowance.take(name, query.end)
            return await self._metrics.samples(provider, query)
        subject = _subject(query)
        topic = self._topics.pop((provider, subject), None)
        if topic is None:
            topic = _Topic(self._metrics, provider, self._allowance, query.end)
        topic.asked_at = query.end
        self._topics[provider, subject] = topic
        self._forget(query.end)
        return await topic.samples(query, patience)

    def phase(self, provider: str, scrape: float) -> float | None:
        """Tell how many seconds after a multiple of the scrape interval all are scraped.

        Only the newest answers tell; None where there is none.
        """
        topics = (one for one in self._topics.values() if one.provider == provider)
        known = (one.phase(scrape) for one in topics)
        return max((one for one in known if one is not None), default=None)

    def _forget(self, now: datetime) -> None:
        """Drop what nobody has asked for lately, which stands first: answers are large."""
        while now - next(iter(self._topics.values())).asked_at >= REMEMBERED:
            self._topics.popitem(last=False)
