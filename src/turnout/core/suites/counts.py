"""Trials of tasks, counted, and what is told of them in figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from turnout.core.sequential.bets import SUSPICIOUS
from turnout.core.sequential.broken import Outcomes, sign

MOST_TRIALS: Final = 100
"""Most trials of one task that are judged together: of more, chances are no doubles any more."""

_TWO_SIDED: Final = 1.959963984540054
"""Standard errors on either side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Trials of one task by one version.

    Attributes:
        passed: Trials that every grader passed.
        failed: Trials that some grader failed.
        errors: Trials without a result, for a reason outside the agent: neither of both.
    """

    passed: int = 0
    failed: int = 0
    errors: int = 0

    @property
    def completed(self) -> int:
        """Trials that have a result."""
        return self.passed + self.failed

    @property
    def attempted(self) -> int:
        """Trials that were run, whatever became of them."""
        return self.completed + self.errors

    @property
    def share(self) -> float | None:
        """Part that passed of those that have a result; None where none has."""
        return self.passed / self.completed if self.completed else None

    @property
    def outcomes(self) -> Outcomes:
        """The trials that have a result, as evidence is made of them."""
        return Outcomes(self.passed, self.failed)

    def plus(self, other: Trials) -> Trials:
        """Add trials."""
        return Trials(
            self.passed + other.passed, self.failed + other.failed, self.errors + other.errors
        )


Counts: TypeAlias = Mapping[str, Trials]
"""Trials by the id of their task."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task with the trials of both versions.

    Attributes:
        id: Its name in the suite.
        candidate: Trials of the version under evaluation.
        baseline: Trials of the version it is compared with.
        must_pass: One failure blocks.
    """

    id: str
    candidate: Trials = Trials()
    baseline: Trials = Trials()
    must_pass: bool = False

    @property
    def worse(self) -> float:
        """How much likelier its outcomes are if the candidate broke it than if nothing changed."""
        return sign(self.candidate.outcomes, self.baseline.outcomes)

    @property
    def better(self) -> float:
        """The same the other way round."""
        return sign(self.baseline.outcomes, self.candidate.outcomes)


@dataclass(frozen=True, slots=True)
class Groups:
    """Names of tasks by what became of them, the most telling first.

    Attributes:
        regressed: Tasks whose outcomes are a sign that the candidate broke them, and those that
            must pass and did not.
        improved: Tasks whose outcomes are a sign that it mended them.
        tied: Tasks of which neither can be said.
    """

    regressed: tuple[str, ...] = ()
    improved: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """A suite's pass rate, with a 95 % interval in which tasks, not trials, are what is drawn."""

    value: float
    low: float
    high: float


def grouped(tasks: Sequence[Task]) -> Groups:
    """Sort tasks by what became of them."""
    signs = {one.id: (_broke(one), one.better) for one in tasks}
    enough = math.exp(SUSPICIOUS)
    regressed = [name for name, (worse, _) in signs.items() if worse >= enough]
    improved = [
        name for name, (worse, better) in signs.items() if better >= enough and worse < enough
    ]
    taken = {*regressed, *improved}
    return Groups(
        tuple(sorted(regressed, key=lambda name: (-signs[name][0], name))),
        tuple(sorted(improved, key=lambda name: (-signs[name][1], name))),
        tuple(sorted(name for name in signs if name not in taken)),
    )


def pass_rate(trials: Sequence[Trials]) -> Rate | None:
    """Give the mean over tasks of the parts that passed; None where no trial has a result.

    Trials of one task are no independent draws, so the interval stands on how tasks differ; one
    task alone says nothing of that.
    """
    shares = [one.share for one in trials if one.share is not None]
    if not shares:
        return None
    value = math.fsum(shares) / len(shares)
    if len(shares) == 1:
        return Rate(value, 0.0, 1.0)
    squares = math.fsum((one - value) ** 2 for one in shares)
    reach = _TWO_SIDED * math.sqrt(squares / (len(shares) - 1) / len(shares))
    return Rate(value, max(0.0, value - reach), min(1.0, value + reach))


def reliability(trials: Sequence[Trials], times: int) -> float | None:
    """Give pass^k: the chance that a task passes so many times in a row, averaged over tasks.

    Tasks with fewer results say nothing; None where all are such.
    """
    chances = [
        math.comb(one.passed, times) / math.comb(one.completed, times)
        for one in trials
        if one.completed >= times
    ]
    return math.fsum(chances) / len(chances) if chances else None


def _broke(task: Task) -> float:
    return math.inf if task.must_pass and task.candidate.failed else task.worse
