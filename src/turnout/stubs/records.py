"""What the stubbed calls would have done: counted without limit, kept up to one."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from turnout.core.quoting import quoted
from turnout.stubs.answers import Said

MOST_CALLS: Final = 1000
"""Calls that are kept, the newest ones."""

LONGEST_ARGUMENTS: Final = 1000
MOST_TOOLS: Final = 512
"""Names that are counted apart; a caller can make up any number of them."""


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        tool: Its name, as it was called.
        arguments: What with, as JSON, clipped.
        outcome: What became of it.
    """

    tool: str
    arguments: str
    outcome: str

    def to_wire(self) -> dict[str, str]:
        """Tell it."""
        return {"tool": self.tool, "arguments": self.arguments, "outcome": self.outcome}


class Records:
    """The calls so far."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Take where a line a call goes."""
        self._write = write
        self._kept: deque[Call] = deque(maxlen=MOST_CALLS)
        self._counts: dict[str, Counter[str]] = {}
        self._all = 0

    def keep(self, tool: str, arguments: object, said: Said) -> None:
        """Keep a call."""
        shown = quoted(json.dumps(arguments, ensure_ascii=False), LONGEST_ARGUMENTS)
        call = Call(quoted(tool, 128), shown, said.outcome.value)
        name = call.tool
        if name not in self._counts and len(self._counts) >= MOST_TOOLS:
            name = "(others)"
        self._counts.setdefault(name, Counter())[call.outcome] += 1
        self._kept.append(call)
        self._all += 1
        self._write(json.dumps({"event": "stubbed", **call.to_wire()}, ensure_ascii=False) + "\n")

    def to_wire(self) -> Mapping[str, Any]:
        """Tell how often each tool was called, and the calls that are kept."""
        return {
            "counts": {name: dict(counts) for name, counts in sorted(self._counts.items())},
            "calls": [one.to_wire() for one in self._kept],
            "leftOut": self._all - len(self._kept),
        }
