"""YAML that people write, read as the JSON that it stands for: no tags, no aliases, no surprises.

Only what JSON has is read. A plain word is a number, `true`, `false` or `null` where JSON writes it
so, and text otherwise: `no`, `12:30` and `2026-01-02` stay what they look like. Aliases are
refused, since a few of them unfold to gigabytes, and so are tags, since they make other things than
data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import yaml

from turnout.core.jsontext import finite, unique

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}

_Events: TypeAlias = Iterator[yaml.Event]


def items(text: str, deepest: int) -> Iterator[tuple[int, Any]]:
    """Read a list and give the line and the value of each item, as they come.

    Raises:
        ValueError: It is no such list; the message names the line and never quotes the text.
    """
    try:
        yield from _items(yaml.parse(text, Loader=yaml.CSafeLoader), deepest)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 1 if mark is None else mark.line + 1
        raise ValueError(f"line {line} is not YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeError):
        raise ValueError("it holds characters that YAML does not take") from None


def _items(events: _Events, deepest: int) -> Iterator[tuple[int, Any]]:
    next(events)
    begin = next(events)
    if not isinstance(begin, yaml.DocumentStartEvent):
        raise _wrong(begin, "it is empty")
    first = next(events)
    if not isinstance(first, yaml.SequenceStartEvent):
        raise _wrong(first, "a list is wanted here")
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        yield _line(event), _value(event, events, deepest - 1)
    next(events)
    if not isinstance(after := next(events), yaml.StreamEndEvent):
        raise _wrong(after, "a second document begins, one is read")


def _value(event: yaml.Event, events: _Events, left: int) -> Any:
    _hold_plain(event)
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if left == 0:
        raise _wrong(event, "it nests too deep")
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, left - 1)
    return _mapping(event, events, left - 1)


def _sequence(events: _Events, left: int) -> list[Any]:
    found = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        found.append(_value(event, events, left))
    return found


def _mapping(start: yaml.Event, events: _Events, left: int) -> dict[str, Any]:
    pairs: list[tuple[str, Any]] = []
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise _wrong(event, "a key is no text")
        _hold_plain(event)
        pairs.append((event.value, _value(next(events), events, left)))
    try:
        return unique(pairs)
    except ValueError as error:
        raise _wrong(start, str(error)) from None


def _hold_plain(event: yaml.Event) -> None:
    if getattr(event, "anchor", None) or getattr(event, "tag", None):
        raise _wrong(event, "anchors, aliases and tags are not read")


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    try:
        return json.loads(text, parse_float=finite)
    except ValueError:
        raise _wrong(event, "a number is too large") from None


def _wrong(event: yaml.Event, what: str) -> ValueError:
    return ValueError(f"line {_line(event)}: {what}")


def _line(event: yaml.Event) -> int:
    """Count from 1; events of a text always have a place."""
    mark: Any = event.start_mark
    return int(mark.line) + 1
