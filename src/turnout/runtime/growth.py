"""How counters of whole services grew: each distinct question is asked once for all who want it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypeVar

from turnout.adapters.documents import Ref
from turnout.adapters.metrics import IncreaseQuery, ServiceMetrics
from turnout.core.gates import Blind
from turnout.core.measures import Counter, Measure
from turnout.core.reasons import Reason
from turnout.errors import MetricsUnavailable

AT_ONCE: Final = 4
"""Questions under way at the same time: gates come first."""

Growth: TypeAlias = Mapping[tuple[str, str], float]
"""By namespace and agent."""

Answer: TypeAlias = Growth | MetricsUnavailable
Wanted = TypeVar("Wanted")


@dataclass(frozen=True)
class Question:
    """One counter of one provider, whoever asks for it."""

    provider: str
    metric: str
    labels: frozenset[tuple[str, str]]
    bound: float | None
    matches: frozenset[tuple[str, str]]
    version_label: str | None


class Growths:
    """Asks providers, a few questions at a time."""

    def __init__(self, metrics: ServiceMetrics) -> None:
        self._metrics = metrics
        self._places = asyncio.Semaphore(AT_ONCE)

    async def ask(
        self, question: Question, namespaces: frozenset[str], end: datetime, window: timedelta
    ) -> Answer:
        """Ask by how much a counter grew in a window; why it cannot be said where it cannot."""
        query = IncreaseQuery(
            metric=question.metric,
            namespaces=tuple(sorted(namespaces)),
            end=end,
            window=window,
            match_labels=dict(question.labels),
            upper_bound=question.bound,
            version_label=question.version_label,
            matches=dict(question.matches),
        )
        try:
            async with self._places:
                return await self._metrics.increases(question.provider, query)
        except MetricsUnavailable as error:
            return error


def questions(provider: str, measure: Measure) -> tuple[Question, Question]:
    """Say what is asked for a share: some requests, and all."""
    some, every = (
        _question(provider, one, measure.version_label) for one in (measure.first, measure.total)
    )
    return some, every


def _question(provider: str, counter: Counter, version_label: str | None) -> Question:
    return Question(
        provider,
        counter.metric,
        frozenset(counter.match_labels.items()),
        counter.upper_bound,
        frozenset(counter.matches.items()),
        version_label,
    )


def namespaces_by(asked: Iterable[tuple[Ref, Iterable[Wanted]]]) -> dict[Wanted, frozenset[str]]:
    """Put together in which namespaces the same is wanted."""
    names: defaultdict[Wanted, set[str]] = defaultdict(set)
    for ref, wanted in asked:
        for one in wanted:
            names[one].add(ref.namespace)
    return {one: frozenset(found) for one, found in names.items()}


def together(some: Answer | None, every: Answer | None) -> tuple[Growth, Growth] | Blind | None:
    """Give both answers of a share, or why there are none; None where one is still awaited."""
    for answer in (every, some):
        if isinstance(answer, MetricsUnavailable):
            return Blind(Reason.METRICS_UNAVAILABLE, str(answer))
    if not isinstance(some, Mapping) or not isinstance(every, Mapping):
        return None
    return some, every
