"""What breaks on the way from the API server costs seconds, and never more than itself."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from devcluster import Cluster, down, restart_apiserver, up
from devcluster.paths import default_name
from tests.support.faultproxy import FaultProxy, Watch, poison, refusal
from tests.support.kubectl import Kubectl
from tests.support.reading import People, Reading, eventually, people, reading
from turnout.adapters.documents import (
    AGENT,
    CONFIG_MAP,
    HTTP_ROUTE,
    SERVICE,
    WATCHED_KINDS,
    Kind,
    Ref,
)
from turnout.errors import Invalid
from turnout.runtime import informer
from turnout.runtime.supervise import Sweeper

pytestmark = pytest.mark.light

ROOT = Path(__file__).parents[2]
DEEPEST = 9_990
"""So deep may an object be that the API server stores; 10,050 it refuses."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    name = f"{default_name('light')}-reader"
    made = up("light", name)
    kubectl = Kubectl(made, "default")
    kubectl.run("apply", "-f", str(ROOT / "crds"))
    kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    yield made
    down(name)


@pytest.fixture
async def admin(cluster: Cluster) -> AsyncIterator[People]:
    async with people(cluster) as found:
        yield found


@pytest.fixture
async def namespace(admin: People) -> AsyncIterator[str]:
    name = await admin.make_namespace()
    yield name
    await admin.remove_namespace(name)


@pytest.fixture
async def proxy(cluster: Cluster) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(cluster.kubeconfig) as found:
        yield found


@pytest.fixture
async def read(proxy: FaultProxy, tmp_path: Path) -> AsyncIterator[Reading]:
    async with reading(proxy, tmp_path) as found:
        yield found


def is_reading() -> bool:
    return any(thread.name == "kopf" for thread in threading.enumerate())


def is_watch(request: web.Request, kind: Kind) -> bool:
    return request.path == kind.path() and "watch" in request.query


async def stream(proxy: FaultProxy, kind: Kind = CONFIG_MAP) -> Watch:
    """The open stream of a kind; between two streams there is none for a moment."""
    await eventually(lambda: proxy.open_watches(kind))
    return proxy.open_watches(kind)[0]


def asked(proxy: FaultProxy, began: int) -> list[web.Request]:
    """The reads of ConfigMaps since a number of reads."""
    return [request for request in proxy.reads[began:] if request.path == CONFIG_MAP.path()]


# what is heard where nothing breaks


async def test_all_that_is_there_is_read_before_anything_else(
    proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    ref = await admin.make(namespace)
    async with reading(proxy, tmp_path) as read:
        assert read.has(ref)


async def test_each_change_is_heard(read: Reading, admin: People, namespace: str) -> None:
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))
    await admin.annotate(ref, "changed")
    await eventually(lambda: read.note(ref) == "changed")
    await admin.delete(ref)
    await eventually(lambda: read.store.get(ref) is None)
    assert {found.name for refs in read.woken for found in refs} >= {"support"}


async def test_changes_of_many_objects_hold_each_other_up_for_no_time(
    read: Reading, admin: People, namespace: str
) -> None:
    refs = await asyncio.gather(*(admin.make(namespace) for _ in range(150)))
    await eventually(lambda: all(read.has(ref) for ref in refs))


async def test_a_change_as_large_as_objects_get_is_heard(
    read: Reading, admin: People, namespace: str
) -> None:
    ref = await admin.make(namespace, "x" * 900_000)
    await eventually(lambda: read.has(ref))
    assert read.restarts == 0


async def test_a_list_in_many_pages_is_read_as_one(
    proxy: FaultProxy,
    admin: People,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(informer, "CHUNK", 2)
    refs = [await admin.make(namespace) for _ in range(5)]
    async with reading(proxy, tmp_path) as read:
        await eventually(lambda: all(read.has(ref) for ref in refs))
        assert any("continue" in request.query for request in proxy.reads)
        proxy.hides = lambda _path, event: event["type"] == "DELETED"
        await admin.delete(refs[0])
        await (await stream(proxy)).fail(410, "Expired")
        await eventually(lambda: read.store.get(refs[0]) is None)
        assert all(read.has(ref) for ref in refs[1:])


# what breaks in a stream

Fault = Callable[[Watch], Awaitable[None]]


async def reset(watch: Watch) -> None:
    watch.reset()


async def say_rubbish(watch: Watch) -> None:
    for line in (b"{", b"\xff\xfe", b"[]", b'"text"', b"{}", b'{"type":"ERROR"}'):
        await watch.say(line)
    await watch.say({"type": "MODIFIED", "object": {"metadata": {"resourceVersion": "1"}}})
    await watch.say({"type": "ERROR", "object": "overloaded"})


FAULTS: dict[str, Fault] = {
    "closed inside a line": Watch.cut,
    "closed": Watch.end,
    "reset": reset,
    "rubbish": say_rubbish,
    "ERROR 410": lambda watch: watch.fail(410, "Expired"),
    "ERROR 429": lambda watch: watch.fail(429, "TooManyRequests"),
    "ERROR 500": lambda watch: watch.fail(500, "InternalError"),
    "ERROR 504": lambda watch: watch.fail(504, "Timeout"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_broken_stream_costs_seconds_and_no_other_kind_a_list(
    fault: Fault, read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    began = len(proxy.reads)
    await fault(await stream(proxy))
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))
    assert read.restarts == 0
    lists = {request.path for request in proxy.reads[began:] if "watch" not in request.query}
    assert lists <= {CONFIG_MAP.path()}


async def test_all_streams_broken_at_once_cost_seconds(
    read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    for watch in tuple(proxy.watches):
        watch.reset()
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))


async def test_streams_that_end_at_once_are_no_storm(read: Reading, proxy: FaultProxy) -> None:
    watch, began = await stream(proxy), len(proxy.reads)
    proxy.script = lambda request: (
        web.Response(content_type="application/json") if is_watch(request, CONFIG_MAP) else None
    )
    await watch.end()
    await asyncio.sleep(3.5)
    assert 2 <= len(asked(proxy, began)) <= 5


async def test_an_expired_stream_is_followed_by_one_list_of_its_kind(
    read: Reading, proxy: FaultProxy
) -> None:
    watch, began = await stream(proxy), len(proxy.reads)
    await watch.fail(410, "Expired")
    await eventually(lambda: len(asked(proxy, began)) >= 2)
    assert [is_watch(request, CONFIG_MAP) for request in asked(proxy, began)[:2]] == [False, True]


# what the API server refuses


@pytest.mark.parametrize("code", [400, 403, 404, 410, 429, 500, 503, 504])
async def test_watches_that_are_refused_for_a_while_cost_seconds(
    code: int, read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    watch, began = await stream(proxy), len(proxy.reads)
    proxy.script = lambda request: (
        refusal(code, "Planted") if is_watch(request, CONFIG_MAP) else None
    )
    await watch.end()
    await eventually(lambda: read.restarts or len(asked(proxy, began)) > 4, within=10)
    proxy.script = lambda _: None
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))


async def test_while_watches_are_refused_lists_tell_of_changes(
    read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    proxy.script = lambda request: (
        refusal(504, "Timeout", "Too large resource version") if "watch" in request.query else None
    )
    for watch in tuple(proxy.watches):
        await watch.end()
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref), within=10)
    await admin.annotate(ref, "again")
    await eventually(lambda: read.note(ref) == "again")


async def test_a_kind_that_may_no_longer_be_read_takes_no_other_along(
    proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    async with reading(proxy, tmp_path, resync=timedelta(seconds=2)) as read:
        watch = await stream(proxy, SERVICE)
        proxy.script = lambda request: (
            refusal(403, "Forbidden", 'somebody cannot list resource "services"')
            if request.path == SERVICE.path()
            else None
        )
        await watch.end()
        await eventually(lambda: SERVICE not in read.relister.watchable, within=20)
        await eventually(lambda: len(proxy.watches) == len(WATCHED_KINDS) - 1)
        ref = await admin.make(namespace)
        await eventually(lambda: read.has(ref))
        proxy.script = lambda _: None
        await eventually(lambda: proxy.open_watches(SERVICE), within=10)


async def test_a_kind_that_is_served_later_is_watched_then(
    proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    proxy.script = lambda request: (
        refusal(404, "NotFound") if request.path == HTTP_ROUTE.path() else None
    )
    streams = len(WATCHED_KINDS) - 1
    async with reading(proxy, tmp_path, streams=streams, resync=timedelta(seconds=1)) as read:
        assert not read.relister.served(HTTP_ROUTE)
        proxy.script = lambda _: None
        await eventually(lambda: proxy.open_watches(HTTP_ROUTE), within=10)
        ref = await admin.make(namespace)
        await eventually(lambda: read.has(ref))


async def test_a_kind_of_ours_that_went_and_came_back_is_watched_again_within_seconds(
    read: Reading, proxy: FaultProxy
) -> None:
    proxy.script = lambda request: (
        refusal(404, "NotFound") if request.path == AGENT.path() else None
    )
    (await stream(proxy, AGENT)).reset()
    await eventually(lambda: not read.relister.served(AGENT), within=20)
    await eventually(lambda: len(proxy.watches) == len(WATCHED_KINDS) - 1, within=10)
    proxy.script = lambda _: None
    await eventually(lambda: proxy.open_watches(AGENT), within=10)


# where nothing is heard any more


async def test_refused_connections_cost_seconds_after_their_end(
    read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    known = await admin.make(namespace)
    await eventually(lambda: read.has(known))
    await proxy.stop()
    await asyncio.sleep(3)
    await admin.delete(known)
    ref = await admin.make(namespace)
    await proxy.start()
    await eventually(lambda: read.has(ref))
    await eventually(lambda: read.store.get(known) is None)


async def test_a_restart_of_the_api_server_costs_seconds(
    read: Reading, cluster: Cluster, admin: People, namespace: str
) -> None:
    await asyncio.to_thread(restart_apiserver, cluster)
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))


async def test_silent_streams_are_given_up_within_seconds(
    read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    for watch in proxy.watches:
        watch.silence()
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref), within=10)
    assert read.restarts == 0


async def test_while_a_rollout_is_active_a_sweep_sees_what_streams_hide(
    read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    route = await admin.make(namespace, kind=HTTP_ROUTE)
    await eventually(lambda: read.has(route))
    proxy.hides = lambda *_: True
    sweeper = Sweeper(read.relister, read.woken.append, lambda: True, pause=1)
    sweeping = asyncio.create_task(sweeper.run())
    await admin.annotate(route, "foreign")
    await eventually(lambda: read.note(route) == "foreign")
    sweeping.cancel()


# what a stream did not tell


async def test_a_deletion_that_no_stream_told_of_is_swept_by_the_next_list(
    read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))
    proxy.hides = lambda _path, event: event["type"] == "DELETED"
    await admin.delete(ref)
    await (await stream(proxy)).fail(410, "Expired")
    await eventually(lambda: read.store.get(ref) is None)


async def test_a_lost_event_is_mended_by_the_resync(
    proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    async with reading(proxy, tmp_path, resync=timedelta(seconds=2)) as read:
        proxy.hides = lambda *_: True
        ref = await admin.make(namespace)
        await eventually(lambda: read.has(ref), within=10)
        assert read.restarts == 0


# objects that cannot be taken


@pytest.mark.parametrize("depth", [1_600, DEEPEST])
async def test_a_poison_object_in_a_list_of_any_kind_is_invalid_and_nothing_else_is(
    depth: int, proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    refs = [Ref(kind, namespace, "poison") for kind in WATCHED_KINDS]
    proxy.poisons = {ref.kind.path(): [poison(ref, depth)] for ref in refs}
    known = await admin.make(namespace)
    async with reading(proxy, tmp_path) as read:
        assert all(isinstance(read.store.get(ref), Invalid) for ref in refs)
        assert read.has(known)
        ref = await admin.make(namespace)
        await eventually(lambda: read.has(ref))
        assert read.restarts == 0


@pytest.mark.parametrize("depth", [1_600, DEEPEST])
async def test_a_poison_object_in_a_stream_of_any_kind_is_invalid_and_nothing_else_is(
    depth: int, read: Reading, proxy: FaultProxy, admin: People, namespace: str
) -> None:
    refs = [Ref(kind, namespace, "poison") for kind in WATCHED_KINDS]
    for ref in refs:
        event = b'{"type":"ADDED","object":' + poison(ref, depth, "999999999") + b"}"
        await (await stream(proxy, ref.kind)).say(event)
    await eventually(lambda: all(isinstance(read.store.get(ref), Invalid) for ref in refs))
    ref = await admin.make(namespace)
    await eventually(lambda: read.has(ref))
    assert read.restarts == 0


async def test_a_poison_object_that_is_deleted_is_forgotten(
    read: Reading, proxy: FaultProxy, namespace: str
) -> None:
    ref = Ref(CONFIG_MAP, namespace, "poison")
    watch = await stream(proxy)
    await watch.say(b'{"type":"ADDED","object":' + poison(ref, DEEPEST, "999999998") + b"}")
    await eventually(lambda: isinstance(read.store.get(ref), Invalid))
    await watch.say(b'{"type":"DELETED","object":' + poison(ref, DEEPEST, "999999999") + b"}")
    await eventually(lambda: read.store.get(ref) is None)


# rights


def kubeconfig_of(account: str, kubectl: Kubectl, proxy: FaultProxy, directory: Path) -> Path:
    kubectl.run("create", "serviceaccount", account)
    return proxy.kubeconfig(directory, kubectl.run("create", "token", account).strip())


def grant(kubectl: Kubectl, account: str, kind: str) -> None:
    """Let an account list and watch what is watched, and nothing else."""
    name = f"{account}-{kubectl.namespace}"
    resources = ",".join(sorted({one.resource for one in WATCHED_KINDS}))
    kubectl.run("create", kind, name, "--verb=list,watch", f"--resource={resources}")
    subject = f"--serviceaccount={kubectl.namespace}:{account}"
    kubectl.run("create", f"{kind}binding", name, f"--{kind}={name}", subject)


def requests_of(cluster: Cluster, user: str) -> list[dict[str, Any]]:
    assert cluster.audit_log
    with cluster.audit_log.open() as log:
        entries = [json.loads(line) for line in log if user in line and line.endswith("\n")]
    return [entry for entry in entries if entry["user"].get("username") == user]


async def test_reading_takes_list_and_watch_of_its_kinds_and_writes_nothing(
    cluster: Cluster, proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    kubectl = Kubectl(cluster, namespace)
    kubeconfig = kubeconfig_of("reader", kubectl, proxy, tmp_path)
    grant(kubectl, "reader", "clusterrole")
    async with reading(proxy, tmp_path, kubeconfig=kubeconfig) as read:
        ref = await admin.make(namespace)
        await eventually(lambda: read.has(ref))
        await admin.annotate(ref, "changed")
        await eventually(lambda: read.note(ref) == "changed")
        await admin.delete(ref)
        await eventually(lambda: read.store.get(ref) is None)
    asked = requests_of(cluster, f"system:serviceaccount:{namespace}:reader")
    assert {one["verb"] for one in asked if "objectRef" in one} == {"list", "watch"}
    assert {one["verb"] for one in asked if "objectRef" not in one} == {"get"}
    assert all(one["responseStatus"]["code"] == 200 for one in asked if "responseStatus" in one)


async def test_single_namespaces_take_rights_in_those_only(
    cluster: Cluster, proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    kubectl, other = Kubectl(cluster, namespace), await admin.make_namespace()
    kubeconfig = kubeconfig_of("reader", kubectl, proxy, tmp_path)
    grant(kubectl, "reader", "role")
    async with reading(proxy, tmp_path, kubeconfig=kubeconfig, namespaces=(namespace,)) as read:
        elsewhere, here = await admin.make(other), await admin.make(namespace)
        await eventually(lambda: read.has(here))
        assert read.store.get(elsewhere) is None
    await admin.remove_namespace(other)


async def test_a_token_that_expired_is_read_anew(
    cluster: Cluster, proxy: FaultProxy, admin: People, namespace: str, tmp_path: Path
) -> None:
    kubectl = Kubectl(cluster, namespace)
    kubeconfig = kubeconfig_of("reader", kubectl, proxy, tmp_path)
    grant(kubectl, "reader", "clusterrole")
    async with reading(proxy, tmp_path, kubeconfig=kubeconfig) as read:
        old = proxy.reads[-1].headers["Authorization"]
        proxy.kubeconfig(tmp_path, kubectl.run("create", "token", "reader").strip())
        watch = await stream(proxy)
        proxy.script = lambda request: (
            refusal(401, "Unauthorized") if request.headers["Authorization"] == old else None
        )
        await watch.end()
        ref = await admin.make(namespace)
        await eventually(lambda: read.has(ref))
        assert read.restarts == 0


# the end


async def test_the_end_is_quick_and_leaves_nothing_behind(
    proxy: FaultProxy, tmp_path: Path
) -> None:
    async with reading(proxy, tmp_path):
        assert is_reading()
    await eventually(lambda: not is_reading(), within=2)
    await eventually(lambda: not proxy.watches)


async def test_the_end_is_quick_where_the_api_server_is_gone(
    proxy: FaultProxy, tmp_path: Path
) -> None:
    async with reading(proxy, tmp_path):
        await proxy.stop()
    await eventually(lambda: not is_reading(), within=2)
    await proxy.start()
