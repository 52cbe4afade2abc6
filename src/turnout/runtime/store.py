"""The operator's picture of the cluster, and which objects a change bears on.

Events, full lists and the answers to our own writes all end here, in any order. An older
resourceVersion never replaces a newer one, so the picture only moves forward.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

from turnout.adapters.documents import (
    AGENT,
    CONFIG_MAP,
    LOOKED_AT,
    Document,
    Kind,
    Ref,
)
from turnout.adapters.ports import Mark
from turnout.core.world import Child
from turnout.errors import Invalid
from turnout.runtime.kept import Documents, Entry, entry_of

Refs = frozenset[Ref]
_Key = TypeVar("_Key")
_NONE: Refs = frozenset()
_NEVER = -1


class _Index(Generic[_Key]):
    """Names by something that they have in common; what is empty leaves no trace."""

    def __init__(self) -> None:
        self._refs: dict[_Key, set[Ref]] = {}

    def add(self, key: _Key, ref: Ref) -> None:
        self._refs.setdefault(key, set()).add(ref)

    def discard(self, key: _Key, ref: Ref) -> None:
        refs = self._refs.get(key, set())
        refs.discard(ref)
        if not refs:
            self._refs.pop(key, None)

    def at(self, key: _Key) -> Refs:
        return frozenset(self._refs.get(key, _NONE))


class Store:
    """Documents by kind, namespace and name.

    Each change returns the objects that it bears on, those to look at again: the object itself
    where a person wrote it, the Agent that a child was made for, and everybody who refers to it.
    Nothing is returned where nothing changed.
    """

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[Ref, Entry]] = defaultdict(dict)
        self._gone: dict[Kind, dict[Ref, int]] = defaultdict(dict)
        self._last: dict[Ref, Document | Invalid] = {}
        self._children = _Index[tuple[Ref, Kind]]()
        self._users = _Index[Ref]()

    def get(self, ref: Ref) -> Document | Invalid | None:
        """Return a document, why it could not be taken, or None where there is none."""
        entry = self._entries[ref.kind].get(ref)
        return entry.item if entry else None

    def last(self, agent: Ref) -> Document | Invalid | None:
        """Return an Agent that was deleted as it was seen last, until it is forgotten."""
        return self._last.get(agent)

    def forget(self, agent: Ref) -> None:
        """Drop what is kept of an Agent that was deleted."""
        self._last.pop(agent, None)

    def all(self, kind: Kind) -> Mapping[Ref, Document | Invalid]:
        """Return all objects of a kind, as they are now."""
        return Documents(dict(self._entries[kind]))

    def phases(self, kind: Kind) -> Collection[str | None]:
        """Tell the phases that objects of a kind are in; None where one tells none."""
        known = self._entries[kind].values()
        return {entry.phase for entry in known if not isinstance(entry.kept, Invalid)}

    def owners(self, kind: Kind) -> Refs:
        """Name all that objects of a kind were made for."""
        owners = (entry.owner for entry in self._entries[kind].values())
        return frozenset(one for one in owners if one is not None)

    def marks(self, kind: Kind, namespace: str | None) -> frozenset[Mark]:
        """Tell which objects of a kind are held, in a namespace or (None) in all."""
        held = self._entries[kind].items()
        marks = (entry.mark for ref, entry in held if namespace in (None, ref.namespace))
        return frozenset(one for one in marks if one is not None)

    def children(self, owner: Ref, kind: Kind) -> Mapping[Ref, Document | Invalid]:
        """Return what was made of a kind for an object: by label, or as its version or rollout."""
        return {
            ref: self._entries[kind][ref].item for ref in sorted(self._children.at((owner, kind)))
        }

    def named_by(self, ref: Ref, kind: Kind) -> tuple[Ref, ...]:
        """Return the objects of a kind that name an object themselves."""
        return tuple(sorted(one for one in self._users.at(ref) if one.kind == kind))

    def child(self, ref: Ref) -> Child | None:
        """Return an object as decisions on its Agent see it, if there is one that can be read."""
        entry = self._entries[ref.kind].get(ref)
        return entry.child if entry else None

    def made(self, owner: Ref, kind: Kind) -> Mapping[Ref, Child]:
        """Return what can be read of what was made of a kind for an object."""
        named = sorted(self._children.at((owner, kind)))
        found = {ref: self._entries[kind][ref].child for ref in named}
        return {ref: one for ref, one in found.items() if one is not None}

    def users(self, ref: Ref) -> tuple[Ref, ...]:
        """Return the Agents that refer to an object, directly or through a RolloutStrategy."""
        return tuple(sorted(user for user in self._reached(ref) if user.kind == AGENT))

    def put(self, ref: Ref, item: Document | Invalid, version: str = "") -> Refs:
        """Take an object, or why it cannot be taken, if it is news.

        A document carries its own version; an Invalid comes with that of its list or event.
        """
        carried = item["metadata"]["resourceVersion"] if isinstance(item, Mapping) else version
        number = int(carried or 0)
        old = self._entries[ref.kind].get(ref)
        if _stale(number, old, self._gone[ref.kind].get(ref, _NEVER)):
            return _NONE
        entry = entry_of(ref, item, number)
        self._gone[ref.kind].pop(ref, None)
        self.forget(ref)
        self._swap(ref, old, entry)
        return _NONE if old and _same(old.item, entry.item) else self._touched(ref, old, entry)

    def hear(self, ref: Ref, item: Document | Invalid, version: str) -> Refs:
        """Take what came unasked: of others' ConfigMaps only those that somebody refers to."""
        known = self.get(ref) is not None or self._users.at(ref)
        if ref.kind == CONFIG_MAP and not known and _is_foreign(ref, item):
            return _NONE
        return self.put(ref, item, version)

    def remove(self, ref: Ref, version: str = "") -> Refs:
        """Forget an object that was deleted at this version, or as known where none is given."""
        old = self._entries[ref.kind].get(ref)
        number = int(version or (old.version if old else 0))
        if old and old.version > number:
            return _NONE
        self._gone[ref.kind][ref] = max(number, self._gone[ref.kind].get(ref, _NEVER))
        if not old:
            return _NONE
        if ref.kind == AGENT:
            self._last[ref] = old.item
        touched = self._touched(ref, old, None)
        self._swap(ref, old, None)
        return touched

    def replace(
        self,
        kind: Kind,
        items: Mapping[Ref, Document | Invalid],
        version: str,
        namespace: str | None = None,
    ) -> Refs:
        """Take a full list of a kind (in one namespace, or all) and forget what it lacks.

        What is newer than the list stays as it is.
        """
        number = int(version)
        lacking = [
            ref
            for ref, entry in self._entries[kind].items()
            if ref not in items and entry.version <= number and namespace in (None, ref.namespace)
        ]
        touched = _NONE.union(
            *(self.hear(ref, item, version) for ref, item in items.items()),
            *(self.remove(ref, version) for ref in lacking),
        )
        self._bury(kind, number, namespace)
        return touched

    def _bury(self, kind: Kind, number: int, namespace: str | None) -> None:
        """Drop the memory of deletions that no list still on its way can contradict."""
        self._gone[kind] = {
            ref: at
            for ref, at in self._gone[kind].items()
            if at >= number or namespace not in (None, ref.namespace)
        }

    def _swap(self, ref: Ref, old: Entry | None, new: Entry | None) -> None:
        """Put the new entry in the old one's place, in the indexes too."""
        if old:
            del self._entries[ref.kind][ref]
            self._index(ref, old, _Index.discard)
        if new:
            self._entries[ref.kind][ref] = new
            self._index(ref, new, _Index.add)

    def _index(
        self, ref: Ref, entry: Entry, change: Callable[[_Index[Any], Any, Ref], None]
    ) -> None:
        if entry.owner:
            change(self._children, (entry.owner, ref.kind), ref)
        for used in entry.references:
            change(self._users, used, ref)

    def _touched(self, ref: Ref, old: Entry | None, new: Entry | None) -> Refs:
        """Return what a change from old to new bears on."""
        known = [entry for entry in (old, new) if entry]
        owners = {entry.owner for entry in known if entry.owner}
        moved = (old.references if old else _NONE) ^ (new.references if new else _NONE)
        users = _NONE if old and new and _is_mere_report(old, new) else self._reached(ref)
        found = _NONE.union({ref}, owners, moved, users)
        return frozenset(one for one in found if one.kind in LOOKED_AT)

    def _reached(self, ref: Ref) -> Refs:
        """Return who refers to an object, and who refers to those."""
        direct = self._users.at(ref)
        return direct.union(*(self._users.at(user) for user in direct))


def _stale(number: int, old: Entry | None, gone: int) -> bool:
    """Claim that what arrives at this version is known already, or was deleted since."""
    return number <= gone or (old is not None and number <= old.version and number > 0)


def _is_foreign(ref: Ref, item: Document | Invalid) -> bool:
    """Claim that an object was not made for an Agent; of what cannot be read nobody knows."""
    entry = entry_of(ref, item, _NEVER)
    return not isinstance(entry.item, Invalid) and entry.owner is None


def _same(old: Document | Invalid, new: Document | Invalid) -> bool:
    """Claim that two items differ in nothing but their version."""
    if isinstance(old, Invalid) or isinstance(new, Invalid):
        return str(old) == str(new)
    return _content(old) == _content(new)


def _is_mere_report(old: Entry, new: Entry) -> bool:
    """Claim that nothing but a status changed: who refers to an object does not read that.

    Without this, hundreds of Agents that share a Prompt would all be looked at again for each
    line that the Prompt's status tells of one of them.
    """
    if isinstance(old.item, Invalid) or isinstance(new.item, Invalid):
        return False
    before, after = (_content({**one, "status": None}) for one in (old.item, new.item))
    return before == after


def _content(document: Document) -> tuple[Document, Document]:
    ignored = {"resourceVersion", "managedFields"}
    metadata = {k: v for k, v in document["metadata"].items() if k not in ignored}
    return metadata, {k: v for k, v in document.items() if k != "metadata"}
