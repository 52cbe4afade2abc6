"""A stable version under watch: what is read of it each minute, and what that shows.

Nothing is concluded from what is not known: a version of which nothing can be read does neither
worse than recorded nor as recorded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from turnout.api.base import VersionRef
from turnout.core.gates import Blind
from turnout.core.looks import Counts
from turnout.core.measures import Measure
from turnout.core.reasons import Reason
from turnout.core.sequential.dearer import Dearer
from turnout.core.sequential.drift import SURE, Drift
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.tally import usual_margin

LEARNED_REQUESTS: Final = 500.0
LEARNED_LOOKS: Final = 30
"""What a version must have answered, and for how many minutes, before it is known how it does,
where its promotion did not show that."""

ENOUGH: Final = 20.0
"""Requests in an hour from which on it is known how a version does; with half of them it stays."""

MISSED: Final = 3
"""So many looks in a row without an answer make a metric unknown."""

UNSEEN: Final = Drift()
NOTHING: Final = Counts()

Answers: TypeAlias = Mapping[str, Counts | Blind]
"""What was counted in a minute, by the name of a source; what is missing was not asked for yet."""


@dataclass(frozen=True)
class Subject:
    """One metric by which a version is watched.

    Attributes:
        sources: What may be read for it, in their order, by the names that baselines give.
        recorded: What it is held to; None where that is to be learned.
        margin: By how much more often it may fail; None takes one that suits what is recorded.
        problem: Why there is nothing to read.
        is_cost: It is what a success costs; in counts the good ones' place is the amount, and the
            margin is the part by which it may be more.
    """

    name: str
    sources: Mapping[str, Measure] = field(default_factory=dict)
    recorded: Rate | None = None
    margin: float | None = None
    problem: Blind | None = None
    is_cost: bool = False

    @property
    def unseen(self) -> Drift | Dearer:
        """What is known of it before the first look."""
        return Dearer() if self.is_cost else UNSEEN


@dataclass(frozen=True)
class Plan:
    """What is watched of an Agent at rest.

    Attributes:
        stable: Whom.
        asks: Name of the metrics provider.
        subjects: By what.
        worse: Metrics that were told to be worse than recorded.
        steady: Metrics that were told to be as recorded.
        model: Who serves its model; None where nothing tells.
    """

    stable: VersionRef
    asks: str
    subjects: tuple[Subject, ...]
    worse: frozenset[str] = frozenset()
    steady: frozenset[str] = frozenset()
    model: str | None = None

    @property
    def sure(self) -> float:
        """Logarithm of the evidence that is enough; metrics share the false alarms."""
        return SURE + math.log(max(1, len(self.subjects)))


@dataclass(frozen=True)
class Sighting:
    """What was seen of one metric so far.

    Attributes:
        drift: How it does beside what is recorded.
        reads: Name of the source, once one is chosen.
        recorded: What it is held to; None while that is being learned.
        learned: What was counted to that end, in so many looks.
        missed: Looks in a row that told nothing, and why the last one did not.
    """

    drift: Drift | Dearer = UNSEEN
    reads: str | None = None
    recorded: Rate | None = None
    learned: Counts = NOTHING
    looks: int = 0
    missed: int = 0
    blind: Blind | None = None


NEW: Final = Sighting()


@dataclass(frozen=True)
class Watching:
    """What was seen of a stable version, by metric."""

    stable: VersionRef
    metrics: Mapping[str, Sighting] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Claim that something is known of it just now."""
        return any(
            one.recorded is not None and one.missed < MISSED for one in self.metrics.values()
        )

    @property
    def is_suspect(self) -> bool:
        """Claim that it does worse, or soon will have been found to."""
        return any(one.drift.is_suspect for one in self.metrics.values())


@dataclass(frozen=True)
class Peers:
    """Other watched agents whose model the same provider serves.

    Attributes:
        known: How many there are of which something is known.
        worse: How many of them do worse than recorded.
    """

    known: int = 0
    worse: int = 0

    @property
    def suffer(self) -> bool:
        """Claim that at least half of them do worse, too."""
        return self.worse > 0 and 2 * self.worse >= self.known


NO_PEERS: Final = Peers()


def begin(plan: Plan) -> Watching:
    """Begin to watch, from what was told: it holds until there is evidence that it does not."""
    return Watching(plan.stable, {one.name: _told(plan, one) for one in plan.subjects})


def _told(plan: Plan, subject: Subject) -> Sighting:
    asked = ENOUGH if subject.name in plan.steady else 0.0
    return Sighting(replace(subject.unseen, is_worse=subject.name in plan.worse, asked=asked))


def after(watching: Watching, plan: Plan, answers: Answers) -> Watching:
    """Take the look of a minute in."""
    before = watching if watching.stable == plan.stable else begin(plan)
    return Watching(
        plan.stable,
        {
            one.name: _seen(before.metrics.get(one.name, NEW), one, answers, plan.sure)
            for one in plan.subjects
        },
    )


def _seen(before: Sighting, subject: Subject, answers: Answers, sure: float) -> Sighting:
    found = _read(before, subject, answers)
    if found is None:
        return before
    if isinstance(found, Blind):
        return replace(before, missed=before.missed + 1, blind=found)
    reads, counts = found
    known = replace(before, reads=reads, missed=0, blind=None)
    recorded = subject.recorded or before.recorded
    if recorded is None:
        return _learned(known, counts)
    margin = subject.margin
    if margin is None:
        margin = usual_margin(1.0 - recorded.failures)
    drift = before.drift if _is_alike(before.drift, subject) else subject.unseen
    return replace(known, recorded=recorded, drift=drift.after(counts, recorded, margin, sure))


def _is_alike(drift: Drift | Dearer, subject: Subject) -> bool:
    """Claim that a metric still is of the kind that it was."""
    return isinstance(drift, Dearer) is subject.is_cost


def _read(
    before: Sighting, subject: Subject, answers: Answers
) -> tuple[str, Counts] | Blind | None:
    """Find the counts of the source that is chosen, or of the first that is there.

    None where nothing was asked yet.
    """
    if subject.problem is not None:
        return subject.problem
    names = [before.reads] if before.reads in subject.sources else list(subject.sources)
    found = [(name, answers[name]) for name in names if name is not None and name in answers]
    blind: Blind | None = None
    for name, one in found:
        if isinstance(one, Counts):
            return name, one
        blind = blind if blind is not None and one.reason is Reason.METRIC_NOT_FOUND else one
    return blind


def _learned(known: Sighting, counts: Counts) -> Sighting:
    """Learn how a version does that was promoted without showing it."""
    if counts.total <= 0.0:
        return known
    learned, looks = known.learned + counts, known.looks + 1
    is_enough = learned.total >= LEARNED_REQUESTS and looks >= LEARNED_LOOKS
    recorded = Rate(learned.good, learned.total) if is_enough else None
    return replace(known, learned=learned, looks=looks, recorded=recorded)
