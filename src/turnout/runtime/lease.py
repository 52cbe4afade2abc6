"""One leader at a time, by a Lease of coordination.k8s.io.

Nobody's clock is trusted. A standby takes a lease that it has seen unchanged for the whole
duration; a leader counts its deadline from before it sent its last good renewal. The deadline is
shorter than the duration, so the leader has stopped before anybody else may begin. Every write
is fenced by that deadline and, as no client can promise more, by the object's own version.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any, Final, Never

import structlog
from typing_extensions import override

from turnout.adapters.documents import LEASE, Document, Kind, Ref, version_of
from turnout.adapters.ports import Annotations, Clock, Cluster, Listing, Manifest, Mark
from turnout.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    LeaseLost,
    NotFound,
    Transient,
)
from turnout.settings import LeaseTimes

NAME: Final = "turnout-operator"
"""Name of the Lease; the chart grants rights on this one alone."""

_NOBODY = ""
_PASSED = float("-inf")

logger = structlog.stdlib.get_logger(__name__)


class Leadership:
    """This process's claim to be the one that writes."""

    def __init__(
        self, cluster: Cluster, ref: Ref, identity: str, times: LeaseTimes, clock: Clock
    ) -> None:
        if ref.kind != LEASE:
            raise ValueError(f"{ref} is no Lease")
        self._cluster = cluster
        self._ref = ref
        self._identity = identity
        self._times = times
        self._clock = clock
        self._held: Document | None = None
        self._deadline = _PASSED
        self._seen: tuple[str, float] | None = None

    @property
    def deadline(self) -> float:
        """Loop time after which this process must not write."""
        return self._deadline

    def still_leading(self) -> bool:
        """Claim that nobody else can hold the lease yet."""
        return asyncio.get_running_loop().time() < self._deadline

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        pause = self._times.retry_period.total_seconds() / 2
        while True:
            if await self._taken():
                break
            await asyncio.sleep(pause)
        logger.info("Leading", identity=self._identity)

    async def keep(self) -> Never:
        """Renew the lease for as long as that succeeds.

        Raises:
            LeaseLost: Somebody else holds it, or it could not be renewed in time.
        """
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    await asyncio.sleep(self._times.retry_period.total_seconds())
                    await self._renew()
            except TimeoutError as error:
                raise LeaseLost("the lease was not renewed in time") from error
            except (Transient, Forbidden) as error:
                logger.warning("The lease was not renewed", cause=str(error))

    async def release(self) -> None:
        """Stop leading and let the next one take over at once; `keep` must have ended."""
        held, self._held, self._deadline = self._held, None, _PASSED
        with suppress(Transient, Conflict, NotFound, Forbidden):
            while held is not None and _holder(held) == self._identity:
                held = await self._given_up(held)

    async def _given_up(self, held: Document) -> Document | None:
        """Give the lease up; returns what it is where a renewal on its way came in between."""
        try:
            return await self._write(held, _NOBODY)
        except Conflict:
            return await self._look()

    async def _taken(self) -> bool:
        """Try once to take the lease if it is free."""
        sent = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._longest_call):
                lease = await self._look()
                if not self._is_free(lease):
                    return False
                written = await self._write(lease, self._identity)
        except (Conflict, AlreadyExists):
            return False
        except (Transient, Forbidden, TimeoutError) as error:
            logger.warning("The lease cannot be taken", cause=str(error) or "timeout")
            return False
        self._lead(written, sent)
        return True

    async def _renew(self) -> None:
        sent = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._longest_call):
                written = await self._renewed()
        except TimeoutError as error:
            raise Transient("no answer") from error
        self._lead(written, sent)

    async def _renewed(self) -> Document:
        """Write the lease, reading it again where somebody touched it."""
        try:
            return await self._write(self._held, self._identity)
        except (Conflict, NotFound, AlreadyExists):
            lease = await self._look()
        if lease is not None and _holder(lease) != self._identity:
            self._deadline = _PASSED
            raise LeaseLost(f"the lease is held by {_holder(lease) or 'nobody'}")
        return await self._write(lease, self._identity)

    async def _look(self) -> Document | None:
        with suppress(NotFound):
            return await self._cluster.get(self._ref)
        return None

    def _is_free(self, lease: Document | None) -> bool:
        """Claim that nobody can be leading: by name, or because nothing was renewed."""
        now = asyncio.get_running_loop().time()
        if lease is not None:
            if _holder(lease) in (_NOBODY, self._identity):
                return True
            version = version_of(lease)
            if self._seen is None or self._seen[0] != version:
                self._seen = (version, now)
        return self._seen is None or now - self._seen[1] > self._times.duration.total_seconds()

    def _lead(self, written: Document, sent: float) -> None:
        self._held = written
        self._deadline = sent + self._times.renew_deadline.total_seconds()

    @property
    def _longest_call(self) -> float:
        """Seconds that one attempt may take, so that the deadline leaves room for another."""
        return self._times.renew_deadline.total_seconds() / 2

    async def _write(self, lease: Document | None, holder: str) -> Document:
        now = self._clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        old: Document = (lease or {}).get("spec") or {}
        is_ours = old.get("holderIdentity") == holder
        spec: dict[str, Any] = {
            "holderIdentity": holder,
            "leaseDurationSeconds": int(self._times.duration.total_seconds()),
            "acquireTime": old.get("acquireTime", now) if is_ours else now,
            "renewTime": now,
            "leaseTransitions": old.get("leaseTransitions", 0) + (not is_ours),
        }
        metadata = {"name": self._ref.name, "namespace": self._ref.namespace}
        manifest = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "spec": spec}
        if lease is None:
            return await self._cluster.create({**manifest, "metadata": metadata})
        metadata["uid"] = lease["metadata"]["uid"]
        return await self._cluster.apply(
            {**manifest, "metadata": metadata}, version_of(lease), whole=False
        )


class Fenced(Cluster):
    """A Cluster that writes only while this process leads, and reads always.

    Raises LeaseLost besides: before a write that is not allowed any more, and in place of an
    answer that did not come before the deadline.
    """

    def __init__(self, cluster: Cluster, leadership: Leadership) -> None:
        self._cluster = cluster
        self._leadership = leadership

    @override
    async def get(self, ref: Ref) -> Document:
        return await self._cluster.get(ref)

    @override
    async def list(self, kind: Kind, namespace: str | None, selector: str = "") -> Listing:
        return await self._cluster.list(kind, namespace, selector)

    @override
    async def marks(self, kind: Kind, namespace: str | None, selector: str = "") -> frozenset[Mark]:
        return await self._cluster.marks(kind, namespace, selector)

    @override
    async def create(self, manifest: Manifest) -> Document:
        async with self._fence():
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
        async with self._fence():
            return await self._cluster.apply(manifest, version, whole=whole, dry_run=dry_run)

    @override
    async def write_status(self, ref: Ref, status: Manifest, version: str) -> Document:
        async with self._fence():
            return await self._cluster.write_status(ref, status, version)

    @override
    async def annotate(self, ref: Ref, annotations: Annotations, version: str) -> Document:
        async with self._fence():
            return await self._cluster.annotate(ref, annotations, version)

    @override
    async def release(self, ref: Ref, version: str) -> Document:
        async with self._fence():
            return await self._cluster.release(ref, version)

    @override
    async def delete(self, ref: Ref, uid: str, version: str | None = None) -> None:
        async with self._fence():
            await self._cluster.delete(ref, uid, version)

    @asynccontextmanager
    async def _fence(self) -> AsyncIterator[None]:
        """Let a write begin while leading, and end it at the deadline that held then."""
        if not self._leadership.still_leading():
            raise LeaseLost("this process does not lead")
        try:
            async with asyncio.timeout_at(self._leadership.deadline):
                yield
        except TimeoutError as error:
            if self._leadership.still_leading():
                raise Transient("no answer for almost the length of the lease") from error
            raise LeaseLost("the lease ended during a write") from error


def lease_ref(namespace: str) -> Ref:
    """Return the operator's Lease in its own namespace."""
    return Ref(LEASE, namespace, NAME)


def _holder(lease: Document) -> str:
    return (lease.get("spec") or {}).get("holderIdentity") or _NOBODY
