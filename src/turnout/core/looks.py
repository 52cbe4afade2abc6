"""From raw counter samples to windows: what each arm answered between two looks.

A window ends at a multiple of the gate's interval in *sample* time, never at the operator's
idea of now, so closing the same windows again from the same samples gives the same counts:
that is what makes a restart harmless and a verdict replayable.

Counts are differences of raw counters with reset detection, not ``rate()``: ``rate()``
extrapolates to the window's edges and invents fractions of requests.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

STALE_AFTER_SCRAPES = 2
"""A sample older than this many scrape intervals says nothing about now."""

MOST = 1e12
"""Largest count that is believed; a counter beyond it, below zero or not a number is no sample."""


class ArmRole(Enum):
    """Which side of a comparison a pod is on."""

    STABLE = "stable"
    CANDIDATE = "candidate"


class Says(Enum):
    """What the first of two counters says of the second, which counts all."""

    GOOD = "so many of them were good"
    BAD = "so many of them were bad"
    AMOUNT = "so much was spent for them"


@dataclass(frozen=True)
class Series:
    """One counter of one pod.

    Attributes:
        pod: Name of the pod that exported it; where a label names versions, of the version.
        samples: (unix seconds, value), oldest first.
    """

    pod: str
    samples: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Readings:
    """What the metrics provider said of one metric.

    Attributes:
        good: The good ones among all; or what ``says`` says.
        total: All of them.
        says: What the first says of all.
        option: Which of a profile's series they are; empty where none was named.
    """

    good: tuple[Series, ...]
    total: tuple[Series, ...]
    says: Says = Says.GOOD
    option: str = ""

    @property
    def is_there(self) -> bool:
        """Claim that there is something to count: of an amount that is spent, both parts of it."""
        return bool(self.total and (self.good or self.says is not Says.AMOUNT))

    @property
    def moving(self) -> tuple[Series, ...]:
        """The series that show how far the counters are known."""
        return (*self.good, *self.total) if self.says is Says.AMOUNT else self.total

    def counts(self, first: float, total: float) -> Counts:
        """Make counts of what both counters grew by."""
        if self.says is Says.AMOUNT:
            return Counts(first, total)
        if self.says is Says.BAD:
            return Counts(max(total - first, 0.0), total)
        return Counts(min(first, total), total)


@dataclass(frozen=True)
class Member:
    """A pod that the operator knows, with the arm it serves and its creation in unix seconds."""

    role: ArmRole
    created: float


@dataclass(frozen=True)
class Counts:
    """Requests answered by one arm in one window; an amount stands in the good ones' place."""

    good: float = 0.0
    total: float = 0.0

    @property
    def share(self) -> float | None:
        """Share of good answers, 0 to 1; None where nothing was asked."""
        return self.good / self.total if self.total > 0 else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.good + other.good, self.total + other.total)


@dataclass(frozen=True)
class Window:
    """Both arms between two looks; start and end in unix seconds of sample time."""

    start: float
    end: float
    candidate: Counts
    stable: Counts


@dataclass(frozen=True)
class Cadence:
    """How often the gate looks and the provider scrapes, all in seconds.

    Attributes:
        interval: From the end of one window to that of the next.
        scrape: From one sample of a pod to the next.
        lag: How long after a window's end the samples of all were there lately.
    """

    interval: float
    scrape: float
    lag: float = math.inf

    @property
    def soonest(self) -> float:
        """How long after a window's end it may be closed, if all have moved on by then."""
        return min(self.lag, self.scrape)

    def first_end_after(self, moment: float) -> float:
        """Give the first multiple of the interval strictly after a moment."""
        return (math.floor(moment / self.interval) + 1) * self.interval

    def next_look(self, now: float, closed: float | None) -> float:
        """Tell when to look again: as soon as a window may be closed, and when it must be.

        Args:
            now: A moment; the look is strictly after it.
            closed: The end of the newest closed window.
        """
        soonest = self.first_end_after(now - self.soonest) + self.soonest
        last = self.first_end_after(now - self.scrape)
        is_open = closed is None or closed < last
        return min(soonest, last + self.scrape) if is_open else soonest

    def last_look(self, now: float) -> float:
        """Tell when the newest look was due, at a moment or before it."""
        offsets = (self.soonest, self.scrape)
        return max((now - one) // self.interval * self.interval + one for one in offsets)


def close_windows(
    readings: Readings,
    members: Mapping[str, Member],
    since: float,
    now: float,
    cadence: Cadence,
) -> tuple[Window, ...]:
    """Close every window that can be closed between ``since`` and ``now``, oldest first.

    A window whose end the samples do not cover is not closed: the next one that can be
    starts where the last one ended, so a gap becomes one longer window and nothing is counted
    twice or lost.
    """
    good, total = (_usable(one, members) for one in (readings.good, readings.total))
    known = replace(readings, good=good, total=total)
    closed: list[Window] = []
    start, end = since, cadence.first_end_after(since)
    while end <= now:
        if _covers(known.moving, members, end, now, cadence):
            closed.append(_window(known, members, start, end))
            start = end
        end += cadence.interval
    return tuple(closed)


def _usable(series: Iterable[Series], members: Mapping[str, Member]) -> tuple[Series, ...]:
    """Keep the series of known pods, and of them the samples that are counts."""
    kept = (_counts_of(one) for one in series if one.pod in members)
    return tuple(one for one in kept if one.samples)


def _counts_of(series: Series) -> Series:
    """Keep the samples that are counts: mostly all of them, which their sum shows at once."""
    values = [value for _, value in series.samples]
    if values and min(values) >= 0 and sum(values) <= MOST:
        return series
    usable = tuple((at, value) for at, value in series.samples if 0 <= value <= MOST)
    return replace(series, samples=usable)


def _covers(
    series: Sequence[Series],
    members: Mapping[str, Member],
    end: float,
    now: float,
    cadence: Cadence,
) -> bool:
    """Tell whether the counters are known at ``end``.

    Known are they when a sample of the candidate at or before the end is fresh, and either every
    series of both arms has moved past the end or one more scrape interval has gone by.
    """
    oldest = end - STALE_AFTER_SCRAPES * cadence.scrape
    fresh = any(
        _newest(one, end) >= oldest for one in series if members[one.pod].role is ArmRole.CANDIDATE
    )
    moved_on = all(one.samples[-1][0] > end for one in series)
    return fresh and (moved_on or now >= end + cadence.scrape)


def _newest(series: Series, moment: float) -> float:
    """Tell when the last sample at or before a moment was taken."""
    before = _up_to(series, moment)
    return series.samples[before - 1][0] if before else -math.inf


def _up_to(series: Series, moment: float) -> int:
    """Count the samples at or before a moment."""
    return bisect_right(series.samples, (moment, math.inf))


def _window(readings: Readings, members: Mapping[str, Member], start: float, end: float) -> Window:
    seen = _pods_seen_by(start, (*readings.good, *readings.total))
    counts: dict[ArmRole, Counts] = {}
    for role in ArmRole:
        good, total = (
            math.fsum(
                _increase(one, members[one.pod], start, end, counted_before=one.pod in seen)
                for one in side
                if members[one.pod].role is role
            )
            for side in (readings.good, readings.total)
        )
        counts[role] = readings.counts(good, total)
    return Window(start, end, counts[ArmRole.CANDIDATE], counts[ArmRole.STABLE])


def _pods_seen_by(moment: float, series: Iterable[Series]) -> frozenset[str]:
    return frozenset(one.pod for one in series if one.samples[0][0] <= moment)


def _increase(
    series: Series, member: Member, start: float, end: float, *, counted_before: bool
) -> float:
    """Count what a counter grew by in (start, end], a restart of it included.

    A series that appears inside the window began at zero if its pod is younger than the
    window or was already being scraped; for an older pod that was not, the first sample is the
    base, for then it may hold requests of long before.
    """
    before, until = _up_to(series, start), _up_to(series, end)
    inside = [value for _, value in series.samples[before:until]]
    if not inside:
        return 0.0
    if before:
        base = series.samples[before - 1][1]
    elif counted_before or member.created >= start:
        base = 0.0
    else:
        base = inside[0]
    steps = pairwise([base, *inside])
    return math.fsum([after - prior if after >= prior else after for prior, after in steps])
