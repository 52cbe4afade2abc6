"""When what a deleted Agent left must stay, whoever seems to have deleted it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.fake_cluster import FakeCluster
from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Ref
from turnout.api.agent import DeletionPolicy
from turnout.core.collection import Left
from turnout.core.plan import Announcement
from turnout.core.world import Child
from turnout.errors import Forbidden, Transient
from turnout.runtime.guards import MOST, STOP, STOPPED_RECHECK, Accidents, Guards
from turnout.runtime.surroundings import AGENT_CRD

SYSTEM = "turnout-system"
MARK = Ref(kinds.CONFIG_MAP, SYSTEM, STOP)
DEMO = Ref(kinds.NAMESPACE, "", "demo")


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Scene:
    """A cluster in which every guard allows to collect."""

    def __init__(self) -> None:
        self.cluster = FakeCluster("demo", SYSTEM, "")
        self.clock = HandClock()
        self.told: list[tuple[Announcement, Document]] = []
        self.vouched: set[Ref] = set()
        self.begin()

    def begin(self) -> None:
        """Begin as a new process does."""
        self.accidents = Accidents(
            self.cluster, self.clock, SYSTEM, lambda *told: self.told.append(told)
        )
        self.guards = Guards(self.cluster, self.vouched.__contains__, self.accidents)

    async def furnish(self) -> "Scene":
        for ref in (DEMO, AGENT_CRD):
            await self.cluster.create(_manifest(ref))
        self.crd_uid = (await self.cluster.get(AGENT_CRD))["metadata"]["uid"]
        return self

    def left(self, name: str = "support", **changes: Any) -> Left:
        notes = {"turnout.dev/crd-uid": self.crd_uid, "turnout.dev/agent-uid": f"uid-{name}"}
        notes |= changes.pop("notes", {"turnout.dev/stable-version": f"{name}-aaaaaaaaaa"})
        metadata = {"name": name, "labels": {}, "annotations": notes}
        service = Child("uid", "1", {"metadata": metadata})
        return Left("demo", name, {("Service", name): service}, **changes)

    async def asks(self, name: str = "support", **changes: Any) -> str | None:
        refusal = await self.guards.refusal(
            Ref(kinds.AGENT, "demo", name), self.left(name, **changes)
        )
        return refusal.message if refusal else None

    async def lose(self, count: int) -> list[str | None]:
        return [await self.asks(f"agent-{number}") for number in range(count)]


def _manifest(ref: Ref) -> dict[str, Any]:
    metadata = {"name": ref.name, "namespace": ref.namespace}
    return {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind, "metadata": metadata}


def _raises(error: Exception, *of: Ref) -> Callable[[str, Ref], None]:
    def fault(_: str, ref: Ref) -> None:
        if ref in of:
            raise error

    return fault


@pytest.fixture
async def scene() -> Scene:
    return await Scene().furnish()


async def test_what_was_deleted_for_certain_may_go(scene: Scene) -> None:
    assert await scene.asks() is None


async def test_an_agent_that_is_there_keeps_all(scene: Scene) -> None:
    await scene.cluster.create(_manifest(Ref(kinds.AGENT, "demo", "support")))
    assert await scene.asks() == "the Agent is there"


@pytest.mark.parametrize("gone", [DEMO, AGENT_CRD])
async def test_where_kind_or_namespace_is_gone_nobody_deleted_the_agent(
    scene: Scene, gone: Ref
) -> None:
    scene.cluster.vanish(gone)
    assert "gone" in str(await scene.asks())


@pytest.mark.parametrize("going", [DEMO, AGENT_CRD])
async def test_where_kind_or_namespace_is_going_everything_stays(scene: Scene, going: Ref) -> None:
    scene.cluster.edit(going, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert await scene.asks() is not None


async def test_objects_made_under_another_crd_stay(scene: Scene) -> None:
    scene.cluster.vanish(AGENT_CRD)
    await scene.cluster.create(_manifest(AGENT_CRD))
    assert "not the one" in str(await scene.asks())


async def test_without_a_right_to_read_the_crd_only_a_witness_will_do(scene: Scene) -> None:
    scene.cluster.fault = _raises(Forbidden("get", "customresourcedefinitions"), AGENT_CRD)
    assert "cannot tell" in str(await scene.asks())
    scene.vouched.add(Ref(kinds.AGENT, "demo", "support"))
    assert await scene.asks() is None


async def test_a_question_without_an_answer_decides_nothing(scene: Scene) -> None:
    scene.cluster.fault = _raises(Transient("away"), AGENT_CRD)
    with pytest.raises(Transient):
        await scene.asks()


async def test_an_orphan_of_which_nobody_is_stable_stays_as_it_is(scene: Scene) -> None:
    assert "Orphan" in str(await scene.asks(policy=DeletionPolicy.ORPHAN, notes={}))
    assert await scene.asks(policy=DeletionPolicy.ORPHAN) is None


async def test_ten_agents_a_minute_may_go(scene: Scene) -> None:
    assert await scene.lose(MOST) == [None] * MOST
    scene.clock.passes(61)
    assert await scene.asks("another") is None
    assert not scene.accidents.stopped


async def test_the_eleventh_within_a_minute_stops_everything(scene: Scene) -> None:
    *before, last = await scene.lose(MOST + 1)
    assert before == [None] * MOST
    assert f"ConfigMap {SYSTEM}/{STOP}" in str(last)
    assert scene.accidents.stopped
    mark = await scene.cluster.get(MARK)
    assert STOP in mark["data"]["acknowledge"]
    [(told, regarding)] = scene.told
    assert (told.reason, told.warning, told.regarding.name) == ("MassDeletion", True, "agent-10")
    assert regarding["metadata"]["uid"] == "uid-agent-10"
    scene.clock.passes(3600)
    assert await scene.asks("much-later") is not None


async def test_the_same_agent_looked_at_often_is_one(scene: Scene) -> None:
    assert [await scene.asks() for _ in range(2 * MOST)] == [None] * (2 * MOST)


async def test_an_agent_whose_traffic_is_gone_already_is_not_counted(scene: Scene) -> None:
    await scene.lose(MOST)
    left = Left("demo", "going", {("Deployment", "x"): scene.left().children["Service", "support"]})
    assert await scene.accidents.refusal(Ref(kinds.AGENT, "demo", "going"), left) is None


async def test_a_stop_outlives_the_process(scene: Scene) -> None:
    await scene.lose(MOST + 1)
    scene.begin()
    assert await scene.asks() is not None
    assert scene.accidents.stopped


async def test_who_waited_goes_when_the_mark_was_deleted_and_counts_no_more(scene: Scene) -> None:
    await scene.lose(3 * MOST)
    scene.cluster.vanish(MARK)
    assert await scene.asks("agent-29") is not None, "asked a moment ago"
    scene.clock.passes(STOPPED_RECHECK.total_seconds())
    assert [one for one in await scene.lose(3 * MOST) if one is None] == [None] * 2 * MOST + [
        None
    ] * MOST
    assert not scene.accidents.stopped


async def test_after_an_answer_the_next_accident_stops_again(scene: Scene) -> None:
    await scene.lose(MOST + 1)
    scene.cluster.vanish(MARK)
    scene.clock.passes(STOPPED_RECHECK.total_seconds())
    assert await scene.asks("agent-10") is None
    assert [await scene.asks(f"more-{number}") for number in range(MOST + 1)][-1] is not None


async def test_a_stop_that_cannot_be_written_down_is_no_answer(scene: Scene) -> None:
    def fault(verb: str, ref: Ref) -> None:
        if verb == "create" and ref == MARK:
            raise Transient("away")

    scene.cluster.fault = fault
    await scene.lose(MOST + 1)
    scene.clock.passes(STOPPED_RECHECK.total_seconds())
    assert await scene.asks("agent-10") is not None
    scene.cluster.fault = lambda _verb, _ref: None
    scene.clock.passes(STOPPED_RECHECK.total_seconds())
    assert await scene.asks("agent-10") is not None
    assert await scene.cluster.get(MARK)


async def test_where_the_mark_may_not_be_read_a_stop_stays(scene: Scene) -> None:
    await scene.lose(MOST + 1)
    scene.cluster.fault = _raises(Forbidden("get", "configmaps"), MARK)
    scene.clock.passes(STOPPED_RECHECK.total_seconds())
    assert await scene.asks("agent-10") is not None


async def test_where_the_mark_may_never_be_read_nothing_is_stopped(scene: Scene) -> None:
    scene.cluster.fault = _raises(Forbidden("get", "configmaps"), MARK)
    assert await scene.asks() is None


async def test_a_mark_that_is_there_already_is_taken_for_ours(scene: Scene) -> None:
    await scene.lose(1)
    await scene.cluster.create(_manifest(MARK))
    await scene.lose(MOST + 1)
    assert scene.accidents.stopped
    scene.guards.forget(Ref(kinds.AGENT, "demo", "agent-10"))
    scene.clock.passes(STOPPED_RECHECK.total_seconds())
    assert await scene.asks() is not None
