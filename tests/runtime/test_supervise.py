import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tests.support.fake_cluster import FakeCluster
from turnout.adapters.documents import AGENT_ROLLOUT, HTTP_ROUTE, Kind
from turnout.runtime.relist import Relister
from turnout.runtime.store import Refs, Store
from turnout.runtime.supervise import SWEEP_PAUSE, Sweeper, supervise

pytestmark = pytest.mark.looptime


@asynccontextmanager
async def running(coroutine: "asyncio.Future[None]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        coroutine.cancel()
        with suppress(asyncio.CancelledError):
            await coroutine


async def births(lengths: list[float]) -> list[float]:
    """When each life began, the last of which never ends."""
    loop = asyncio.get_running_loop()
    born: list[float] = []
    deaths: list[float] = []
    began = loop.time()

    async def life() -> BaseException | None:
        number = len(born)
        born.append(loop.time() - began)
        await asyncio.sleep(lengths[number] if number < len(lengths) else 1e6)
        return ConnectionError("reset")

    def on_death() -> None:
        deaths.append(loop.time())

    async with running(asyncio.ensure_future(supervise(life, on_death))):
        await asyncio.sleep(1000)
    assert len(deaths) == len(lengths)
    return born


async def test_a_new_life_begins_soon_after_a_death() -> None:
    assert await births([60.0]) == pytest.approx([0, 60.2])


async def test_lives_that_end_at_once_come_less_often_and_never_stop_coming() -> None:
    pauses = [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    born = await births([0.0] * len(pauses))
    assert [after - before for before, after in itertools.pairwise(born)] == (pytest.approx(pauses))


async def test_a_long_life_makes_the_next_pause_short_again() -> None:
    born = await births([0.0, 0.0, 0.0, 30.0])
    assert born[-1] == pytest.approx(born[-2] + 30.2)


async def test_a_fault_of_our_own_is_not_hidden() -> None:
    async def life() -> BaseException | None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await supervise(life, lambda: None)


async def sweeps(is_active: Callable[[], bool], seconds: float, absent: set[Kind]) -> list[Kind]:
    """The kinds listed by a Sweeper in a time."""
    cluster = FakeCluster("demo")
    listed: list[Kind] = []
    cluster.absent_kinds = absent
    cluster.fault = lambda _, ref: listed.append(ref.kind)
    relister = Relister(cluster, Store())
    await relister.relist()
    listed.clear()
    sweeper = Sweeper(relister, lambda _: None, is_active)
    async with running(asyncio.ensure_future(sweeper.run())):
        await asyncio.sleep(seconds)
    return listed


async def test_routes_and_rollouts_are_read_again_while_a_rollout_is_active() -> None:
    listed = await sweeps(lambda: True, 3.5 * SWEEP_PAUSE, set())
    assert sorted(listed) == sorted([AGENT_ROLLOUT, HTTP_ROUTE] * 3)


async def test_nothing_is_read_again_while_no_rollout_is_active() -> None:
    assert await sweeps(lambda: False, 3600, set()) == []


async def test_routes_that_are_not_served_are_not_asked_for() -> None:
    listed = await sweeps(lambda: True, 2.5 * SWEEP_PAUSE, {HTTP_ROUTE})
    assert listed == [AGENT_ROLLOUT] * 2


async def test_a_sweep_wakes_whom_its_news_bears_on() -> None:
    cluster, woken = FakeCluster("demo"), list[Refs]()
    relister = Relister(cluster, Store())
    sweeper = Sweeper(relister, woken.append, lambda: True)
    metadata = {"name": "support-r1", "namespace": "demo"}
    rollout = {"apiVersion": AGENT_ROLLOUT.api_version, "kind": AGENT_ROLLOUT.kind}
    await cluster.create(rollout | {"metadata": metadata, "spec": {"agent": "support"}})
    async with running(asyncio.ensure_future(sweeper.run())):
        await asyncio.sleep(1.5 * SWEEP_PAUSE)
    assert [ref.name for refs in woken for ref in refs] == ["support"]
