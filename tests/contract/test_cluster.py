"""The same claims about the fake cluster and a real API server, so that the fake cannot lie."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_cluster import FakeCluster
from turnout.adapters.documents import (
    CONFIG_MAP,
    FIELD_MANAGER,
    HTTP_ROUTE,
    NAMESPACE,
    POD,
    Document,
    Kind,
    Ref,
    ref_of,
    version_of,
)
from turnout.adapters.kube import KubeCluster, connect
from turnout.adapters.ports import Cluster
from turnout.core.naming import MANAGED_BY
from turnout.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from turnout.settings import Settings

UNKNOWN_KIND = Kind("nobody.example", "v1", "widgets", "Widget")


@pytest.fixture
def namespace() -> str:
    return f"contract-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.light)])
async def cluster(request: pytest.FixtureRequest, namespace: str) -> AsyncIterator[Cluster]:
    if request.param == "fake":
        fake = FakeCluster(namespace)
        fake.absent_kinds.add(UNKNOWN_KIND)
        yield fake
        return
    client = await connect(request.getfixturevalue("light_settings"))
    real = KubeCluster(client)
    made = await real.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    )
    try:
        yield real
    finally:
        await real.delete(Ref(NAMESPACE, "", namespace), made["metadata"]["uid"])
        await client.close()


def config_map(namespace: str, name: str = "content", **changes: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    metadata |= changes.pop("metadata", {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": changes}


def route(namespace: str, weight: int = 0, **metadata: Any) -> dict[str, Any]:
    backends = [
        {"name": "stable", "port": 80, "weight": 100 - weight},
        {"name": "candidate", "port": 80, "weight": weight},
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "support", "namespace": namespace, **metadata},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": backends}]},
    }


def weights(document: Document) -> list[int]:
    return [backend["weight"] for backend in document["spec"]["rules"][0]["backendRefs"]]


def parent(reason: str) -> dict[str, Any]:
    condition = {
        "type": "Accepted",
        "status": "True",
        "reason": reason,
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {
        "parentRef": {"name": "gateway"},
        "controllerName": "example.org/gateway",
        "conditions": [condition],
    }


async def test_what_was_created_can_be_read(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(config_map(namespace, prompt="be kind"))
    read = await cluster.get(ref_of(made))
    assert read["data"] == {"prompt": "be kind"}
    assert read["metadata"]["uid"]
    assert version_of(read) == version_of(made)
    assert [each["manager"] for each in read["metadata"]["managedFields"]] == [FIELD_MANAGER]


async def test_creating_twice_says_that_it_exists(cluster: Cluster, namespace: str) -> None:
    await cluster.create(config_map(namespace, a="1"))
    with pytest.raises(AlreadyExists):
        await cluster.create(config_map(namespace, a="2"))
    assert (await cluster.get(Ref(CONFIG_MAP, namespace, "content")))["data"] == {"a": "1"}


async def test_creating_in_no_namespace_says_not_found(cluster: Cluster) -> None:
    with pytest.raises(NotFound):
        await cluster.create(config_map("nowhere-at-all"))


async def test_what_is_not_there_is_not_found(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFound):
        await cluster.get(Ref(CONFIG_MAP, namespace, "absent"))
    with pytest.raises(NotFound):
        await cluster.list(UNKNOWN_KIND, None)


async def test_a_list_is_narrowed_by_label_and_namespace(cluster: Cluster, namespace: str) -> None:
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2"}), ("c", {})):
        await cluster.create(config_map(namespace, name, metadata={"labels": labels}))

    async def names(selector: str) -> set[str]:
        listing = await cluster.list(CONFIG_MAP, namespace, selector)
        return {ref.name for ref in listing.items if not ref.name.startswith("kube-root")}

    assert await names("") == {"a", "b", "c"}
    assert await names("x") == {"a", "b"}
    assert await names("x=2") == {"b"}
    everywhere = await cluster.list(CONFIG_MAP, None, "x=2")
    assert Ref(CONFIG_MAP, namespace, "b") in everywhere.items


async def test_marks_are_those_of_what_a_list_holds(cluster: Cluster, namespace: str) -> None:
    forged = {"uid": "u", "resourceVersion": "9", "note": '"uid":"u","resourceVersion":"9"'}
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "1"}), ("c", {})):
        metadata = {"labels": labels, "annotations": forged}
        await cluster.create(config_map(namespace, name, metadata=metadata))
    listing = await cluster.list(CONFIG_MAP, namespace, "x")
    assert len(listing.marks) == 2
    assert await cluster.marks(CONFIG_MAP, namespace, "x") == listing.marks
    with pytest.raises(NotFound):
        await cluster.marks(UNKNOWN_KIND, None)


async def test_a_list_of_config_maps_has_their_versions_and_not_their_data(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.create(config_map(namespace, a="1", metadata={"labels": {"x": "1"}}))
    [listed] = (await cluster.list(CONFIG_MAP, namespace, "x")).items.values()
    assert not isinstance(listed, Invalid)
    assert "data" not in listed
    assert version_of(listed) == version_of(made)
    assert listed["metadata"]["labels"] == {"x": "1"}


@pytest.mark.parametrize("version", ["1", "v2"])
async def test_a_shape_that_no_server_knows_is_refused(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    await cluster.create(config_map(namespace, a="1"))
    media = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v={version}"
    for module in ("turnout.adapters.kube", "tests.support.fake_cluster"):
        monkeypatch.setattr(f"{module}.accepted_media", lambda *_, **__: media)
    with pytest.raises(Invalid):
        await cluster.list(CONFIG_MAP, namespace)


async def test_a_lists_version_is_not_older_than_what_it_contains(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.create(config_map(namespace, metadata={"labels": {"x": "1"}}))
    listing = await cluster.list(CONFIG_MAP, namespace, "x=1")
    assert int(listing.version) >= int(version_of(made))


async def test_apply_creates_and_changes(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    assert weights(made) == [95, 5]
    changed = await cluster.apply(route(namespace, 25), version_of(made))
    assert weights(changed) == [75, 25]
    assert weights(await cluster.get(ref_of(made))) == [75, 25]


async def test_applying_the_same_again_writes_nothing(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    again = await cluster.apply(route(namespace, 5), version_of(made))
    assert version_of(again) == version_of(made)


async def test_a_stale_apply_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    await cluster.apply(route(namespace, 25), version_of(made))
    with pytest.raises(Conflict):
        await cluster.apply(route(namespace, 50), version_of(made))
    assert weights(await cluster.get(ref_of(made))) == [75, 25]


async def test_an_apply_to_what_is_gone_does_not_bring_it_back(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    uid = made["metadata"]["uid"]
    await cluster.delete(ref_of(made), uid)
    with pytest.raises(Conflict):
        await cluster.apply(route(namespace, 25, uid=uid), version_of(made))
    with pytest.raises(NotFound):
        await cluster.get(ref_of(made))


async def test_an_apply_spares_another_object_of_the_name(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    with pytest.raises(Conflict):
        await cluster.apply(
            route(namespace, 25, uid="00000000-0000-0000-0000-000000000000"), version_of(made)
        )
    assert weights(await cluster.get(ref_of(made))) == [95, 5]


async def test_a_version_alone_does_not_keep_an_apply_from_bringing_back_what_is_gone(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    await cluster.delete(ref_of(made), made["metadata"]["uid"])
    revived = await cluster.apply(route(namespace, 25), version_of(made))
    assert revived["metadata"]["uid"] != made["metadata"]["uid"]


async def test_a_dry_run_stores_nothing(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    shown = await cluster.apply(route(namespace, 25), version_of(made), dry_run=True)
    assert weights(shown) == [75, 25]
    assert weights(await cluster.get(ref_of(made))) == [95, 5]


async def test_a_field_left_out_of_the_next_apply_goes_away(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.apply(config_map(namespace, a="1", b="2"), None)
    changed = await cluster.apply(config_map(namespace, a="1"), version_of(made))
    assert changed["data"] == {"a": "1"}


async def test_a_created_field_left_out_of_the_first_apply_goes_away(
    cluster: Cluster, namespace: str
) -> None:
    labels = {"labels": {"keep": "1", "drop": "1"}}
    made = await cluster.create(config_map(namespace, a="1", b="2", metadata=labels))
    kept = config_map(namespace, a="1", metadata={"labels": {"keep": "1"}})
    changed = await cluster.apply(kept, version_of(made))
    assert changed["data"] == {"a": "1"}
    assert changed["metadata"]["labels"] == {"keep": "1"}
    assert [each["manager"] for each in changed["metadata"]["managedFields"]] == [FIELD_MANAGER]
    again = await cluster.apply(kept, version_of(changed))
    assert version_of(again) == version_of(changed)


async def test_generation_counts_changes_of_the_spec_only(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    assert made["metadata"]["generation"] == 1
    labelled = await cluster.apply(route(namespace, 5, labels={"x": "1"}), version_of(made))
    assert labelled["metadata"]["generation"] == 1
    status = {"parents": [parent("Accepted")]}
    judged = await cluster.write_status(ref_of(made), status, version_of(labelled))
    assert judged["metadata"]["generation"] == 1
    moved = await cluster.apply(route(namespace, 6, labels={"x": "1"}), version_of(judged))
    assert moved["metadata"]["generation"] == 2
    assert moved["status"] == judged["status"]


async def test_a_status_write_leaves_the_spec_and_replaces_lists(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    ref = ref_of(made)
    first = {"parents": [parent("Accepted"), parent("Pending")]}
    one = await cluster.write_status(ref, first, version_of(made))
    two = await cluster.write_status(ref, {"parents": [parent("Gone")]}, version_of(one))
    assert [each["conditions"][0]["reason"] for each in two["status"]["parents"]] == ["Gone"]
    assert weights(two) == [95, 5]


async def test_a_stale_status_write_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    made = await cluster.apply(route(namespace, 5), None)
    await cluster.write_status(ref_of(made), {"parents": [parent("A")]}, version_of(made))
    with pytest.raises(Conflict):
        await cluster.write_status(ref_of(made), {"parents": []}, version_of(made))


async def test_a_status_write_to_what_is_gone_is_not_found(
    cluster: Cluster, namespace: str
) -> None:
    with pytest.raises(NotFound):
        await cluster.write_status(Ref(HTTP_ROUTE, namespace, "absent"), {"parents": []}, "1")


async def test_the_status_in_a_created_manifest_is_ignored(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.create({**route(namespace), "status": {"parents": [parent("Mine")]}})
    assert "status" not in made


async def test_delete_removes_this_very_object(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(config_map(namespace))
    await cluster.delete(ref_of(made), made["metadata"]["uid"], version_of(made))
    with pytest.raises(NotFound):
        await cluster.get(ref_of(made))
    await cluster.delete(ref_of(made), made["metadata"]["uid"])


async def test_delete_spares_another_object_of_the_name(cluster: Cluster, namespace: str) -> None:
    made = await cluster.create(config_map(namespace))
    with pytest.raises(Conflict):
        await cluster.delete(ref_of(made), "00000000-0000-0000-0000-000000000000")
    assert await cluster.get(ref_of(made))


async def test_delete_spares_what_changed_since_it_was_read(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.apply(config_map(namespace, a="1"), None)
    await cluster.apply(config_map(namespace, a="2"), None)
    with pytest.raises(Conflict):
        await cluster.delete(ref_of(made), made["metadata"]["uid"], version_of(made))
    assert await cluster.get(ref_of(made))


async def test_an_apply_takes_over_what_another_manager_owns() -> None:
    fake = FakeCluster("shop")
    made = await fake.apply(route("shop", 5), None)
    edited = fake.edit(ref_of(made), {"spec": {"rules": []}}, manager="argocd")
    assert [each["manager"] for each in edited["metadata"]["managedFields"]] == [
        FIELD_MANAGER,
        "argocd",
    ]
    mended = await fake.apply(route("shop", 5), version_of(edited))
    assert weights(mended) == [95, 5]


@pytest.fixture
async def real(light_settings: Settings) -> AsyncIterator[KubeCluster]:
    client = await connect(light_settings)
    yield KubeCluster(client)
    await client.close()


@pytest.mark.light
async def test_a_list_longer_than_a_chunk_arrives_whole(
    real: KubeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = f"chunk-{uuid.uuid4().hex[:8]}"
    names = {f"{label}-{number}" for number in range(7)}
    for name in names:
        await real.create(config_map("default", name, metadata={"labels": {label: "x"}}))
    for limit in ("CHUNK", "METADATA_CHUNK"):
        monkeypatch.setattr(f"turnout.adapters.kube.{limit}", 2)
    listing = await real.list(CONFIG_MAP, "default", label)
    assert {ref.name for ref in listing.items} == names
    assert await real.marks(CONFIG_MAP, "default", label) == listing.marks
    for document in listing.items.values():
        assert not isinstance(document, Invalid)
        await real.delete(ref_of(document, CONFIG_MAP), document["metadata"]["uid"])


@pytest.mark.light
async def test_refused_content_is_invalid_in_the_servers_own_words(real: KubeCluster) -> None:
    with pytest.raises(Invalid, match="weight") as refused:
        await real.create(route("default", 100_000_000))
    assert refused.value.reason == "Invalid"
    with pytest.raises(Invalid):
        await real.create(config_map("default", "No_Name"))


@pytest.mark.light
async def test_a_missing_right_names_verb_and_resource(light_settings: Settings) -> None:
    client = await connect(light_settings)
    client.set_default_header("Impersonate-User", "nobody")
    try:
        with pytest.raises(Forbidden) as refused:
            await KubeCluster(client).write_status(Ref(HTTP_ROUTE, "default", "x"), {}, "1")
        resource = "httproutes.gateway.networking.k8s.io/status"
        assert (refused.value.verb, refused.value.resource) == ("patch", resource)
    finally:
        await client.close()


@pytest.mark.light
async def test_many_writers_lose_no_write(real: KubeCluster) -> None:
    name = f"counter-{uuid.uuid4().hex[:8]}"
    made = await real.create(config_map("default", name, count="0"))
    ref = ref_of(made)

    async def add_one() -> None:
        while True:
            read = await real.get(ref)
            count = str(int(read["data"]["count"]) + 1)
            try:
                await real.apply(config_map("default", name, count=count), version_of(read))
            except Conflict:
                continue
            return

    await asyncio.gather(*(add_one() for _ in range(8)))
    last = await real.get(ref)
    assert last["data"]["count"] == "8"
    await real.delete(ref, last["metadata"]["uid"])


async def test_what_is_released_loses_our_label_and_nothing_else(
    cluster: Cluster, namespace: str
) -> None:
    labels = {MANAGED_BY: "turnout", "turnout.dev/agent": "support"}
    made = await cluster.create(
        config_map(namespace, prompt="be kind", metadata={"labels": labels})
    )
    released = await cluster.release(ref_of(made), version_of(made))
    assert released["metadata"]["labels"] == {"turnout.dev/agent": "support"}
    assert released["data"] == {"prompt": "be kind"}
    with pytest.raises(Conflict):
        await cluster.release(ref_of(made), version_of(made))


async def _lonely_pod(cluster: Cluster, namespace: str) -> Document:
    """Make a pod that no scheduler takes, so that nobody else writes it."""
    spec = {"schedulerName": "nobody", "containers": [{"name": "agent", "image": "a:1"}]}
    metadata = {"name": "agent-1", "namespace": namespace, "annotations": {"theirs": "kept"}}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    async with asyncio.timeout(10):
        while True:
            try:
                return await cluster.create(manifest)
            except Forbidden:  # its namespace has no ServiceAccount yet
                await asyncio.sleep(0.1)


async def test_a_pod_is_annotated_through_its_status_and_nothing_else_of_it_changes(
    cluster: Cluster, namespace: str
) -> None:
    made = await _lonely_pod(cluster, namespace)
    told = await cluster.annotate(ref_of(made), {"turnout.dev/kill": "{}"}, version_of(made))
    assert told["metadata"]["annotations"] == {"theirs": "kept", "turnout.dev/kill": "{}"}
    assert told["spec"] == made["spec"]
    with pytest.raises(Conflict):
        await cluster.annotate(ref_of(made), {"turnout.dev/kill": "late"}, version_of(made))
    after = await cluster.annotate(ref_of(made), {"turnout.dev/kill": None}, version_of(told))
    assert after["metadata"]["annotations"] == {"theirs": "kept"}
    absent = Ref(POD, namespace, "absent")
    with pytest.raises(NotFound):
        await cluster.annotate(absent, {"turnout.dev/kill": "{}"}, version_of(told))


@pytest.mark.light
async def test_an_account_of_the_environment_is_not_taken_for_ours(
    real: KubeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    listing = await real.list(CONFIG_MAP, "default")
    assert int(listing.version) > 0
