from collections import Counter
from typing import Any

from tests.support.fake_cluster import FakeCluster
from turnout.adapters.documents import (
    AGENT,
    CONFIG_MAP,
    HTTP_ROUTE,
    PROMPT,
    SERVICE,
    WATCHED_KINDS,
    Kind,
    Ref,
)
from turnout.core.naming import AGENT_LABEL
from turnout.errors import Forbidden, Transient
from turnout.runtime.relist import Relister
from turnout.runtime.store import Store


def child(kind: Kind, name: str, namespace: str = "demo") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {AGENT_LABEL: "support"}}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


def fail(cluster: FakeCluster, kind: Kind, error: Exception | None) -> None:
    def fault(_: str, ref: Ref) -> None:
        if error and ref.kind == kind:
            raise error

    cluster.fault = fault


async def test_nothing_is_read_before_the_first_list() -> None:
    relister = Relister(FakeCluster("demo"), Store())
    assert relister.unread == set(WATCHED_KINDS)
    await relister.relist()
    assert not relister.unread


async def test_what_is_there_comes_and_what_went_goes() -> None:
    cluster, store = FakeCluster("demo"), Store()
    relister = Relister(cluster, store)
    await cluster.create(child(CONFIG_MAP, "content"))
    agent, content = Ref(AGENT, "demo", "support"), Ref(CONFIG_MAP, "demo", "content")
    assert await relister.relist() == {agent}
    assert store.get(content)
    cluster.vanish(content)
    assert await relister.relist() == {agent}
    assert store.get(content) is None


async def test_a_list_that_says_nothing_new_bears_on_nobody() -> None:
    cluster = FakeCluster("demo")
    relister = Relister(cluster, Store())
    await cluster.create(child(SERVICE, "support"))
    await relister.relist()
    assert await relister.relist() == set()


async def test_children_without_our_label_are_not_read() -> None:
    cluster, store = FakeCluster("demo"), Store()
    foreign = child(SERVICE, "foreign")
    del foreign["metadata"]["labels"]
    await cluster.create(foreign)
    await Relister(cluster, store).relist()
    assert not store.all(SERVICE)


async def test_only_the_namespaces_that_are_served_are_read() -> None:
    cluster, store = FakeCluster("a", "b", "c"), Store()
    for namespace in ("a", "b", "c"):
        await cluster.create(child(SERVICE, "support", namespace))
    await Relister(cluster, store, ["a", "b"]).relist()
    assert {ref.namespace for ref in store.all(SERVICE)} == {"a", "b"}


async def test_trouble_with_one_kind_keeps_no_other_from_being_read() -> None:
    cluster, store = FakeCluster("demo"), Store()
    await cluster.create(child(CONFIG_MAP, "content"))
    fail(cluster, PROMPT, Transient("overloaded"))
    relister = Relister(cluster, store)
    await relister.relist()
    assert store.all(CONFIG_MAP)
    assert relister.unread == {PROMPT}
    assert relister.watchable == set(WATCHED_KINDS)


async def test_trouble_that_ended_is_forgotten() -> None:
    cluster = FakeCluster("demo")
    relister = Relister(cluster, Store())
    fail(cluster, PROMPT, Transient("overloaded"))
    await relister.relist()
    fail(cluster, PROMPT, None)
    await relister.relist([PROMPT])
    assert not relister.unread


async def test_a_kind_that_is_not_served_is_no_trouble() -> None:
    cluster = FakeCluster("demo")
    cluster.absent_kinds.add(HTTP_ROUTE)
    relister = Relister(cluster, Store())
    await relister.relist()
    assert not relister.served(HTTP_ROUTE)
    assert relister.served(SERVICE)
    assert not relister.unread
    assert relister.watchable == set(WATCHED_KINDS) - {HTTP_ROUTE}


async def test_a_kind_that_is_served_later_is_read_then() -> None:
    cluster = FakeCluster("demo")
    cluster.absent_kinds.add(HTTP_ROUTE)
    relister = Relister(cluster, Store())
    await relister.relist()
    cluster.absent_kinds.clear()
    await relister.relist()
    assert relister.served(HTTP_ROUTE)


async def test_a_kind_that_may_not_be_read_is_unread_and_not_watched() -> None:
    cluster = FakeCluster("demo")
    fail(cluster, SERVICE, Forbidden("list", "services"))
    relister = Relister(cluster, Store())
    await relister.relist()
    assert relister.served(SERVICE)
    assert relister.unread == {SERVICE}
    assert SERVICE not in relister.watchable


async def test_a_sweep_reads_in_full_only_what_is_not_as_the_store_has_it() -> None:
    cluster, store = FakeCluster("demo"), Store()
    relister = Relister(cluster, store)
    await cluster.create(child(HTTP_ROUTE, "support"))
    await relister.relist()
    route, agent = Ref(HTTP_ROUTE, "demo", "support"), Ref(AGENT, "demo", "support")
    listed = Counter[Kind]()
    cluster.fault = lambda _, ref: listed.update([ref.kind])

    assert await relister.sweep([HTTP_ROUTE]) == frozenset()
    assert listed[HTTP_ROUTE] == 1
    cluster.edit(route, {"spec": {"hostnames": ["a.example"]}})
    assert await relister.sweep([HTTP_ROUTE]) == {agent}
    cluster.vanish(route)
    assert await relister.sweep([HTTP_ROUTE]) == {agent}
    assert store.get(route) is None
    assert await relister.sweep([HTTP_ROUTE]) == frozenset()


async def test_what_is_written_while_a_sweep_reads_is_no_news() -> None:
    cluster, store = FakeCluster("demo"), Store()
    relister = Relister(cluster, store)
    for name in ("support", "search"):
        await cluster.create(child(HTTP_ROUTE, name))
    await relister.relist()
    listed = Counter[Kind]()

    def write(_: str, ref: Ref) -> None:
        listed.update([ref.kind])
        written = Ref(HTTP_ROUTE, "demo", "support")
        store.put(written, cluster.edit(written, {"spec": {"hostnames": ["a.example"]}}))

    cluster.fault = write
    assert await relister.sweep([HTTP_ROUTE]) == frozenset()
    assert listed == {HTTP_ROUTE: 1}


async def test_a_sweep_that_is_refused_is_told_of_by_the_list() -> None:
    cluster, store = FakeCluster("demo"), Store()
    relister = Relister(cluster, store)
    await relister.relist()
    fail(cluster, HTTP_ROUTE, Forbidden("list", "httproutes"))
    assert await relister.sweep([HTTP_ROUTE]) == frozenset()
    assert HTTP_ROUTE not in relister.watchable
