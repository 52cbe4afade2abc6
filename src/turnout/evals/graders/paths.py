"""Places in a JSON document: names, positions and `[*]` of RFC 9535, without its filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from turnout.evals.graders.answers import misused

MOST_VALUES: Final = 10_000
"""Values that one path is followed to at most."""

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)
      | \[(?P<position>-?[0-9]{1,6})\]
      | \['(?P<single>[^'\\]*)'\]
      | \["(?P<double>[^"\\]*)"\]
      | (?P<all>\[\*\] | \.\*)""",
    re.VERBOSE,
)

Step: TypeAlias = str | int | None
"""A name, a position, or None for all."""


@lru_cache(maxsize=512)
def steps(path: str) -> tuple[Step, ...]:
    """Read a path.

    Raises:
        Invalid: It is none.
    """
    found: list[Step] = []
    place = 1
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            raise misused(f"path is not understood at character {place + 1}")
        found.append(_step(step))
        place = step.end()
    return tuple(found)


def values(path: str, document: Any) -> Sequence[Any]:
    """Give what stands at a path; nothing where it leads nowhere."""
    found: list[Any] = [document]
    for step in steps(path):
        found = [value for one in found for value in _below(one, step)][:MOST_VALUES]
    return found


def _step(step: re.Match[str]) -> Step:
    if step["all"]:
        return None
    if step["position"]:
        return int(step["position"])
    return next(step[name] for name in ("name", "single", "double") if step[name] is not None)


def _below(value: Any, step: Step) -> Iterable[Any]:
    match value, step:
        case dict(), None:
            return list(value.values())
        case dict(), str() if step in value:
            return [value[step]]
        case list(), None:
            return value
        case list(), int() if -len(value) <= step < len(value):
            return [value[step]]
        case _:
            return []
