"""Reading: the Store is filled, and from then on kept up with the cluster, whatever breaks."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import structlog
from typing_extensions import override

from turnout.adapters.documents import WATCHED_KINDS, Document, Kind, Ref
from turnout.adapters.ports import Listing
from turnout.errors import Invalid
from turnout.runtime.informer import Informer
from turnout.runtime.relist import Relister
from turnout.runtime.store import Refs, Store
from turnout.runtime.supervise import supervise
from turnout.runtime.transport import Listener
from turnout.settings import Settings

logger = structlog.stdlib.get_logger(__name__)

_FILL_PAUSE: Final = 1.0
_DEAF_PAUSE: Final = 3.0  # seconds that the informer gets to come back before all is listed
_GONE_PAUSE: Final = 3.0  # seconds between two questions for kinds of ours that went


class Reader(Listener):
    """Everything that comes in from the API server without having been asked for.

    Attributes:
        synced: Set when each served kind was read in full for the first time.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        wake: Callable[[Refs], None],
        relister: Relister,
        on_restart: Callable[[], None],
    ) -> None:
        self.synced = asyncio.Event()
        self._settings = settings
        self._store = store
        self._wake = wake
        self._relister = relister
        self._on_restart = on_restart
        self._watched: frozenset[Kind] = frozenset()
        self._awaited: set[tuple[Kind, str | None]] = set()
        self._deaf = asyncio.Event()
        self._outdated = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        await self._fill()
        async with asyncio.TaskGroup() as group:
            group.create_task(supervise(self._live, self._die))
            group.create_task(self._mend())
            group.create_task(self._await_return())

    @override
    def listed(self, kind: Kind, namespace: str | None, listing: Listing) -> None:
        self._awaited.discard((kind, namespace))
        if not self._awaited:
            self._deaf.clear()
        self._wake(self._store.replace(kind, listing.items, listing.version, namespace))

    @override
    def changed(self, ref: Ref, item: Document | Invalid, version: str) -> None:
        self._wake(self._store.hear(ref, item, version))

    @override
    def removed(self, ref: Ref, version: str) -> None:
        self._wake(self._store.remove(ref, version))

    async def _fill(self) -> None:
        """List until every kind was read once."""
        while self._relister.unread:
            self._wake(await self._relister.relist(self._relister.unread))
            if self._relister.unread:
                await asyncio.sleep(_FILL_PAUSE)
        self.synced.set()

    async def _live(self) -> BaseException | None:
        """Live one life of the informer, which ends early where other kinds are to be watched."""
        self._watched = self._relister.watchable
        scopes = self._settings.namespaces or (None,)
        self._awaited = {(kind, scope) for kind in self._watched for scope in scopes}
        self._deaf.set()
        self._outdated.clear()
        informer = Informer(self._settings, self._watched, self)
        life = asyncio.create_task(informer.run())
        outdated = asyncio.create_task(self._outdated.wait())
        try:
            await asyncio.wait({life, outdated}, return_when=asyncio.FIRST_COMPLETED)
            return life.result() if life.done() else None
        finally:
            life.cancel()
            outdated.cancel()
            await asyncio.wait({life, outdated})

    def _die(self) -> None:
        self._deaf.set()
        self._on_restart()

    async def _mend(self) -> None:
        """List everything again: now and then, and every few seconds while nothing is heard."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.resync.total_seconds()):
                    await self._deaf.wait()
                await asyncio.sleep(_DEAF_PAUSE)
                if not self._deaf.is_set():
                    continue
            await self._relist(WATCHED_KINDS)

    async def _await_return(self) -> None:
        """List kinds of ours that went until they are back: no watch can tell of that."""
        while True:
            await asyncio.sleep(_GONE_PAUSE)
            if self._relister.gone:
                await self._relist(self._relister.gone)

    async def _relist(self, kinds: Iterable[Kind]) -> None:
        """List kinds, and begin the watches anew where others are to be watched now."""
        self._wake(await self._relister.relist(kinds))
        if self._relister.watchable != self._watched:
            self._outdated.set()
