"""Full lists: they fill the Store before any work begins, and mend what watches missed."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from turnout.adapters.documents import WATCHED_KINDS, Kind, selector
from turnout.adapters.ports import Cluster
from turnout.errors import NotFound, TurnoutError
from turnout.runtime.store import Refs, Store

logger = structlog.stdlib.get_logger(__name__)

_NONE: Refs = frozenset()


class Relister:
    """Lists kinds into the Store, with one chunked LIST per kind and namespace.

    Kinds are listed beside each other, and trouble with one never keeps another from being read.
    """

    def __init__(self, cluster: Cluster, store: Store, namespaces: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._store = store
        self._scopes: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._absent: set[Kind] = set()
        self._unread: set[Kind] = set(WATCHED_KINDS)

    def served(self, kind: Kind) -> bool:
        """Claim that the API server knew this kind when it was last asked."""
        return kind not in self._absent

    @property
    def unread(self) -> frozenset[Kind]:
        """Kinds whose newest list failed, or that were never listed."""
        return frozenset(self._unread)

    async def relist(self, kinds: Iterable[Kind] = WATCHED_KINDS) -> Refs:
        """Bring the Store up to full lists of these kinds; returns what that bears on."""
        return _NONE.union(*await asyncio.gather(*(self._relist(kind) for kind in kinds)))

    async def _relist(self, kind: Kind) -> Refs:
        touched = _NONE
        try:
            for namespace in self._scopes:
                listing = await self._cluster.list(kind, namespace, selector(kind))
                touched |= self._store.replace(kind, listing.items, listing.version, namespace)
        except NotFound:
            self._note_absence(kind)
        except TurnoutError as error:
            logger.warning("not listed", resource=kind.resource, error=str(error))
            self._unread.add(kind)
        else:
            self._absent.discard(kind)
            self._unread.discard(kind)
        return touched

    def _note_absence(self, kind: Kind) -> None:
        """Remember that a kind is not served: that is an answer, not trouble."""
        if kind not in self._absent:
            logger.info("not served", resource=kind.resource)
        self._absent.add(kind)
        self._unread.discard(kind)
