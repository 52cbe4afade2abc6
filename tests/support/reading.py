"""A Reader on a real API server behind a fault proxy, and claims about what it has heard."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from devcluster import Cluster
from tests.support.faultproxy import FaultProxy
from turnout.adapters.documents import (
    CONFIG_MAP,
    NAMESPACE,
    WATCHED_KINDS,
    Document,
    Kind,
    Ref,
    ref_of,
)
from turnout.adapters.kube import KubeCluster, connect
from turnout.core.naming import AGENT_LABEL
from turnout.runtime.reader import Reader
from turnout.runtime.relist import Relister
from turnout.runtime.store import Refs, Store
from turnout.settings import Settings


async def eventually(claim: Callable[[], Any], within: float = 5) -> None:
    """Wait until something holds; the default is the longest that any fault may cost."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not claim():
        assert loop.time() < deadline, f"not within {within:g}s"
        await asyncio.sleep(0.01)


class People:
    """Those who change the cluster, past the proxy."""

    def __init__(self, cluster: KubeCluster) -> None:
        self._cluster = cluster

    async def make_namespace(self) -> str:
        name = f"reader-{uuid.uuid4().hex[:8]}"
        await self._cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        return name

    async def remove_namespace(self, name: str) -> None:
        await self.delete(Ref(NAMESPACE, "", name))

    async def make(self, namespace: str, data: str = "", kind: Kind = CONFIG_MAP) -> Ref:
        """Make an object of an Agent's."""
        metadata = {
            "name": f"content-{uuid.uuid4().hex[:8]}",
            "namespace": namespace,
            "labels": {AGENT_LABEL: "support"},
        }
        manifest = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": metadata,
            **({"data": {"text": data}} if kind == CONFIG_MAP else {"spec": {}}),
        }
        return ref_of(await self._cluster.create(manifest))

    async def annotate(self, ref: Ref, value: str) -> None:
        """Change an object."""
        head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind}
        metadata = {"name": ref.name, "namespace": ref.namespace, "annotations": {"note": value}}
        await self._cluster.apply(head | {"metadata": metadata}, None, whole=False)

    async def delete(self, ref: Ref) -> None:
        document = await self._cluster.get(ref)
        await self._cluster.delete(ref, document["metadata"]["uid"])


class Reading:
    """A Reader that runs, and what it was seen to do."""

    def __init__(self, settings: Settings, client: KubeCluster) -> None:
        self.woken: list[Refs] = []
        self.restarts = 0
        self.store = Store()
        self.relister = Relister(client, self.store, settings.namespaces)
        self.reader = Reader(settings, self.store, self.woken.append, self.relister, self._count)

    def _count(self) -> None:
        self.restarts += 1

    def has(self, ref: Ref) -> bool:
        return isinstance(self.store.get(ref), dict)

    def note(self, ref: Ref) -> str | None:
        document = self.store.get(ref)
        assert isinstance(document, dict)
        found: Document = document["metadata"].get("annotations") or {}
        return found.get("note")


@asynccontextmanager
async def people(cluster: Cluster) -> AsyncIterator[People]:
    """Those who may do anything."""
    client = await connect(Settings(kubeconfig=cluster.kubeconfig))
    try:
        yield People(KubeCluster(client))
    finally:
        await client.close()


@asynccontextmanager
async def reading(
    proxy: FaultProxy,
    directory: Path,
    *,
    streams: int = len(WATCHED_KINDS),
    kubeconfig: Path | None = None,
    **settings: Any,
) -> AsyncIterator[Reading]:
    """Read through a proxy, from the moment on when every stream is open."""
    config = Settings(kubeconfig=kubeconfig or proxy.kubeconfig(directory), **settings)
    client = await connect(config)
    found = Reading(config, KubeCluster(client))
    task = asyncio.create_task(found.reader.run())
    try:
        await eventually(lambda: len(proxy.watches) == streams, within=10)
        assert found.reader.synced.is_set()
        yield found
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.wait({task})
        await client.close()
