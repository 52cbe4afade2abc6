"""What was read outside the cluster and pinned, read back from its ConfigMap and proved."""

from collections import OrderedDict
from typing import Final

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Ref
from turnout.adapters.ports import Cluster
from turnout.api.base import LocalRef
from turnout.core.sources import Pinned, read_pinned
from turnout.core.world import Unread
from turnout.errors import Invalid, NotFound

MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes kept in memory; what was not used for longest goes first."""


class Shelf:
    """Gives pinned content by name: the name is made of its bytes, so it is read only once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._kept: OrderedDict[Ref, Pinned] = OrderedDict()
        self._size = 0

    async def pinned(self, namespace: str, reference: LocalRef | None) -> Pinned | Unread | None:
        """Return what a status names as pinned; None where it names nothing yet.

        Raises:
            Transient: The API server is unwell.
        """
        if reference is None:
            return None
        ref = Ref(kinds.CONFIG_MAP, namespace, reference.name)
        if ref in self._kept:
            self._kept.move_to_end(ref)
            return self._kept[ref]
        try:
            found = read_pinned(ref.name, await self._cluster.get(ref))
        except (NotFound, Invalid):
            return Unread(f"ConfigMap {ref.name}, which holds what was pinned, is not there")
        if isinstance(found, Pinned):
            self._keep(ref, found)
        return found

    def forget(self, ref: Ref) -> None:
        """Drop one, so that it is read again."""
        dropped = self._kept.pop(ref, None)
        if dropped is not None:
            self._size -= _size(dropped)

    def _keep(self, ref: Ref, found: Pinned) -> None:
        self._kept[ref] = found
        self._size += _size(found)
        while self._size > MOST_BYTES and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))


def _size(pinned: Pinned) -> int:
    return sum(len(text) for text in pinned.data.values())
