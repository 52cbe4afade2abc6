"""Leadership by a Lease: one process acts, the others watch with warm caches.

Client-side leader election does not fence by itself, so three things hold here: a leader counts
its term from *before* the last renewal that succeeded was sent, and stops acting before the
Lease can be taken; a challenger goes by how long it has seen no change, never by the times that
are written in the Lease; and every write of the operator carries a resourceVersion besides.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from typing_extensions import override

from turnout.adapters.documents import LEASE, Document, Kind, Ref, version_of
from turnout.adapters.ports import Cluster, Listing, Manifest
from turnout.errors import AlreadyExists, Conflict, LeaseLost, NotFound, TurnoutError
from turnout.settings import Settings

logger = structlog.stdlib.get_logger(__name__)

NAME: Final = "turnout-operator"
_STANDBY_LOOK: Final = 1.0  # seconds: a Lease that was given up is seen within one


class Leadership:
    """Takes, keeps and gives up the Lease."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._ref = Ref(LEASE, settings.pod_namespace, NAME)
        self._identity = settings.pod_name
        self._duration = settings.lease.duration.total_seconds()
        self._term = settings.lease.renew_deadline.total_seconds()
        self._retry = settings.lease.retry_period.total_seconds()
        self._acts_until = float("-inf")
        self._seen: tuple[str, float] | None = None

    def still_leading(self) -> bool:
        """Claim that no other process can hold the Lease by now."""
        return asyncio.get_running_loop().time() < self._acts_until

    async def acquire(self) -> None:
        """Wait until this process leads."""
        while True:
            if await self._try(self._take):
                break
            await asyncio.sleep(_STANDBY_LOOK)
        logger.info("leading", identity=self._identity)

    async def keep(self) -> None:
        """Renew for as long as it is possible.

        Raises:
            LeaseLost: The term is over: stop acting at once.
        """
        while self.still_leading():
            await asyncio.sleep(self._retry)
            await self._try(self._renew)
        raise LeaseLost(f"{self._ref} was not renewed for {self._term:g}s")

    async def release(self) -> None:
        """Give the Lease up, so that a standby takes over at once."""
        if not self.still_leading():
            return
        self._acts_until = float("-inf")
        try:
            lease = await self._cluster.get(self._ref)
            if lease["spec"].get("holderIdentity") == self._identity:
                await self._write(lease, {"holderIdentity": "", "leaseDurationSeconds": 1})
        except TurnoutError as error:
            logger.warning("lease not released", error=str(error))

    async def _try(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Take one step within a retry period; trouble of any kind is no success."""
        sent = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(self._retry, 1.0)):
                done = await step()
        except (TurnoutError, TimeoutError) as error:
            logger.debug("lease", error=str(error))
            return False
        if done:
            self._acts_until = sent + self._term
        return done

    async def _take(self) -> bool:
        try:
            lease = await self._cluster.get(self._ref)
        except NotFound:
            return await self._create()
        if not self._may_take(lease):
            return False
        transitions = int(lease["spec"].get("leaseTransitions") or 0) + 1
        now = _now()
        await self._write(lease, {"acquireTime": now, "leaseTransitions": transitions})
        return True

    def _may_take(self, lease: Document) -> bool:
        """Claim that the holder gave it up, or did nothing for the Lease's whole duration."""
        spec: Mapping[str, Any] = lease["spec"]
        if spec.get("holderIdentity") in {None, "", self._identity}:
            return True
        now = asyncio.get_running_loop().time()
        if self._seen is None or self._seen[0] != version_of(lease):
            self._seen = (version_of(lease), now)
        duration = float(spec.get("leaseDurationSeconds") or self._duration)
        return now - self._seen[1] >= duration

    async def _renew(self) -> bool:
        lease = await self._cluster.get(self._ref)
        if lease["spec"].get("holderIdentity") != self._identity:
            self._acts_until = float("-inf")
            return False
        await self._write(lease, {})
        return True

    async def _create(self) -> bool:
        spec = self._spec({"acquireTime": _now(), "leaseTransitions": 0})
        try:
            await self._cluster.create(self._manifest(spec))
        except (AlreadyExists, Conflict):
            return False
        return True

    async def _write(self, lease: Document, changes: Mapping[str, Any]) -> None:
        """Write the Lease as it was seen: whoever else wrote it meanwhile wins."""
        spec = dict(lease["spec"]) | self._spec(changes)
        await self._cluster.apply(self._manifest(spec), version_of(lease), whole=False)

    def _spec(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._duration),
            "renewTime": _now(),
        } | dict(changes)

    def _manifest(self, spec: Mapping[str, Any]) -> Manifest:
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._ref.name, "namespace": self._ref.namespace},
            "spec": dict(spec),
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Fenced(Cluster):
    """A Cluster whose writes end with the term of leadership; reads go through always."""

    def __init__(self, cluster: Cluster, leadership: Leadership) -> None:
        self._cluster = cluster
        self._leadership = leadership

    def _check(self) -> None:
        if not self._leadership.still_leading():
            raise LeaseLost("another replica may lead by now")

    @override
    async def get(self, ref: Ref) -> Document:
        return await self._cluster.get(ref)

    @override
    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> Listing:
        return await self._cluster.list(kind, namespace, selector)

    @override
    async def create(self, manifest: Manifest) -> Document:
        self._check()
        return await self._cluster.create(manifest)

    @override
    async def apply(
        self,
        manifest: Manifest,
        version: str | None,
        *,
        whole: bool = True,
        dry_run: bool = False,
    ) -> Document:
        self._check()
        return await self._cluster.apply(manifest, version, whole=whole, dry_run=dry_run)

    @override
    async def write_status(self, ref: Ref, status: Manifest, version: str) -> Document:
        self._check()
        return await self._cluster.write_status(ref, status, version)

    @override
    async def delete(self, ref: Ref, uid: str, version: str | None = None) -> None:
        self._check()
        await self._cluster.delete(ref, uid, version)
