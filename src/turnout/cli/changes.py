"""What differs between two documents, field by field, in words that a person can follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""What JSON can say: mappings, lists, text, numbers, truth and null."""


class Absent(Enum):
    """Stands for a field that is not there, which null is not."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

ORDER: Final = "(order)"
"""Last part of the path of a list whose items only changed places."""

ITEM: Final = "[]"
"""Last part of the path of a plain value that entered or left a list."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field with two values.

    Attributes:
        path: Where it is: `limits.maxSteps`, `spec.containers[agent].image`.
        before: Its value, ABSENT where it was added.
        after: Its value, ABSENT where it was removed.
        breaking: Whether what was right before may be wrong now.
        note: What else is to be said of it.
    """

    path: str
    before: Json
    after: Json
    breaking: bool = False
    note: str = ""


def changes(before: Json, after: Json, path: str = "") -> Iterator[Change]:
    """Find every field that differs.

    Items of a list that have names are told apart by them, plain values by themselves; any other
    list counts as one value.
    """
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(before, after, path)
    elif _are_named(before) and _are_named(after):
        yield from _of_named(before, after, path)
    elif _are_plain(before) and _are_plain(after):
        yield from _of_plain(before, after, path)
    else:
        yield Change(path, before, after)


def _of_mappings(
    before: Mapping[str, Json], after: Mapping[str, Json], path: str
) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        where = f"{path}.{key}" if path else key
        yield from changes(before.get(key, ABSENT), after.get(key, ABSENT), where)


def _of_named(before: Sequence[Json], after: Sequence[Json], path: str) -> Iterator[Change]:
    old, new = ({one["name"]: one for one in side} for side in (before, after))
    for name in dict.fromkeys((*old, *new)):
        yield from changes(old.get(name, ABSENT), new.get(name, ABSENT), f"{path}[{name}]")
    yield from _reordered([*old], [*new], path)


def _of_plain(before: Sequence[Json], after: Sequence[Json], path: str) -> Iterator[Change]:
    for gone in (one for one in before if one not in after):
        yield Change(path + ITEM, gone, ABSENT)
    for come in (one for one in after if one not in before):
        yield Change(path + ITEM, ABSENT, come)
    yield from _reordered(before, after, path)


def _reordered(before: Sequence[Json], after: Sequence[Json], path: str) -> Iterator[Change]:
    old, new = [one for one in before if one in after], [one for one in after if one in before]
    if old != new:
        yield Change(f"{path} {ORDER}".strip(), old, new)


def _are_named(value: Json) -> bool:
    """Claim that this is a list whose items are told apart by their names."""
    if not isinstance(value, list) or not value:
        return value == []
    names = [one.get("name") if isinstance(one, Mapping) else None for one in value]
    return all(isinstance(name, str) for name in names) and len({*names}) == len(names)


def _are_plain(value: Json) -> bool:
    """Claim that this is a list of different plain values."""
    if not isinstance(value, list) or any(isinstance(one, list | Mapping) for one in value):
        return False
    return len({(type(one), one) for one in value}) == len(value)
