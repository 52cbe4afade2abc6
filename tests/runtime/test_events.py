import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.fake_cluster import FakeCluster
from turnout.adapters.documents import EVENT, Document, Ref
from turnout.adapters.kube import KubeCluster, connect
from turnout.core.plan import Announcement, Target
from turnout.errors import Transient
from turnout.runtime.events import LONGEST_NOTE, Herald, render_event
from turnout.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = "2026-01-01T12:00:00.000000Z"
TARGET = Target("AgentRollout", "default", "support-r14")
ROLLOUT: Document = {
    "metadata": {
        "name": "support-r14",
        "namespace": "default",
        "uid": "6f2c1d7e-0000-4000-8000-000000000001",
        "resourceVersion": "7",
    }
}


class Noon:
    def now(self) -> datetime:
        return NOON


def announcement(**changes: Any) -> Announcement:
    known: dict[str, Any] = {
        "key": "support-r14/3",
        "regarding": TARGET,
        "reason": "StepStarted",
        "message": "25 % of the traffic goes to support-9c41e07b2d",
    }
    return Announcement(**known | changes)


def rendered(**changes: Any) -> Document:
    return render_event(announcement(**changes), ROLLOUT, AT, "operator-1")


async def post(herald: Herald) -> None:
    """Let the herald post what waits."""
    task = asyncio.create_task(herald.run())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})


def test_an_event_says_what_happened_to_what() -> None:
    event = rendered()
    assert event["reason"] == "StepStarted"
    assert event["type"] == "Normal"
    assert event["regarding"]["uid"] == ROLLOUT["metadata"]["uid"]
    assert rendered(warning=True)["type"] == "Warning"


def test_an_events_name_is_the_same_after_a_restart_and_differs_for_another_telling() -> None:
    name = rendered()["metadata"]["name"]
    assert rendered(message="in other words")["metadata"]["name"] == name
    assert rendered(key="support-r14/4")["metadata"]["name"] != name
    assert rendered(reason="StepEnded")["metadata"]["name"] != name


def test_foreign_text_is_bounded_and_cannot_steer_a_terminal() -> None:
    note = rendered(message="\u202eevil\x1b[2J\n" + "x" * 5000)["note"]
    assert note.startswith("\\u202eevil\\x1b[2J\\n")
    assert len(note.encode()) <= LONGEST_NOTE
    assert len(rendered(message="é" * 5000)["note"].encode()) == LONGEST_NOTE


async def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    cluster = FakeCluster("default")
    for _ in range(2):
        herald = Herald(cluster, Noon(), "operator-1")
        herald.tell(announcement(), ROLLOUT)
        await post(herald)
    assert len((await cluster.list(EVENT, "default")).items) == 1


async def test_events_are_posted_in_the_order_they_were_told() -> None:
    cluster = FakeCluster("default")
    herald = Herald(cluster, Noon(), "operator-1")
    for step in range(5):
        herald.tell(announcement(key=f"support-r14/{step}", reason=f"Step{step}"), ROLLOUT)
    await post(herald)
    posted = (await cluster.list(EVENT, "default")).items.values()
    assert [event["reason"] for event in posted if isinstance(event, dict)] == [
        f"Step{step}" for step in range(5)
    ]


async def test_a_post_that_fails_holds_up_no_other() -> None:
    cluster = FakeCluster("default")
    failures = [Transient("down")]

    def fault(verb: str, _: Ref) -> None:
        if verb == "create" and failures:
            raise failures.pop()

    cluster.fault = fault
    herald = Herald(cluster, Noon(), "operator-1")
    herald.tell(announcement(key="lost"), ROLLOUT)
    herald.tell(announcement(key="posted"), ROLLOUT)
    await post(herald)
    assert len((await cluster.list(EVENT, "default")).items) == 1


async def test_hundreds_of_events_that_wait_never_hold_up_the_teller() -> None:
    cluster = FakeCluster("default")
    herald = Herald(cluster, Noon(), "operator-1")
    for number in range(1000):
        herald.tell(announcement(key=str(number)), ROLLOUT)
    await post(herald)
    assert 0 < len((await cluster.list(EVENT, "default")).items) < 1000


@pytest.mark.light
async def test_a_real_api_server_takes_an_event_and_takes_it_once(
    light_settings: Settings,
) -> None:
    client = await connect(light_settings)
    cluster = KubeCluster(client)
    herald = Herald(cluster, Noon(), "operator-1")
    key = f"{datetime.now(UTC).timestamp()}"
    told = announcement(key=key, message="é" * 2000)
    herald.tell(told, ROLLOUT)
    herald.tell(told, ROLLOUT)
    posting = asyncio.create_task(herald.run())
    name = render_event(told, ROLLOUT, AT, "operator-1")["metadata"]["name"]
    try:
        async with asyncio.timeout(10):
            found = await _appeared(cluster, Ref(EVENT, "default", name))
        assert found["reason"] == "StepStarted"
    finally:
        posting.cancel()
        await asyncio.wait({posting})
        await client.close()


async def _appeared(cluster: KubeCluster, ref: Ref) -> Document:
    while True:
        listing = await cluster.list(ref.kind, ref.namespace)
        if isinstance(found := listing.items.get(ref), dict):
            return found
        await asyncio.sleep(0.05)
