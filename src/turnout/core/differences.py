"""Short differences for a condition's message; foreign text is quoted and clipped."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from turnout.core.quoting import quoted

LONGEST = 240
_CONTEXT = 2
_MOST_WORDS = 1000
_MOST_PATHS = 4
_LONGEST_VALUE = 40


def of_texts(before: str, after: str) -> str:
    """Show which words changed: ``Refund [-an-]{+any+} order``."""
    old, new = (text.split()[:_MOST_WORDS] for text in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    parts: list[str] = []
    for operation, i, j, k, m in matcher.get_opcodes():
        if operation == "equal":
            parts += _context(old[i:j])
            continue
        parts += [f"[-{' '.join(old[i:j])}-]"] if i < j else []
        parts += [f"{{+{' '.join(new[k:m])}+}}"] if k < m else []
    return quoted(" ".join(parts), LONGEST)


def _context(words: list[str]) -> list[str]:
    if len(words) <= 2 * _CONTEXT:
        return words
    return [*words[:_CONTEXT], "…", *words[-_CONTEXT:]]


def of_schemas(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Show where two documents differ, by path: ``/properties/id/type: "string" -> "integer"``."""
    found = list(_paths("", before, after))
    shown = "; ".join(found[:_MOST_PATHS]) + ("; …" if found[_MOST_PATHS:] else "")
    return quoted(shown, LONGEST)


def _paths(path: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            inside = f"{path}/{key}"
            if key not in after:
                yield f"{inside}: gone"
            elif key not in before:
                yield f"{inside}: new {_brief(after[key])}"
            else:
                yield from _paths(inside, before[key], after[key])
    elif before != after:
        yield f"{path}: {_brief(before)} -> {_brief(after)}"


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
