"""Where somebody does worse: which tools fail more often, and whether another model answers.

Nobody is asked about while all do well. Who suffers is asked about at once and every few minutes,
all together: the same few questions for any number of agents.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from turnout.adapters.documents import Ref
from turnout.adapters.metrics import Part, PartsQuery, ServiceMetrics
from turnout.core.clues import (
    MODEL_CALLS,
    MOST_PARTS,
    NO_CLUES,
    TOOL_CALLS,
    WITHOUT_ERROR,
    Calls,
    Clues,
    Source,
    Suspect,
    changed,
    failing,
    model_change,
)
from turnout.core.looks import Counts
from turnout.errors import MetricsUnavailable

PAUSE: Final = timedelta(minutes=5)
"""Between two times at which the same agent is asked about."""

MOST_AGENTS: Final = 50
"""Agents that are asked about at a time; who waited longest comes first."""

NOW: Final = timedelta(minutes=15)
BEFORE: Final = timedelta(hours=24)
APART: Final = timedelta(hours=1)
"""What is compared: so much up to now, and so much up to an hour ago."""

AT_ONCE: Final = 4
DIGITS: Final = len("-0123456789")
"""What a version's name adds to its agent's."""

Owner: TypeAlias = tuple[str, str]
"""Namespace, and version or agent."""

Parts: TypeAlias = Mapping[Part, float]
Tables: TypeAlias = Mapping[Owner, Calls]


@dataclass(frozen=True)
class _Round:
    """Who is asked about at one moment, of one provider."""

    provider: str
    suspects: Mapping[Ref, Suspect]
    end: datetime

    def query(self, source: Source, end: datetime, window: timedelta, **more: str) -> PartsQuery:
        return PartsQuery(
            metric=source.metric,
            namespaces=tuple(sorted({one.namespace for one in self.suspects})),
            agents=tuple(sorted({one.name for one in self.suspects})),
            end=end,
            window=window,
            by=source.by,
            most=MOST_PARTS + 1,
            match_labels={**source.match_labels, **more},
        )

    def both(self, source: Source, **more: str) -> tuple[PartsQuery, PartsQuery]:
        """Ask for what is called now, and what was before."""
        now = self.query(source, self.end, NOW, **more)
        return now, self.query(source, self.end - APART, BEFORE, **more)


class Inquiry:
    """Asks about agents that do worse, and knows what was found."""

    def __init__(self, metrics: ServiceMetrics) -> None:
        self._metrics = metrics
        self._places = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[Ref, datetime] = {}
        self._found: dict[Ref, Clues] = {}

    def clues(self, ref: Ref) -> Clues:
        """Tell what was found of an agent."""
        return self._found.get(ref, NO_CLUES)

    async def look(self, suspects: Mapping[Ref, Suspect], end: datetime) -> Collection[Ref]:
        """Ask about those whose turn it is; returns of whom something else was found.

        Args:
            suspects: All who do worse; whoever is not among them is forgotten.
            end: Until when.
        """
        self._asked = {ref: at for ref, at in self._asked.items() if ref in suspects}
        self._found = {ref: one for ref, one in self._found.items() if ref in suspects}
        due = sorted(
            (ref for ref in suspects if ref not in self._asked or end - self._asked[ref] >= PAUSE),
            key=lambda ref: (ref in self._asked, self._asked.get(ref, end), ref),
        )[:MOST_AGENTS]
        before = dict(self._found)
        self._asked |= dict.fromkeys(due, end)
        for provider in sorted({suspects[ref].asks for ref in due}):
            these = {ref: suspects[ref] for ref in due if suspects[ref].asks == provider}
            self._found |= await self._ask(_Round(provider, these, end))
        return [ref for ref in due if self.clues(ref) != before.get(ref, NO_CLUES)]

    async def _ask(self, asked: _Round) -> dict[Ref, Clues]:
        tools, models = await asyncio.gather(
            asyncio.gather(*(self._tools(asked, one) for one in TOOL_CALLS)),
            asyncio.gather(*(self._models(asked, one) for one in MODEL_CALLS)),
        )
        since = await self._since(asked, models)
        return {
            ref: _clues(ref, suspect, tools, models, since)
            for ref, suspect in asked.suspects.items()
        }

    async def _tools(self, asked: _Round, source: Source) -> tuple[Tables, Tables]:
        """Ask how often tools are called, and fail, by version now and by agent before."""
        now, before = asked.both(source)
        fine_now, fine_before = asked.both(source, **WITHOUT_ERROR)
        every, fine, every_before, fine_then = await asyncio.gather(
            *(self._parts(asked, one) for one in (now, fine_now, before, fine_before))
        )
        return _calls(every, fine), _by_agent(_calls(every_before, fine_then))

    async def _models(self, asked: _Round, source: Source) -> tuple[Tables, Tables]:
        """Ask which models answer, by version."""
        now, before = await asyncio.gather(*(self._parts(asked, one) for one in asked.both(source)))
        return _calls(now, now), _calls(before, before)

    async def _since(
        self, asked: _Round, models: Sequence[tuple[Tables, Tables]]
    ) -> Mapping[tuple[Owner, str], float]:
        """Ask since when models answer, where they are others than before."""
        found: dict[tuple[Owner, str], float] = {}
        for source, (now, before) in zip(MODEL_CALLS, models, strict=True):
            if any(_change(owner, now, before) for owner in now):
                query = asked.query(source, asked.end, APART + BEFORE)
                begun = await self._heard(self._metrics.beginnings(asked.provider, query))
                for part, at in (begun or {}).items():
                    found.setdefault(((part.namespace, part.version), _name(part)), at)
        return found

    async def _parts(self, asked: _Round, query: PartsQuery) -> Parts | None:
        return await self._heard(self._metrics.parts(asked.provider, query))

    async def _heard(self, answer: Awaitable[Parts]) -> Parts | None:
        """Wait for an answer; without one nothing is known, and nothing is told."""
        try:
            async with self._places:
                return await answer
        except MetricsUnavailable:
            return None


def _name(part: Part) -> str:
    """Name what was called, or who answered, with a fingerprint where there is one."""
    first, *more = part.values
    return f"{first} ({more[0]})" if more and more[0] else first


def _calls(every: Parts | None, fine: Parts | None) -> Tables:
    """Put calls together by version; what was cut off may have been fine, so it is left out."""
    tables: defaultdict[Owner, dict[str, Counts]] = defaultdict(dict)
    if every is None or fine is None:
        return tables
    known = Counter((part.namespace, part.version) for part in fine)
    for part, total in sorted(every.items(), key=lambda one: -one[1]):
        owner = part.namespace, part.version
        is_told = part in fine or known[owner] <= MOST_PARTS
        if part.values[0] and is_told:
            tables[owner][_name(part)] = Counts(min(fine.get(part, 0.0), total), total)
    return tables


def _by_agent(tables: Tables) -> Tables:
    together: defaultdict[Owner, dict[str, Counts]] = defaultdict(dict)
    for (namespace, version), calls in tables.items():
        owner = namespace, version[:-DIGITS]
        for name, counts in calls.items():
            together[owner][name] = together[owner].get(name, Counts()) + counts
    return together


def _totals(calls: Calls) -> Mapping[str, float]:
    return {name: counts.total for name, counts in calls.items()}


def _change(owner: Owner, now: Tables, before: Tables) -> tuple[str, str] | None:
    return changed(_totals(before.get(owner, {})), _totals(now.get(owner, {})))


def _clues(
    ref: Ref,
    suspect: Suspect,
    tools: Sequence[tuple[Tables, Tables]],
    models: Sequence[tuple[Tables, Tables]],
    since: Mapping[tuple[Owner, str], float],
) -> Clues:
    """Say what the answers tell of an agent: by the first series that stable has."""
    stable, *_ = arms = [(ref.namespace, version) for version in suspect.versions]
    now, before = next((one for one in tools if stable in one[0]), ({}, {}))
    usual = before.get((ref.namespace, ref.name), {})
    troubles = failing([now.get(arm, {}) for arm in arms], usual)
    change = next((_change(stable, *one) for one in models if stable in one[0]), None)
    model = None if change is None else model_change(*change, since.get((stable, change[1])))
    return Clues(troubles, model, is_cut=len(now.get(stable, {})) > MOST_PARTS)
