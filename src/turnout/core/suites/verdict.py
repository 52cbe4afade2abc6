"""The verdict on a suite: rounds of trials in, Pass, Fail or Continue out, with the reason.

What is promised: a version that is no worse than the baseline is failed with a chance of at most
alpha, however many rounds are run; one whose mean is worse by the margin passes with a chance of
at most alpha. A trial that ended in an error is neither a pass nor a failure, and where errors are
many or strike one version alone there is no verdict on the mean at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from turnout.api.rollout_status import Verdict
from turnout.core.sequential.pairs import usual_margin
from turnout.core.suites.counts import (
    Counts,
    Groups,
    Rate,
    Task,
    Trials,
    grouped,
    pass_rate,
    reliability,
)
from turnout.core.suites.tally import Round, Tally

ENOUGH_RECORDED: Final = 20
"""Stored trials of a task from which on their mean stands for the truth."""


class Reason(StrEnum):
    """Why a suite has the verdict that it has, or has none."""

    SAFE = "Safe"
    REGRESSED = "Regressed"
    REQUIRED_FAILED = "MustPassFailed"
    MISSING_TASKS = "MissingTasks"
    THIN_BASELINE = "ThinBaseline"
    TOO_MANY_ERRORS = "TooManyErrors"
    UNEVEN_ERRORS = "UnevenErrors"
    TOO_FEW_TRIALS = "TooFewTrials"
    INCONCLUSIVE = "Inconclusive"


USELESS: Final = frozenset({Reason.MISSING_TASKS, Reason.THIN_BASELINE})
"""Reasons that no further round mends."""


@dataclass(frozen=True, slots=True)
class Suite:
    """How a suite is judged.

    Attributes:
        tasks: Ids of its tasks.
        must_pass: Those of which one failure blocks.
        margin: Largest acceptable drop of the mean; None for the usual one for so many tasks.
        fewest: Trials of each task before the first verdict on the mean.
        most: Trials of a task after which there is no further round.
        ceiling: Part of a version's trials that may end in errors.
        alpha: Share of runs in which each promise may fail.
        times: Passes in a row that the reliability is told of.
    """

    tasks: tuple[str, ...]
    must_pass: frozenset[str] = frozenset()
    margin: float | None = None
    fewest: int = 2
    most: int = 10
    ceiling: float = 0.05
    alpha: float = 0.05
    times: int = 3

    @property
    def sure(self) -> float:
        """Logarithm of the evidence that is enough."""
        return -math.log(self.alpha)

    def begun(self, record: Counts | None = None) -> Tally:
        """Give the tally before the first round.

        Args:
            record: Stored trials that the candidate is compared with; None where the baseline
                runs beside it.
        """
        stored = record or {}
        tasks = {
            name: Task(name, Trials(), stored.get(name, Trials()), name in self.must_pass)
            for name in self.tasks
        }
        margin = usual_margin(len(tasks)) if self.margin is None else self.margin
        return Tally(margin, tasks, is_recorded=record is not None)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and why.

    Attributes:
        verdict: Pass, Fail or Continue.
        reason: Why.
        blamed: Tasks that the reason speaks of; empty where it speaks of the suite as a whole.
    """

    verdict: Verdict
    reason: Reason
    blamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a suite's trials come to.

    Attributes:
        ruling: The verdict and why.
        is_over: No further round is to be run: there is a verdict, or none can come.
        worse: Logarithm of the evidence that the candidate is worse.
        safe: Logarithm of the evidence that it is not worse by the margin.
        groups: Tasks that regressed, improved, or did neither.
        candidate: Its pass rate; None where no trial has a result.
        baseline: The baseline's.
        reliability: Chance that the candidate passes a task so many times in a row; None where
            trials are too few.
        trials: Trials of each task so far, whatever became of them.
    """

    ruling: Ruling
    is_over: bool
    worse: float
    safe: float
    groups: Groups
    candidate: Rate | None
    baseline: Rate | None
    reliability: float | None
    trials: int


def replay(suite: Suite, rounds: Iterable[Round], record: Counts | None = None) -> Judgement:
    """Judge rounds from the first on and stop where the run did: at the first end."""
    tally = suite.begun(record)
    judgement = judge(suite, tally)
    for trials in rounds:
        if judgement.is_over:
            break
        tally = tally.after(trials)
        judgement = judge(suite, tally)
    return judgement


def judge(suite: Suite, tally: Tally) -> Judgement:
    """Judge what is known so far."""
    tasks = tuple(tally.tasks.values())
    each = min((one.candidate.attempted for one in tasks), default=0)
    case = _Case(suite, tally, tasks, each)
    ruling = next(found for rule in _RULES if (found := rule(case)) is not None)
    decided = ruling.verdict is not Verdict.CONTINUE
    own = [one.candidate for one in tasks]
    return Judgement(
        ruling=ruling,
        is_over=decided or ruling.reason in USELESS or each >= suite.most,
        worse=tally.worse,
        safe=tally.safe,
        groups=grouped(tasks),
        candidate=pass_rate(own),
        baseline=pass_rate([one.baseline for one in tasks]),
        reliability=reliability(own, suite.times),
        trials=each,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    suite: Suite
    tally: Tally
    tasks: Sequence[Task]
    each: int

    @property
    def sides(self) -> tuple[list[Trials], ...]:
        """The trials that were run now: of both versions, unless one was recorded."""
        own = [one.candidate for one in self.tasks]
        return (own,) if self.tally.is_recorded else (own, [one.baseline for one in self.tasks])

    def names(self, holds: Callable[[Trials], bool]) -> tuple[str, ...]:
        """Name the tasks of which this holds on some side."""
        places = {
            place for side in self.sides for place, trials in enumerate(side) if holds(trials)
        }
        return tuple(self.tasks[place].id for place in sorted(places))


def _must_pass_failed(case: _Case) -> Ruling | None:
    failed = [one.id for one in case.tasks if one.must_pass and one.candidate.failed]
    if not failed:
        return None
    return Ruling(Verdict.FAIL, Reason.REQUIRED_FAILED, tuple(failed))


def _thin_baseline(case: _Case) -> Ruling | None:
    if not case.tally.is_recorded:
        return None
    thin = [one.id for one in case.tasks if one.baseline.completed < ENOUGH_RECORDED]
    return Ruling(Verdict.CONTINUE, Reason.THIN_BASELINE, tuple(thin)) if thin else None


def _missing_tasks(case: _Case) -> Ruling | None:
    missing = case.names(lambda trials: trials.attempted == 0)
    begun = any(one.candidate.attempted for one in case.tasks)
    if case.tasks and not (begun and missing):
        return None
    return Ruling(Verdict.CONTINUE, Reason.MISSING_TASKS, missing)


def _too_early(case: _Case) -> Ruling | None:
    if case.each >= case.suite.fewest:
        return None
    return Ruling(Verdict.CONTINUE, Reason.TOO_FEW_TRIALS)


def _too_many_errors(case: _Case) -> Ruling | None:
    shares = [
        sum(one.errors for one in side) / sum(one.attempted for one in side) for side in case.sides
    ]
    if max(shares) <= case.suite.ceiling:
        return None
    met = case.names(lambda trials: trials.errors > 0)
    return Ruling(Verdict.CONTINUE, Reason.TOO_MANY_ERRORS, met)


def _uneven_errors(case: _Case) -> Ruling | None:
    if case.tally.lopsided < case.suite.sure:
        return None
    met = case.names(lambda trials: trials.errors > 0)
    return Ruling(Verdict.CONTINUE, Reason.UNEVEN_ERRORS, met)


def _regressed(case: _Case) -> Ruling | None:
    if case.tally.worse < case.suite.sure:
        return None
    return Ruling(Verdict.FAIL, Reason.REGRESSED, grouped(case.tasks).regressed)


def _too_few_results(case: _Case) -> Ruling | None:
    few = case.names(lambda trials: trials.completed < case.suite.fewest)
    return Ruling(Verdict.CONTINUE, Reason.TOO_FEW_TRIALS, few) if few else None


def _safe(case: _Case) -> Ruling | None:
    if case.tally.safe < case.suite.sure:
        return None
    return Ruling(Verdict.PASS, Reason.SAFE)


def _undecided(case: _Case) -> Ruling:
    spent = case.each >= case.suite.most
    return Ruling(Verdict.CONTINUE, Reason.INCONCLUSIVE if spent else Reason.TOO_FEW_TRIALS)


_Rule: TypeAlias = Callable[[_Case], Ruling | None]
_RULES: Final[tuple[_Rule, ...]] = (
    _must_pass_failed,
    _thin_baseline,
    _missing_tasks,
    _too_early,
    _too_many_errors,
    _uneven_errors,
    _regressed,
    _too_few_results,
    _safe,
    _undecided,
)
"""The first that speaks wins; the order is the policy."""
