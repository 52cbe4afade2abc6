"""Two texts beside each other: as a unified diff, word by word, or in two columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from turnout.cli.options import View
from turnout.cli.screen import safe

REMOVED: Final = "red"
ADDED: Final = "green"
CONTEXT: Final = 3
"""Lines around a change that are shown."""

NO_NEWLINE: Final = "\\ no newline at the end"
_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")
_WORD: Final = re.compile(r"\w[\w'-]*")


def compare_texts(before: str, after: str, view: View, width: int) -> list[Text]:
    """Show what differs, uncut; `width` is what columns may take together."""
    old, new = _lines(before), _lines(after)
    match view:
        case View.LINES:
            return list(_unified(old, new))
        case View.WORDS:
            return list(_words(old, new))
        case View.COLUMNS:
            return list(_columns(old, new, (width - 3) // 2))


def unified(before: str, after: str) -> str:
    """Return a unified diff as plain text, for programs."""
    found = list(difflib.unified_diff(_lines(before), _lines(after), "before", "after", "", "", 3))
    return "\n".join(line.rstrip("\n") for line in found)


def word_count(text: str) -> int:
    """Count words as people do."""
    return len(_WORD.findall(text))


def _lines(text: str) -> list[str]:
    """Cut into lines; a text that does not end its last line says so."""
    lines = safe(text).split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines, NO_NEWLINE]


def _hunks(
    old: Sequence[str], new: Sequence[str]
) -> Iterator[list[tuple[str, list[str], list[str]]]]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        yield [(tag, [*old[a:b]], [*new[c:d]]) for tag, a, b, c, d in group]


def _unified(old: Sequence[str], new: Sequence[str]) -> Iterator[Text]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        yield Text(
            f"@@ -{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@",
            style="cyan",
        )
        for tag, a, b, c, d in group:
            yield from _block(tag, old[a:b], new[c:d])


def _block(tag: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Text]:
    if tag == "equal":
        yield from (Text(f"  {line}", style="dim") for line in old)
        return
    pairs = [_emphasised(*pair) for pair in zip(old, new, strict=False)]
    shared = len(pairs) if len(old) == len(new) else 0
    removed = [one for one, _ in pairs[:shared]] or [Text(line) for line in old]
    added = [other for _, other in pairs[:shared]] or [Text(line) for line in new]
    yield from (Text.assemble(("- ", REMOVED), _in(line, REMOVED)) for line in removed)
    yield from (Text.assemble(("+ ", ADDED), _in(line, ADDED)) for line in added)


def _in(line: Text, style: str) -> Text:
    line.style = style
    return line


def _emphasised(old: str, new: str) -> tuple[Text, Text]:
    """Set off the words that differ between two lines."""
    before, after = Text(), Text()
    for tag, gone, come in _word_ops(old, new):
        style = "" if tag == "equal" else "bold underline"
        before.append(gone, style)
        after.append(come, style)
    return before, after


def _word_ops(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        yield tag, "".join(a[i:j]), "".join(b[k:m])


def _words(old: Sequence[str], new: Sequence[str]) -> Iterator[Text]:
    """Show the later text with what was taken out and put in: `[-old-]{+new+}`."""
    for hunk in _hunks(old, new):
        for tag, before, after in hunk:
            if tag == "equal":
                yield from (Text(f"  {line}", style="dim") for line in before)
            else:
                yield from _marked("\n".join(before), "\n".join(after))
        yield Text()


def _marked(old: str, new: str) -> Iterator[Text]:
    shown = Text()
    for tag, gone, come in _word_ops(old, new):
        if tag == "equal":
            shown.append(gone)
            continue
        if gone:
            shown.append(f"[-{gone}-]", REMOVED)
        if come:
            shown.append(f"{{+{come}+}}", ADDED)
    yield from (Text.assemble("  ", line) for line in shown.split("\n", allow_blank=True))


def _columns(old: Sequence[str], new: Sequence[str], width: int) -> Iterator[Text]:
    for hunk in _hunks(old, new):
        for tag, before, after in hunk:
            for one, other in _rows(before, after):
                yield from _row(tag, one, other, width)
        yield Text()


def _rows(before: list[str], after: list[str]) -> Iterator[tuple[str | None, str | None]]:
    for number in range(max(len(before), len(after))):
        yield (
            before[number] if number < len(before) else None,
            after[number] if number < len(after) else None,
        )


def _row(tag: str, one: str | None, other: str | None, width: int) -> Iterator[Text]:
    """Show one line of both texts, each wrapped within its column."""
    if tag == "equal":
        mark, styles = " ", ("dim", "dim")
    else:
        mark, styles = _side(one, other), (REMOVED, ADDED)
    left, right = _wrapped(one, width), _wrapped(other, width)
    for number in range(max(len(left), len(right))):
        first = left[number] if number < len(left) else ""
        second = right[number] if number < len(right) else ""
        yield Text.assemble((first.ljust(width), styles[0]), f" {mark} ", (second, styles[1]))
        mark = " "


def _side(one: str | None, other: str | None) -> str:
    if one is None:
        return ">"
    return "<" if other is None else "|"


def _wrapped(line: str | None, width: int) -> list[str]:
    if line is None:
        return []
    return [line[at : at + width] for at in range(0, len(line), width)] or [""]
