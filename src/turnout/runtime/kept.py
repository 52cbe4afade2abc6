"""What is kept of each object: its document as JSON, and beside it what is asked of all at once.

Most objects are looked at seldom, and a decoded document takes three times the memory of its JSON.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import to_json
from typing_extensions import override

from turnout.adapters.decoding import decode
from turnout.adapters.documents import Document, Ref
from turnout.adapters.ports import Mark
from turnout.core.world import Child
from turnout.errors import Invalid
from turnout.runtime.relations import made_for, references_of
from turnout.runtime.trim import trim


class Kept(Mapping[str, Any]):
    """A document that is decoded when it is first looked into."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._decoded: Document | None = None

    def anew(self) -> Self:
        """The same, not decoded."""
        return type(self)(self._text)

    def _document(self) -> Document:
        if self._decoded is None:
            self._decoded = decode(self._text)
        return self._decoded

    @override
    def __getitem__(self, key: str) -> Any:
        return self._document()[key]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._document())

    @override
    def __len__(self) -> int:
        return len(self._document())


@dataclass(frozen=True, slots=True)
class Entry:
    """One object.

    Attributes:
        kept: Its document, or why it could not be taken.
        version: Its resourceVersion.
        owner: Whom it was made for.
        references: What it names.
        mark: By which a list shows that it is still the same; None where it could not be taken.
        phase: What its status calls it.
    """

    kept: bytes | Invalid
    version: int
    owner: Ref | None = None
    references: frozenset[Ref] = frozenset()
    mark: Mark | None = None
    phase: str | None = None

    @property
    def item(self) -> Document | Invalid:
        """The document, decoded anew, or why there is none."""
        return self.kept if isinstance(self.kept, Invalid) else decode(self.kept)

    @property
    def child(self) -> Child | None:
        """The object as decisions on its Agent see it; None where it could not be taken."""
        if isinstance(self.kept, Invalid) or self.mark is None:
            return None
        return Child(*self.mark, Kept(self.kept))


class Documents(Mapping[Ref, Document | Invalid]):
    """Documents by name, each decoded when it is asked for."""

    def __init__(self, entries: Mapping[Ref, Entry]) -> None:
        self._entries = entries

    @override
    def __getitem__(self, ref: Ref) -> Document | Invalid:
        return self._entries[ref].item

    @override
    def __iter__(self) -> Iterator[Ref]:
        return iter(self._entries)

    @override
    def __len__(self) -> int:
        return len(self._entries)


def entry_of(ref: Ref, item: Document | Invalid, version: int) -> Entry:
    """Keep what decisions look at of an object, or why it cannot be taken."""
    if isinstance(item, Invalid):
        return Entry(item, version)
    try:
        owner, references = made_for(ref, item), frozenset(references_of(ref, item))
        kept, metadata = to_json(trim(ref.kind, item)), item["metadata"]
        mark = str(metadata.get("uid", "")), str(metadata.get("resourceVersion", ""))
        phase = (item.get("status") or {}).get("phase")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = Invalid("Malformed", f"{ref} does not have the shape of its kind")
        reason.__cause__ = error
        return Entry(reason, version)
    known = sys.intern(phase) if isinstance(phase, str) else None
    return Entry(kept, version, owner, references, mark, known)
