import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import looptime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.runtime.queue import Queue

pytestmark = pytest.mark.looptime


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def new_queue(lane: Callable[[str], str] = lambda _: "") -> Queue[str]:
    return Queue(lane, spread=lambda: 1.0)


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def drain(queue: Queue[str], work: Callable[[str], Awaitable[None]], workers: int) -> None:
    """Work on keys until the queue is stopped."""

    async def worker() -> None:
        async for key in queue:
            await work(key)
            queue.done(key)

    await asyncio.gather(*(worker() for _ in range(workers)))


async def is_idle(queue: Queue[str], within: float) -> bool:
    """Claim that nothing is handed out for so many seconds."""
    try:
        async with asyncio.timeout(within):
            await anext(queue)
    except TimeoutError:
        return True
    return False


async def test_a_key_named_often_is_handed_out_once() -> None:
    queue = new_queue()
    queue.add("a")
    queue.add("a")
    queue.add("a", seconds(5))
    assert await anext(queue) == "a"
    queue.done("a")
    assert await is_idle(queue, 100)


async def test_the_soonest_of_several_times_counts() -> None:
    queue = new_queue()
    queue.add("a", seconds(60))
    queue.add("a", seconds(10))
    queue.add("a", seconds(30))
    await anext(queue)
    assert loop_time() == pytest.approx(10)
    queue.done("a")
    assert await is_idle(queue, 600)


async def test_a_time_that_was_overtaken_is_not_counted_twice() -> None:
    queue = new_queue()
    queue.add("a", seconds(10))
    queue.add("a", seconds(5))
    await anext(queue)
    queue.done("a", seconds(5))
    await anext(queue)
    queue.done("a")
    assert queue.depth == 0
    assert await is_idle(queue, 600)


async def test_keys_come_when_they_are_due() -> None:
    queue = new_queue()
    queue.add("late", seconds(3600))
    queue.add("soon", seconds(1))
    assert [await anext(queue), loop_time()] == ["soon", pytest.approx(1)]
    assert [await anext(queue), loop_time()] == ["late", pytest.approx(3600)]


async def test_a_key_is_never_with_two_workers() -> None:
    queue = new_queue()
    queue.add("a")
    await anext(queue)
    queue.add("a")
    assert await is_idle(queue, 100)
    queue.done("a")
    assert await anext(queue) == "a"


async def test_a_key_named_during_its_work_comes_at_the_soonest_of_both_times() -> None:
    queue = new_queue()
    queue.add("a")
    await anext(queue)
    queue.add("a", seconds(30))
    queue.done("a", seconds(5))
    await anext(queue)
    assert loop_time() == pytest.approx(5)


async def test_failures_delay_a_key_longer_each_time_up_to_a_minute() -> None:
    queue = new_queue()
    queue.add("a")
    gaps = []
    for _ in range(12):
        started = loop_time()
        await anext(queue)
        gaps.append(round(loop_time() - started, 2))
        queue.failed("a")
    assert gaps[0] == 0
    assert gaps[1:] == sorted(gaps[1:])
    assert gaps[1] == pytest.approx(0.2, abs=1e-3)
    assert gaps[-1] == pytest.approx(60, abs=1e-3)


async def test_success_forgets_failures() -> None:
    queue = new_queue()
    queue.add("a")
    for _ in range(8):
        await anext(queue)
        queue.failed("a")
    await anext(queue)
    queue.done("a", seconds(0))
    await anext(queue)
    started = loop_time()
    queue.failed("a")
    await anext(queue)
    assert loop_time() - started == pytest.approx(0.2, abs=1e-3)


async def test_an_event_wakes_a_failing_key_but_not_more_than_twice_a_second() -> None:
    queue = new_queue()
    queue.add("a")
    for _ in range(9):
        await anext(queue)
        queue.failed("a")
    started = loop_time()
    queue.add("a")
    await anext(queue)
    assert loop_time() - started == pytest.approx(0.5, abs=1e-3)


async def test_a_delay_that_the_server_named_is_kept_whatever_happens() -> None:
    queue = new_queue()
    queue.add("a")
    await anext(queue)
    queue.failed("a", seconds(30))
    queue.add("a")
    await anext(queue)
    assert loop_time() == pytest.approx(30)


async def test_a_crowded_lane_does_not_starve_another() -> None:
    queue = new_queue(lane=lambda key: key[0])
    for number in range(1000):
        queue.add(f"a{number}")
    queue.add("b0")
    assert {await anext(queue), await anext(queue)} == {"a0", "b0"}


async def test_depth_and_age_speak_of_what_waits_for_a_worker() -> None:
    queue = new_queue()
    queue.add("a")
    queue.add("b", seconds(10))
    queue.add("c", seconds(500))
    await asyncio.sleep(40)
    assert queue.depth == 2
    assert queue.oldest_age == seconds(40)
    await anext(queue)
    assert queue.oldest_age == seconds(30)
    await anext(queue)
    assert (queue.depth, queue.oldest_age) == (0, seconds(0))


async def test_a_stopped_queue_ends_all_workers_after_what_they_have_begun() -> None:
    queue = new_queue()
    ended = []

    async def work(key: str) -> None:
        await asyncio.sleep(7)
        ended.append(key)

    queue.add("a")
    queue.add("b", seconds(1))
    queue.add("c", seconds(5))
    asyncio.get_running_loop().call_later(3, queue.stop)
    await drain(queue, work, workers=4)
    assert ended == ["a", "b"]
    assert loop_time() == pytest.approx(8)


ADDITIONS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(0, 50), st.integers(0, 20)),
    min_size=1,
    max_size=30,
)


@given(additions=ADDITIONS, workers=st.integers(1, 3))
def test_every_key_is_worked_on_after_its_last_addition(
    additions: list[tuple[str, int, int]], workers: int
) -> None:
    async def scenario() -> None:
        queue = new_queue()
        began: dict[str, int] = {}
        added: dict[str, int] = {}
        at_work: set[str] = set()

        async def work(key: str) -> None:
            assert key not in at_work
            at_work.add(key)
            began[key] = step
            await asyncio.sleep(0)
            at_work.remove(key)

        drained = asyncio.ensure_future(drain(queue, work, workers))
        for step, (key, after, yields) in enumerate(additions):
            queue.add(key, timedelta(milliseconds=after / 100))
            added[key] = step
            for _ in range(yields):
                await asyncio.sleep(0)
        step = len(additions)
        await asyncio.sleep(1)
        assert all(began[key] >= at for key, at in added.items())
        queue.stop()
        await drained

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(scenario())
