"""A round of trials: every task once, so many at a time, with patience for what passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Final, Protocol

from typing_extensions import override

from turnout.api.graders import Grader
from turnout.core.suites.counts import Trials
from turnout.evals.graders.answers import Answer
from turnout.evals.graders.grading import check, grade
from turnout.evals.protocols.talk import Message
from turnout.jobs.evaluation.agent import NoAnswer

GRADER_SILENT: Final = "Ungraded"
"""Reason of a trial whose graders could not say whether it passed."""


_CHANCE: Final = SystemRandom()
"""Scatters pauses, so that questions do not come back all at once."""


class Asks(Protocol):
    """Somebody who can be asked."""

    async def ask(self, conversation: Sequence[Message]) -> Answer:
        """Answer, or raise NoAnswer."""


@dataclass(frozen=True)
class Task:
    """One task of a suite.

    Attributes:
        id: Its name.
        conversation: What the agent is told, the last message by the user.
        graders: What its answer is held to.
    """

    id: str
    conversation: tuple[Message, ...]
    graders: tuple[Grader, ...]


@dataclass(frozen=True)
class Pace:
    """How an agent is asked.

    Attributes:
        concurrency: Questions under way at a time.
        per_minute: Most questions begun in a minute, repeated ones too; None without a limit.
        attempts: Times that a question is asked at most.
        pause: Seconds before the first repetition; each further one waits twice as long.
        longest: Seconds before any repetition at most. Who asks to be left alone for longer is not
            asked again.
    """

    concurrency: int = 4
    per_minute: int | None = None
    attempts: int = 3
    pause: float = 1.0
    longest: float = 30.0


@dataclass(frozen=True)
class Outcome:
    """What became of one trial.

    Attributes:
        task: Id of the task.
        trial: Passed, failed or an error, as a count of one.
        reason: Word for an error; empty without one.
        why: What was wrong, in our own words.
        tokens: Tokens that it took; None where nobody told.
    """

    task: str
    trial: Trials
    reason: str = ""
    why: str = ""
    tokens: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far a round is.

    Attributes:
        done: Tasks that have their trial.
        total: Tasks in all.
        last: What became of the trial that ended last.
        answer: What was answered in it; None where nothing was. It is kept nowhere else.
    """

    done: int
    total: int
    last: Outcome
    answer: Answer | None


@dataclass(frozen=True)
class Ran:
    """A round that was run."""

    outcomes: tuple[Outcome, ...]

    @property
    def trials(self) -> Mapping[str, Trials]:
        """Trials by the id of their task."""
        return {one.task: one.trial for one in self.outcomes}

    @property
    def tokens(self) -> int | None:
        """Tokens that the answers took; None where no answer tells."""
        told = [one.tokens for one in self.outcomes if one.tokens is not None]
        return sum(told) if told else None

    @property
    def errors(self) -> Mapping[str, int]:
        """Errors by their reason."""
        return Counter(one.reason for one in self.outcomes if one.reason)


@dataclass
class _Gate:
    """Lets questions begin no faster than the pace allows, and gives waiting its length."""

    pace: Pace
    _next: float = 0.0

    async def wait(self) -> None:
        """Wait for the next place in the row."""
        if self.pace.per_minute is None:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next)
        self._next = start + 60.0 / self.pace.per_minute
        await asyncio.sleep(start - now)

    def pause(self, attempt: int, asked: float | None) -> float | None:
        """Give how long to wait before the next attempt; None where nobody waits so long."""
        if asked is not None:
            return asked if asked <= self.pace.longest else None
        doubled = min(self.pace.pause * 2.0**attempt, self.pace.longest)
        return _CHANCE.uniform(doubled / 2, doubled)


class Runner(Asks):
    """Puts tasks to an agent."""

    def __init__(self, agent: Asks, pace: Pace) -> None:
        self._agent = agent
        self._pace = pace
        self._gate = _Gate(pace)

    async def run(self, tasks: Sequence[Task], told: Callable[[Progress], None]) -> Ran:
        """Run every task once.

        Args:
            tasks: What is asked.
            told: Called after each trial.

        Raises:
            Invalid: A task's graders cannot grade; nothing was asked then.
        """
        for task in tasks:
            check(task.id, task.graders)
        places = asyncio.Semaphore(self._pace.concurrency)
        done = 0

        async def one(task: Task) -> Outcome:
            nonlocal done
            async with places:
                outcome, answer = await self._try(task)
            done += 1
            told(Progress(done, len(tasks), outcome, answer))
            return outcome

        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(task)) for task in tasks]
        return Ran(tuple(one.result() for one in running))

    @override
    async def ask(self, conversation: Sequence[Message]) -> Answer:
        """Ask, and again where that may help.

        Raises:
            NoAnswer: There is none after all.
        """
        for attempt in range(self._pace.attempts - 1):
            await self._gate.wait()
            try:
                return await self._agent.ask(conversation)
            except NoAnswer as failed:
                pause = self._gate.pause(attempt, failed.after)
                if not failed.is_passing or pause is None:
                    raise
            await asyncio.sleep(pause)
        await self._gate.wait()
        return await self._agent.ask(conversation)

    async def _try(self, task: Task) -> tuple[Outcome, Answer | None]:
        try:
            answer = await self.ask(task.conversation)
        except NoAnswer as failed:
            return Outcome(task.id, Trials(errors=1), failed.reason, str(failed)), None
        said = grade(task.graders, answer)
        trial, reason = _GRADED[said.passed]
        return Outcome(task.id, trial, reason, said.why, answer.tokens), answer


_GRADED: Final[Mapping[bool | None, tuple[Trials, str]]] = {
    True: (Trials(passed=1), ""),
    False: (Trials(failed=1), ""),
    None: (Trials(errors=1), GRADER_SILENT),
}
