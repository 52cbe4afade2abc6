"""Mustache read for its syntax and its names, as the spec at mustache.github.io has it (1.4).

There is no well-kept parser that is strict: those that render pass over what does not close. So
the tags are read here, in one pass that neither recurses nor looks back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SECTIONS = "#^$<"
"""What begins a part that a tag with / ends: section, inverted, block, parent."""

_TYPES = SECTIONS + "/>&!="
_DELIMITERS = 2


class Malformed(Exception):
    """A template that does not parse.

    Attributes:
        line: Where, counted from 1.
        problem: What is wrong there; foreign text in it is quoted and short.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


@dataclass(frozen=True)
class Names:
    """The variables of a template.

    Attributes:
        needed: Those that only the agent can know.
        named: All that are named at all: one inside a section may be a part of its value.
    """

    needed: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Tag:
    line: int
    type: str
    content: str


def read_mustache(text: str, most_tags: int) -> Names:
    """Read the names of a template.

    Raises:
        Malformed: It does not parse, or has more tags than are read.
    """
    opened: list[_Tag] = []
    needed: set[str] = set()
    named: set[str] = set()
    for count, tag in enumerate(_tags(text), start=1):
        if count > most_tags:
            raise Malformed(tag.line, f"more than {most_tags} tags")
        if tag.type == "/":
            _close(opened, tag)
        elif tag.type in "{&#^":
            root = _root(tag)
            named |= root
            needed |= root if all(one.type != "#" for one in opened) else set()
        if tag.type and tag.type in SECTIONS:
            opened.append(tag)
    if opened:
        raise Malformed(opened[-1].line, f"{_shown(opened[-1])} is never closed")
    return Names(frozenset(needed), frozenset(named))


def _close(opened: list[_Tag], tag: _Tag) -> None:
    if not opened:
        raise Malformed(tag.line, f"{_shown(tag)} closes nothing")
    last = opened.pop()
    if last.content != tag.content:
        message = f"{_shown(tag)} closes {_shown(last)} of line {last.line}"
        raise Malformed(tag.line, message)


def _root(tag: _Tag) -> set[str]:
    """Return the variable that a dotted name begins with; `.` itself names none."""
    root = tag.content.split(".", 1)[0]
    return {root} if root else set()


def _tags(text: str) -> Iterator[_Tag]:
    """Yield every tag but comments and changes of the delimiters."""
    begin, end = "{{", "}}"
    position, line = 0, 1
    while (start := text.find(begin, position)) >= 0:
        line += text.count("\n", position, start)
        kind, content, stop = _tag_at(text, start + len(begin), end, line)
        if kind == "=":
            begin, end = _delimiters(content, line)
        elif kind != "!":
            yield _Tag(line, kind, _name(content, line))
        line += text.count("\n", start, stop)
        position = stop


def _tag_at(text: str, start: int, end: str, line: int) -> tuple[str, str, int]:
    """Return type and content of the tag that begins here, and where it ends."""
    kind = text[start : start + 1]
    if kind == "{":
        close, kind, start = "}" + end, "{", start + 1
    elif kind and kind in _TYPES:
        close, start = ("=" if kind == "=" else "") + end, start + 1
    else:
        close, kind = end, "&"
    stop = text.find(close, start)
    if stop < 0:
        raise Malformed(line, f"a tag is not closed by {close!r}")
    return kind, text[start:stop].strip(), stop + len(close)


def _name(content: str, line: int) -> str:
    if not content:
        raise Malformed(line, "a tag has no name")
    if any(char.isspace() for char in content):
        raise Malformed(line, f"{content[:40]!r} is not a name: it has a space")
    return content


def _delimiters(content: str, line: int) -> tuple[str, str]:
    parts = content.split()
    if len(parts) != _DELIMITERS or any("=" in part for part in parts):
        raise Malformed(line, f"{content[:40]!r} are not two delimiters")
    return parts[0], parts[1]


def _shown(tag: _Tag) -> str:
    return repr(f"{tag.type}{tag.content[:40]}")
