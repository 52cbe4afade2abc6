"""Takes streams through a gate, look by look, until each has its verdict."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from benchmarks.gates.arrays import Bools, Floats, Ints
from benchmarks.gates.streams import Stream
from benchmarks.gates.twin import Look, Terms


class Verdict(IntEnum):
    """What became of a rollout."""

    WAITING = 0
    ROLLED_BACK = 1
    PROMOTED = 2


class Process(Protocol):
    """Evidence about many rollouts of one scenario: the twin, or the production gate."""

    log_fail: Floats
    log_pass: Floats

    @property
    def drop(self) -> Floats:
        """Measured drop, by repetition."""

    def look(self, rows: Ints, look: Look, minutes: float) -> None:
        """Take the counts of one look for some repetitions."""


@dataclass(frozen=True)
class Outcome:
    """What a policy did with each repetition of a stream.

    Attributes:
        verdict: A :class:`Verdict` each.
        minute: When, from the start; the end of the stream where it waits.
        requests: Candidate requests until then.
    """

    verdict: Ints
    minute: Floats
    requests: Floats

    def are(self, verdict: Verdict) -> Bools:
        """Tell which repetitions ended so."""
        ended: Bools = self.verdict == verdict
        return ended

    def share(self, verdict: Verdict) -> float:
        """Share of repetitions that ended so."""
        return float(self.are(verdict).mean())

    def median_minute(self, verdict: Verdict) -> float:
        """Median minute of those that ended so; NaN where none did."""
        minutes = self.minute[self.are(verdict)]
        return float(np.median(minutes)) if minutes.size else float("nan")


def row(stream: Stream, look: int, rows: Ints) -> Look:
    """Cut one look of some repetitions out of a stream."""
    good1, bad1, good0, bad0 = stream.counts[:, look][:, rows].astype(float)
    return Look(good1, bad1, good0, bad0)


@dataclass(frozen=True)
class Rule:
    """When evidence becomes a verdict.

    Attributes:
        drop: A rollback needs a measured drop of more than that.
        minutes: A promotion waits so long from the candidate's first request on.
        requests: And for so many candidate requests.
        fails: Whether there are rollbacks at all.
        certain: Logarithm of the evidence that is enough.
    """

    drop: float = -np.inf
    minutes: float = 15.0
    requests: float = 50.0
    fails: bool = True
    certain: float = float(np.log(20))

    @classmethod
    def of(cls, terms: Terms) -> "Rule":
        """Take the product's rule for a gate."""
        return cls(drop=terms.margin, certain=terms.certain)

    def apply(
        self, process: Process, alive: Ints, age: Floats, requests: Floats
    ) -> tuple[Bools, Bools]:
        """Tell which of the living repetitions are rolled back now, and which are promoted.

        Args:
            process: The evidence.
            alive: Repetitions without a verdict.
            age: Minutes since the candidate's first request, by repetition.
            requests: Candidate requests so far, by repetition.
        """
        worse = self.fails & (process.log_fail[alive] >= self.certain)
        worse &= process.drop[alive] > self.drop
        safe = (process.log_pass[alive] >= self.certain) & ~worse
        safe &= age[alive] >= self.minutes - 1e-9
        safe &= requests[alive] >= self.requests
        return worse, safe


def judge(stream: Stream, process: Process, rule: Rule) -> Outcome:
    """Look after look until each repetition has its verdict, which stays."""
    verdict = np.zeros(stream.repetitions, dtype=np.int64)
    minute = np.full(stream.repetitions, stream.looks * stream.minutes)
    asked = stream.requests1.cumsum(axis=0)
    requests = asked[-1].astype(float)
    began = (asked > 0).argmax(axis=0) * stream.minutes
    alive = np.arange(stream.repetitions)
    for number in range(stream.looks):
        process.look(alive, row(stream, number, alive), stream.minutes)
        now = (number + 1) * stream.minutes
        worse, safe = rule.apply(process, alive, now - began, asked[number])
        verdict[alive] = np.where(worse, Verdict.ROLLED_BACK, np.where(safe, Verdict.PROMOTED, 0))
        ended = alive[worse | safe]
        minute[ended], requests[ended] = now, asked[number][ended]
        alive = alive[~(worse | safe)]
        if not alive.size:
            break
    return Outcome(verdict, minute, requests)
