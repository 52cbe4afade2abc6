"""The runner's patience and pace, in the event loop's own time."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from typing_extensions import override

from turnout.api.graders import Grader
from turnout.core.suites.counts import Trials
from turnout.errors import Invalid
from turnout.evals.graders.answers import Answer
from turnout.evals.protocols.talk import Message
from turnout.jobs.evaluation.agent import NoAnswer
from turnout.jobs.evaluation.runner import Asks, Pace, Progress, Ran, Runner, Task

pytestmark = pytest.mark.looptime

QUICK = Pace(pause=0.001, longest=0.002)


def task(name: str, **rule: Any) -> Task:
    grader = Grader.model_validate({"name": "g", **(rule or {"exact": {"text": "yes"}})})
    return Task(name, (Message("user", "Hello?"),), (grader,))


def quiet(_progress: Progress) -> None:
    pass


class Scripted(Asks):
    """Answers by turns, and remembers when it was asked."""

    def __init__(self, *turns: Answer | NoAnswer, takes: float = 0.0) -> None:
        self.turns = list(turns)
        self.takes = takes
        self.at: list[float] = []
        self.most = self.now = 0

    @override
    async def ask(self, conversation: Sequence[Message]) -> Answer:
        self.at.append(asyncio.get_running_loop().time())
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.takes)
        self.now -= 1
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, NoAnswer):
            raise turn
        return turn


YES, NO = Answer("yes"), Answer("no")
BUSY = NoAnswer("RateLimited", "busy", is_passing=True)


async def ran(agent: Scripted, pace: Pace, *tasks: Task) -> Ran:
    return await Runner(agent, pace).run(tasks, quiet)


async def test_a_round_counts_passes_failures_and_errors_apart() -> None:
    silent = task("silent", trajectory={"mostCalls": 1})
    broken = NoAnswer("Unreadable", "the answer is no text")
    script = Scripted(YES, NO, broken, YES)
    found = await ran(script, Pace(concurrency=1), task("a"), task("b"), task("c"), silent)
    assert dict(found.trials) == {
        "a": Trials(1),
        "b": Trials(0, 1),
        "c": Trials(0, 0, 1),
        "silent": Trials(0, 0, 1),
    }
    assert dict(found.errors) == {"Unreadable": 1, "Ungraded": 1}
    assert found.outcomes[1].why == "g: the answer is another text"


async def test_a_grader_at_fault_is_refused_before_anything_is_asked() -> None:
    script = Scripted(YES)
    with pytest.raises(Invalid, match="task b, grader g: pattern"):
        await ran(script, Pace(), task("a"), task("b", regex={"pattern": "("}))
    assert script.at == []


async def test_what_passes_is_asked_again_and_what_stays_is_not() -> None:
    script = Scripted(BUSY, BUSY, YES)
    assert dict((await ran(script, QUICK, task("a"))).trials) == {"a": Trials(1)}
    script = Scripted(BUSY)
    assert dict((await ran(script, QUICK, task("a"))).errors) == {"RateLimited": 1}
    assert len(script.at) == 3
    script = Scripted(NoAnswer("TimedOut", "no answer"))
    assert dict((await ran(script, QUICK, task("a"))).errors) == {"TimedOut": 1}
    assert len(script.at) == 1


async def test_repetitions_wait_ever_longer_and_as_long_as_they_are_asked_to() -> None:
    script = Scripted(BUSY)
    await ran(script, Pace(attempts=5, pause=4, longest=10), task("a"))
    waits = [later - sooner for sooner, later in zip(script.at, script.at[1:], strict=False)]
    assert all(
        low - 0.1 <= wait <= 2 * low + 0.1 for wait, low in zip(waits, (2, 4, 5, 5), strict=True)
    )
    script = Scripted(NoAnswer("RateLimited", "busy", is_passing=True, after=9), YES)
    await ran(script, Pace(longest=10), task("a"))
    assert script.at[1] - script.at[0] == pytest.approx(9, abs=0.1)


async def test_who_asks_for_too_long_a_wait_is_not_asked_again() -> None:
    script = Scripted(NoAnswer("RateLimited", "busy", is_passing=True, after=3600))
    assert dict((await ran(script, Pace(), task("a"))).errors) == {"RateLimited": 1}
    assert len(script.at) == 1


async def test_only_so_many_are_under_way_and_so_many_begin_in_a_minute() -> None:
    tasks = [task(str(number)) for number in range(9)]
    script = Scripted(YES, takes=10)
    await ran(script, Pace(concurrency=3), *tasks)
    assert script.most == 3
    began = asyncio.get_running_loop().time()
    script = Scripted(YES)
    await ran(script, Pace(per_minute=30), *tasks)
    assert [at - began for at in script.at] == pytest.approx(
        [2.0 * number for number in range(9)], abs=0.1
    )


async def test_progress_tells_what_is_done_and_what_became_of_it() -> None:
    told: list[Progress] = []
    tasks = [task(str(number)) for number in range(4)]
    await Runner(Scripted(YES, takes=5), Pace(concurrency=2)).run(tasks, told.append)
    assert [(one.done, one.total) for one in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {one.last.task for one in told} == {one.id for one in tasks}
    assert all(one.answer == YES for one in told)
