import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.fake_cluster import FakeCluster
from turnout.adapters.documents import CONFIG_MAP, LEASE, Document, Ref
from turnout.errors import Forbidden, LeaseLost, NotFound, Transient
from turnout.runtime.lease import Fenced, Leadership, lease_ref
from turnout.settings import LeaseTimes

pytestmark = pytest.mark.looptime

LEASE_REF = lease_ref("turnout-system")
CONTENT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "content", "namespace": "turnout-system"},
}


class LoopClock:
    """Wall time that goes with the loop's."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=loop_time())


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster("turnout-system")


@pytest.fixture
def member(cluster: FakeCluster) -> Callable[[str], Leadership]:
    return lambda name: Leadership(cluster, LEASE_REF, name, LeaseTimes(), LoopClock())


@pytest.fixture
def cut(cluster: FakeCluster) -> Iterator[Callable[[Exception | None], None]]:
    """Make every request fail with an error from now on, or (None) succeed again."""

    def fail_with(error: Exception | None) -> None:
        def fault(_verb: str, _ref: Ref) -> None:
            if error:
                raise error

        cluster.fault = fault

    yield fail_with
    fail_with(None)


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def spec_of(cluster: FakeCluster) -> Document:
    spec: Document = (await cluster.get(LEASE_REF))["spec"]
    return spec


async def seconds_until_acquired(leadership: Leadership, patience: float = 60) -> float:
    started = loop_time()
    async with asyncio.timeout(patience):
        await leadership.acquire()
    return loop_time() - started


async def lost_at(leadership: Leadership) -> float:
    """Keep the lease until it is lost and return when that was."""
    with pytest.raises(LeaseLost):
        await leadership.keep()
    assert not leadership.still_leading()
    return loop_time()


async def keep_for(leadership: Leadership, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await leadership.keep()


Member = Callable[[str], Leadership]
Cut = Callable[[Exception | None], None]


async def test_the_first_one_leads_at_once(cluster: FakeCluster, member: Member) -> None:
    one = member("one")
    assert not one.still_leading()
    assert await seconds_until_acquired(one) == 0
    assert one.still_leading()
    spec = await spec_of(cluster)
    assert spec["holderIdentity"] == "one"
    assert spec["leaseDurationSeconds"] == 15
    assert spec["renewTime"] == "2026-01-01T00:00:00.000000Z"


async def test_a_leader_renews_every_two_seconds_and_stays(
    cluster: FakeCluster, member: Member
) -> None:
    one = member("one")
    await one.acquire()
    await keep_for(one, 61)
    assert one.still_leading()
    assert [verb for verb, _ in cluster.requests] == ["create"] + ["apply"] * 30
    spec = await spec_of(cluster)
    assert spec["acquireTime"] == "2026-01-01T00:00:00.000000Z"
    assert spec["renewTime"] == "2026-01-01T00:01:00.000000Z"
    assert spec["leaseTransitions"] == 1


async def test_a_standby_never_leads_beside_a_leader(member: Member) -> None:
    one, two = member("one"), member("two")
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    with pytest.raises(TimeoutError):
        await seconds_until_acquired(two, patience=120)
    assert one.still_leading()
    assert not two.still_leading()
    keeping.cancel()


async def test_a_standby_takes_over_in_under_twenty_seconds_after_a_kill(member: Member) -> None:
    one, two = member("one"), member("two")
    await one.acquire()
    assert 15 < await seconds_until_acquired(two) < 20
    assert not one.still_leading()


async def test_a_standby_takes_over_in_under_three_seconds_after_a_release(
    cluster: FakeCluster, member: Member
) -> None:
    one, two = member("one"), member("two")
    await one.acquire()
    waiting = asyncio.create_task(seconds_until_acquired(two))
    await asyncio.sleep(7.3)
    await one.release()
    released = loop_time()
    assert not one.still_leading()
    await waiting
    assert loop_time() - released < 3
    assert (await spec_of(cluster))["leaseTransitions"] == 3


async def test_a_restarted_leader_of_the_same_name_goes_on_at_once(member: Member) -> None:
    await member("one").acquire()
    assert await seconds_until_acquired(member("one")) == 0


@pytest.mark.parametrize(
    "error", [Transient("cut"), Transient("busy", timedelta(seconds=30)), Forbidden("patch", "x")]
)
async def test_a_leader_that_is_cut_off_stops_before_anybody_can_take_over(
    member: Member, cluster: FakeCluster, error: Exception
) -> None:
    one, two = member("one"), member("two")
    await one.acquire()

    def fault(verb: str, _: Ref) -> None:
        if verb == "apply" and loop_time() > 20 and one.still_leading():
            raise error

    cluster.fault = fault
    took_over = asyncio.create_task(seconds_until_acquired(two, patience=100))
    stopped = await lost_at(one)
    assert stopped == pytest.approx(20 + 10)
    await took_over
    assert loop_time() > stopped + 4


async def test_an_outage_shorter_than_the_deadline_costs_nothing(member: Member, cut: Cut) -> None:
    one = member("one")
    await one.acquire()
    asyncio.get_running_loop().call_later(5, cut, Transient("down"))
    asyncio.get_running_loop().call_later(11, cut, None)
    await keep_for(one, 60)
    assert one.still_leading()


async def test_a_call_that_hangs_does_not_outlive_the_deadline(
    member: Member, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = member("one")
    await one.acquire()

    async def hang(*_: Any, **__: Any) -> Document:
        await asyncio.sleep(10_000)
        return {}

    monkeypatch.setattr(cluster, "apply", hang)
    assert await lost_at(one) == pytest.approx(10)


async def test_a_leader_stops_at_once_when_another_holds_the_lease(
    member: Member, cluster: FakeCluster
) -> None:
    one = member("one")
    await one.acquire()
    cluster.edit(LEASE_REF, {"spec": {"holderIdentity": "two"}})
    assert await lost_at(one) == pytest.approx(2)


async def test_a_touched_lease_that_still_names_the_leader_is_kept(
    member: Member, cluster: FakeCluster
) -> None:
    one = member("one")
    await one.acquire()
    cluster.edit(LEASE_REF, {"metadata": {"annotations": {"note": "touched"}}})
    await keep_for(one, 30)
    assert one.still_leading()


async def test_a_deleted_lease_is_made_anew_by_its_leader_and_not_by_a_standby(
    member: Member, cluster: FakeCluster
) -> None:
    one, two = member("one"), member("two")
    await one.acquire()
    standby = asyncio.create_task(two.acquire())
    keeping = asyncio.create_task(one.keep())
    await asyncio.sleep(10.5)
    cluster.vanish(LEASE_REF)
    await asyncio.sleep(60)
    assert one.still_leading()
    assert not standby.done()
    assert (await spec_of(cluster))["holderIdentity"] == "one"
    for task in (standby, keeping):
        task.cancel()


async def test_a_renew_time_in_the_future_gains_nothing(
    member: Member, cluster: FakeCluster
) -> None:
    one, two = member("one"), member("two")
    await one.acquire()
    cluster.edit(LEASE_REF, {"spec": {"renewTime": "2099-01-01T00:00:00.000000Z"}})
    assert 15 < await seconds_until_acquired(two) < 20


async def test_of_many_standbys_one_leads(member: Member) -> None:
    standbys = [member(f"standby-{number}") for number in range(5)]
    tasks = [asyncio.create_task(standby.acquire()) for standby in standbys]
    await asyncio.sleep(9)
    assert [standby.still_leading() for standby in standbys].count(True) == 1
    assert [task.done() for task in tasks].count(True) == 1
    for task in tasks:
        task.cancel()


async def test_a_release_that_fails_still_stops_the_leader(member: Member, cut: Cut) -> None:
    one = member("one")
    await one.acquire()
    cut(Transient("down"))
    await one.release()
    assert not one.still_leading()


async def test_only_a_leader_writes_and_everybody_reads(
    cluster: FakeCluster, member: Member
) -> None:
    one = member("one")
    fenced = Fenced(cluster, one)
    ref = Ref(CONFIG_MAP, "turnout-system", "content")
    with pytest.raises(NotFound):
        await fenced.get(ref)
    writes: list[Callable[[], Any]] = [
        lambda: fenced.create(CONTENT),
        lambda: fenced.apply(CONTENT, None),
        lambda: fenced.write_status(ref, {}, "1"),
        lambda: fenced.delete(ref, "uid"),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            await write()
    assert cluster.requests == []
    await one.acquire()
    made = await fenced.create(CONTENT)
    await fenced.delete(ref, made["metadata"]["uid"])
    assert (await fenced.list(CONFIG_MAP, "turnout-system")).items == {}


async def test_nothing_is_written_once_the_deadline_has_passed(
    cluster: FakeCluster, member: Member
) -> None:
    one = member("one")
    await one.acquire()
    await asyncio.sleep(9.9)
    await Fenced(cluster, one).create(CONTENT)
    await asyncio.sleep(0.2)
    with pytest.raises(LeaseLost):
        await Fenced(cluster, one).apply(CONTENT, None)


@pytest.mark.parametrize(("renewed", "error"), [(False, LeaseLost), (True, Transient)])
async def test_a_write_without_an_answer_ends_at_the_deadline_it_began_with(
    cluster: FakeCluster,
    member: Member,
    monkeypatch: pytest.MonkeyPatch,
    *,
    renewed: bool,
    error: type[Exception],
) -> None:
    one = member("one")
    await one.acquire()

    async def hang(*_: Any) -> Document:
        await asyncio.sleep(10_000)
        return {}

    monkeypatch.setattr(cluster, "create", hang)
    keeping = asyncio.create_task(one.keep()) if renewed else None
    with pytest.raises(error):
        await Fenced(cluster, one).create(CONTENT)
    assert loop_time() == pytest.approx(10)
    if keeping:
        keeping.cancel()


def test_only_a_lease_can_be_led_by(cluster: FakeCluster) -> None:
    other = Ref(CONFIG_MAP, "turnout-system", "turnout")
    with pytest.raises(ValueError, match="no Lease"):
        Leadership(cluster, other, "one", LeaseTimes(), LoopClock())
    assert LEASE_REF.kind == LEASE
