"""A comparison of two versions as people and as programs read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from turnout.cli.changes import ABSENT, ITEM, Change, Json
from turnout.cli.options import View
from turnout.cli.planes import Fate, Part, PlaneDifference
from turnout.cli.screen import Marks, safe
from turnout.cli.texts import ADDED, REMOVED, compare_texts, unified, word_count

_SHORT: Final = 60
"""Characters of a value that stand on one line with the other value."""

_SIGNS: Final = {Fate.ADDED: "+", Fate.REMOVED: "-", Fate.CHANGED: "±"}
_STYLES: Final = {Fate.ADDED: ADDED, Fate.REMOVED: REMOVED, Fate.CHANGED: "yellow"}


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions of one agent and what differs.

    Attributes:
        before: Name of the earlier version.
        after: Name of the later one.
        roles: What each is to its agent: stable, candidate; empty where it is neither.
    """

    before: str
    after: str
    roles: tuple[str, str]
    planes: tuple[PlaneDifference, ...]

    @property
    def changed(self) -> tuple[PlaneDifference, ...]:
        """The planes that differ."""
        return tuple(one for one in self.planes if one.differs)


def document_of(found: Compared) -> dict[str, Any]:
    """Write a comparison for programs."""
    return {
        "before": found.before,
        "after": found.after,
        "same": not found.changed,
        "planes": [
            {
                "plane": one.plane.value,
                "same": not one.differs,
                "parts": [_part_document(part) for part in one.parts],
            }
            for one in found.planes
        ],
    }


def _part_document(part: Part) -> dict[str, Any]:
    written: dict[str, Any] = {"name": part.name} if part.name else {}
    written |= {"fate": part.fate.value, "fields": [_field_document(one) for one in part.fields]}
    if part.text is not None:
        written["text"] = {
            "before": part.text.before,
            "after": part.text.after,
            "unified": unified(part.text.before, part.text.after),
        }
    return written


def _field_document(change: Change) -> dict[str, Any]:
    written: dict[str, Any] = {"path": change.path}
    if change.before is not ABSENT:
        written["before"] = change.before
    if change.after is not ABSENT:
        written["after"] = change.after
    return written | ({"breaking": True} if change.breaking else {})


def lines_of(found: Compared, marks: Marks, view: View, width: int) -> Iterator[Text]:
    """Write a comparison for people."""
    yield Text.assemble(_named(found, 0), f" {marks.to} ", _named(found, 1))
    if not found.changed:
        yield Text("the same content")
        return
    yield _overview(found.planes, marks)
    for plane in found.changed:
        yield Text()
        yield from _plane_lines(plane, marks, view, width)
    yield from _remarks(found)


def _named(found: Compared, side: int) -> Text:
    name, role = (found.before, found.after)[side], found.roles[side]
    return Text.assemble((name, "bold"), f" ({role})" if role else "")


def _overview(planes: tuple[PlaneDifference, ...], marks: Marks) -> Text:
    words = []
    for one in planes:
        name = one.plane.value.lower()
        words.append(
            (f"{marks.full} {name}", "bold")
            if one.differs
            else (f"{marks.empty} {name} same", "dim")
        )
    return Text("   ").join(Text(*word) for word in words)


def _plane_lines(plane: PlaneDifference, marks: Marks, view: View, width: int) -> Iterator[Text]:
    yield _title(plane)
    if not plane.parts:
        yield Text("  it differs in a field that this program does not know: a newer turnout does")
    for part in plane.parts:
        indent = 2
        if part.name:
            yield _part_title(part, marks)
            indent = 4
        yield from _field_lines(part, marks, indent)
        if part.text is not None:
            shown = compare_texts(part.text.before, part.text.after, view, width - indent)
            yield from (Text.assemble(" " * indent, line) for line in shown)


def _title(plane: PlaneDifference) -> Text:
    named = [one for one in plane.parts if one.name]
    count = Text()
    if named:
        here = sum(one.fate is not Fate.REMOVED for one in named)
        gone = len(named) - here
        count.append(f"   {here} of {plane.total}" if here else "")
        count.append(f"   {gone} gone" if gone else "")
    return Text.assemble((plane.plane.value.upper(), "bold"), count)


def _part_title(part: Part, marks: Marks) -> Text:
    line = Text.assemble((f"{_SIGNS[part.fate]} {safe(part.name)}", _STYLES[part.fate]))
    if part.text is not None:
        before, after = (word_count(one) for one in (part.text.before, part.text.after))
        words = f"{before} {marks.to} {after} words" if before != after else f"{after} words"
        line.append(f"   {words}", "dim")
    return line


def _field_lines(part: Part, marks: Marks, indent: int) -> Iterator[Text]:
    shown = [(one, _path(one)) for one in part.fields]
    width = max((len(path) for _, path in shown), default=0)
    for change, path in shown:
        head = Text(" " * indent + path.ljust(width) + "   ")
        yield from _values(head, change, marks, indent)


def _path(change: Change) -> str:
    return safe(change.path.removesuffix(ITEM))


def _values(head: Text, change: Change, marks: Marks, indent: int) -> Iterator[Text]:
    before, after = (_shown(one) for one in (change.before, change.after))
    flag = Text("   !", "bold red") if change.breaking else Text()
    note = Text(f"   ({change.note})") if change.note else Text()
    if change.before is ABSENT or change.after is ABSENT:
        sign, value, style = (
            ("+", after, ADDED) if change.before is ABSENT else ("-", before, REMOVED)
        )
        yield Text.assemble(head, (f"{sign} {value}", style), note, flag)
    elif len(before) + len(after) <= _SHORT:
        yield Text.assemble(head, (before, REMOVED), f" {marks.to} ", (after, ADDED), flag)
    else:
        yield Text.assemble(head.plain.rstrip(), flag)
        yield Text(" " * (indent + 2) + "- " + before, REMOVED)
        yield Text(" " * (indent + 2) + "+ " + after, ADDED)


def _shown(value: Json) -> str:
    """Write a value on one line: plain words bare, everything else as JSON."""
    if value is ABSENT:
        return ""
    if isinstance(value, str) and value and value == value.strip() and "\n" not in value:
        return safe(value)
    return safe(json.dumps(value, ensure_ascii=False))


def _remarks(found: Compared) -> Iterator[Text]:
    fields = [one for plane in found.planes for part in plane.parts for one in part.fields]
    if any(one.breaking for one in fields):
        yield Text()
        yield Text("! calls that were valid before may be refused now", "yellow")
    if len(found.changed) > 1:
        yield Text()
        count = len(found.changed)
        words = f"! {count} planes change at once: a regression could come from any of them"
        yield Text(words, "yellow")


__all__ = ["Compared", "document_of", "lines_of"]
