"""Full lists: they fill the Store before any work begins, and mend what watches missed."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from turnout.adapters.documents import OWN_KINDS, WATCHED_KINDS, Kind, selector
from turnout.adapters.ports import Cluster
from turnout.errors import Forbidden, NotFound, Transient, TurnoutError
from turnout.runtime.store import Refs, Store

logger = structlog.stdlib.get_logger(__name__)

_NONE: Refs = frozenset()
_BARRED = (NotFound, Forbidden)


class Relister:
    """Lists kinds into the Store, with one chunked LIST per kind and namespace.

    Kinds are listed beside each other, and trouble with one never keeps another from being read.
    """

    def __init__(self, cluster: Cluster, store: Store, namespaces: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._store = store
        self._scopes: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._trouble: dict[Kind, TurnoutError] = {
            kind: Transient(f"{kind.resource} was never listed") for kind in WATCHED_KINDS
        }

    def served(self, kind: Kind) -> bool:
        """Claim that the API server knew this kind when it was last asked."""
        return not isinstance(self._trouble.get(kind), NotFound)

    @property
    def unread(self) -> frozenset[Kind]:
        """Served kinds whose newest list failed, or that were never listed."""
        return frozenset(kind for kind in self._trouble if self.served(kind))

    @property
    def gone(self) -> frozenset[Kind]:
        """Kinds of ours that the API server does not know: their definitions were deleted."""
        return frozenset(kind for kind in OWN_KINDS if not self.served(kind))

    @property
    def watchable(self) -> frozenset[Kind]:
        """Kinds that are served and that we may read."""
        barred = (kind for kind, why in self._trouble.items() if isinstance(why, _BARRED))
        return frozenset(WATCHED_KINDS) - frozenset(barred)

    async def relist(self, kinds: Iterable[Kind] = WATCHED_KINDS) -> Refs:
        """Bring the Store up to full lists of these kinds; returns what that bears on."""
        return _NONE.union(*await asyncio.gather(*(self._relist(kind) for kind in kinds)))

    async def sweep(self, kinds: Iterable[Kind]) -> Refs:
        """Do as `relist`, and read in full only where something is not as the Store has it."""
        return await self.relist([kind for kind in kinds if await self._has_news(kind)])

    async def _has_news(self, kind: Kind) -> bool:
        """Claim that a list tells what the Store knows neither before nor after it was asked for.

        We write all the time: what changes meanwhile by an answer to us is no news.
        """
        try:
            for namespace in self._scopes:
                before = self._store.marks(kind, namespace)
                found = await self._cluster.marks(kind, namespace, selector(kind))
                after = self._store.marks(kind, namespace)
                if not before & after <= found <= before | after:
                    return True
        except TurnoutError:
            return True  # the list tells what is wrong
        return False

    async def _relist(self, kind: Kind) -> Refs:
        touched = _NONE
        try:
            for namespace in self._scopes:
                listing = await self._cluster.list(kind, namespace, selector(kind))
                touched |= self._store.replace(kind, listing.items, listing.version, namespace)
        except TurnoutError as error:
            if str(error) != str(self._trouble.get(kind)):
                logger.warning("not listed", resource=kind.resource, error=str(error))
            self._trouble[kind] = error
        else:
            self._trouble.pop(kind, None)
        return touched
