"""A deletion counts where the kind stayed: its watch open, and discovery offering `create`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from typing_extensions import override

from turnout.adapters.documents import AGENT, Kind, Ref
from turnout.adapters.ports import Presence
from turnout.errors import Transient
from turnout.runtime.witness import VIGIL, Witness

SUPPORT, BILLING = Ref(AGENT, "demo", "support"), Ref(AGENT, "demo", "billing")
GONE, THERE = False, True

pytestmark = pytest.mark.looptime


class Scripted(Presence):
    """A kind that comes and goes as a test says."""

    def __init__(self) -> None:
        self.offered: bool | Exception = True
        self.looks = 0
        self.opened = 0
        self._events: asyncio.Queue[tuple[Ref, bool] | Exception | None] = asyncio.Queue()

    def say(self, event: tuple[Ref, bool] | Exception | None) -> None:
        self._events.put_nowait(event)

    @override
    async def offers_create(self, kind: Kind) -> bool:
        assert kind == AGENT
        self.looks += 1
        if isinstance(self.offered, Exception):
            raise self.offered
        return self.offered

    @override
    async def changes(self, kind: Kind, namespace: str) -> AsyncGenerator[tuple[Ref, bool]]:
        assert (kind, namespace) == (AGENT, "demo")
        self.opened += 1
        while (event := await self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event


class Scene:
    def __init__(self) -> None:
        self.presence = Scripted()
        self.woken: list[Ref] = []
        self.witness = Witness(self.presence, ["demo"], self._wake)

    def _wake(self, refs: Iterable[Ref]) -> None:
        self.woken += refs


@asynccontextmanager
async def watching() -> AsyncIterator[Scene]:
    scene = Scene()
    task = asyncio.create_task(scene.witness.run())
    try:
        yield scene
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_agent_that_goes_while_its_kind_stays_was_deleted() -> None:
    async with watching() as scene:
        scene.presence.say((SUPPORT, GONE))
        await asyncio.sleep(VIGIL - 0.1)
        assert not scene.witness.vouches(SUPPORT)
        await asyncio.sleep(0.3)
        assert scene.witness.vouches(SUPPORT)
        assert scene.woken == [SUPPORT]


async def test_each_deletion_is_watched_for_its_own_time() -> None:
    async with watching() as scene:
        scene.presence.say((SUPPORT, GONE))
        await asyncio.sleep(VIGIL / 2)
        scene.presence.say((BILLING, GONE))
        await asyncio.sleep(VIGIL / 2 + 0.2)
        assert [scene.witness.vouches(one) for one in (SUPPORT, BILLING)] == [True, False]
        await asyncio.sleep(VIGIL / 2)
        assert scene.witness.vouches(BILLING)


@pytest.mark.parametrize("offered", [False, Transient("away")])
async def test_one_look_at_a_kind_that_is_going_spoils_the_deletion(
    *,
    offered: bool | Exception,
) -> None:
    async with watching() as scene:
        scene.presence.say((SUPPORT, GONE))
        await asyncio.sleep(1)
        scene.presence.offered = offered
        await asyncio.sleep(0.06)
        scene.presence.offered = True
        await asyncio.sleep(2 * VIGIL)
        assert not scene.witness.vouches(SUPPORT)


@pytest.mark.parametrize("end", [None, Transient("cut")])
async def test_a_watch_that_ends_spoils_the_deletions_it_told_of(end: Exception | None) -> None:
    async with watching() as scene:
        scene.presence.say((SUPPORT, GONE))
        await asyncio.sleep(1)
        scene.presence.say(end)
        await asyncio.sleep(2 * VIGIL)
        assert not scene.witness.vouches(SUPPORT)
        scene.presence.say((BILLING, GONE))
        await asyncio.sleep(VIGIL + 0.2)
        assert scene.witness.vouches(BILLING), "the watch is open again"
        assert scene.presence.opened == 2


async def test_an_agent_that_is_back_was_not_deleted() -> None:
    async with watching() as scene:
        scene.presence.say((SUPPORT, GONE))
        scene.presence.say((BILLING, GONE))
        await asyncio.sleep(1)
        scene.presence.say((SUPPORT, THERE))
        await asyncio.sleep(VIGIL)
        assert [scene.witness.vouches(one) for one in (SUPPORT, BILLING)] == [False, True]
        scene.presence.say((BILLING, THERE))
        await asyncio.sleep(0.1)
        assert not scene.witness.vouches(BILLING)


async def test_discovery_is_left_alone_while_nobody_goes() -> None:
    async with watching() as scene:
        scene.presence.say((SUPPORT, THERE))
        await asyncio.sleep(60)
        assert scene.presence.looks == 0
        scene.presence.say((SUPPORT, GONE))
        await asyncio.sleep(60)
        assert scene.presence.looks == pytest.approx(VIGIL / 0.05, abs=3)
