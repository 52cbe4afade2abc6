"""Task `evaluation`: how does the candidate do on a suite, beside the baseline?

Both versions get the same tasks at the same time, round by round, until the rule by which the
operator judges says that no further round is needed. Only whole rounds are told: in half a round
those are missing who are slow, and that is no draw of chance.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2

from turnout.api.suite_task import SuiteTask
from turnout.core.suites.counts import Counts
from turnout.core.suites.reported import Reported
from turnout.core.suites.tally import Round
from turnout.core.suites.verdict import Suite, judge
from turnout.core.tasks import Problem
from turnout.errors import TaskFailed
from turnout.jobs.evaluation.agent import Agent
from turnout.jobs.evaluation.order import Evaluation, Version, put
from turnout.jobs.evaluation.runner import Progress, Ran, Runner
from turnout.jobs.evaluation.transcripts import Transcripts
from turnout.jobs.reach import Reach


async def run(description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Run the suite.

    Raises:
        TaskFailed: It cannot be run, or not to its end; what was found by then comes along.
    """
    asked = Evaluation.model_validate(description)
    tasks, record = asked.tasks(), asked.recorded()
    running = _Run(asked, tasks, reach)
    async with reach.client() as client:
        problem = await running.until_judged(client, asked.judged(tasks), record)
    found = running.reported().to_wire()
    if problem is not None:
        raise TaskFailed(problem.reason, problem.message, found if running.rounds else None)
    return found


class _Run:
    """A run under way, and what it has come to.

    Attributes:
        rounds: Whole rounds so far.
    """

    def __init__(self, asked: Evaluation, tasks: Sequence[SuiteTask], reach: Reach) -> None:
        self.rounds: list[Round] = []
        self._asked = asked
        self._tasks = [put(one) for one in tasks]
        self._reach = reach
        self._began = asyncio.get_running_loop().time()
        self._trials = 0
        self._reasons: Counter[str] = Counter()
        self._tokens: int | None = None
        self._transcripts = Transcripts(sys.stdout.write, reach.without_secrets)

    @property
    def seconds(self) -> float:
        """Time that has passed."""
        return asyncio.get_running_loop().time() - self._began

    def reported(self) -> Reported:
        """Tell what is known."""
        names = tuple(one.id for one in self._tasks)
        spent = round(self.seconds)
        return Reported(names, tuple(self.rounds), dict(self._reasons), self._tokens, spent)

    async def until_judged(
        self, client: httpx2.AsyncClient, suite: Suite, record: Counts | None
    ) -> Problem | None:
        """Run rounds until the suite is judged, or say what ended the run before."""
        tally = suite.begun(record)
        runners = [self._runner(client, one) for one in self._asked.versions]
        try:
            async with asyncio.timeout(self._reach.seconds - self.seconds):
                while not judge(suite, tally).is_over:
                    if (spent := self._overspent()) is not None:
                        return spent
                    tally = tally.after(await self._round(runners))
        except TimeoutError:
            told = f"no verdict within {self.seconds:.0f}s, after {len(self.rounds)} whole rounds"
            return Problem("TimedOut", told)
        return None

    def _runner(self, client: httpx2.AsyncClient, version: Version) -> tuple[str, Runner]:
        ask = self._asked.ask
        return version.version, Runner(
            Agent(client, ask.of(version), ask.timeout_per_task), ask.pace
        )

    async def _round(self, runners: Sequence[tuple[str, Runner]]) -> Round:
        async with asyncio.TaskGroup() as group:
            both = [
                group.create_task(one.run(self._tasks, self._told(name))) for name, one in runners
            ]
        ran = [one.result() for one in both]
        for one in ran:
            self._take(one)
        self.rounds.append(Round(*(dict(one.trials) for one in ran)))
        return self.rounds[-1]

    def _take(self, ran: Ran) -> None:
        self._reasons.update(ran.errors)
        if ran.tokens is not None:
            self._tokens = (self._tokens or 0) + ran.tokens

    def _told(self, version: str) -> Callable[[Progress], None]:
        number = len(self.rounds) + 1

        def tell(progress: Progress) -> None:
            self._trials += 1
            self._transcripts.keep(version, number, progress)
            total = len(self._tasks) * len(self._asked.versions) * self._asked.trials.max
            left = self.seconds / self._trials * (total - self._trials)
            self._reach.tell({"done": self._trials, "total": total, "secondsLeft": round(left)})

        return tell

    def _overspent(self) -> Problem | None:
        budget, tokens = self._asked.budget, self._tokens or 0
        if budget is None or tokens < budget.tokens:
            return None
        return Problem("OverBudget", f"{tokens} tokens were used, {budget.tokens} are allowed")
