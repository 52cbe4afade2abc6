"""Which of the given tools serves which purpose: read from their names and descriptions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from . import words as w
from .rules import Pattern, Stance, stances


class Purpose(StrEnum):
    """What the stand-in needs a tool for."""

    LOOKUP = "Lookup"
    REFUND = "Refund"
    REPLACEMENT = "Replacement"
    TICKET = "Ticket"
    SEARCH = "Search"


_PATTERNS: Mapping[Purpose, Pattern] = {
    Purpose.LOOKUP: Pattern(w.READ, (w.ORDER,), barred=(w.GRANT, w.ARTICLE)),
    Purpose.REFUND: Pattern(w.ACT, (w.REFUND,)),
    Purpose.REPLACEMENT: Pattern(w.ACT, (w.REPLACEMENT,)),
    Purpose.TICKET: Pattern(w.ACT, (w.PERSON,)),
    Purpose.SEARCH: Pattern(w.SEARCH, (w.ARTICLE,)),
}


@dataclass(frozen=True)
class Tool:
    """A tool as the request describes it."""

    name: str
    description: str = ""
    arguments: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, function: Mapping[str, Any]) -> Self:
        """From the `function` of a chat completion request's tool.

        Raises:
            KeyError: It has no name.
        """
        parameters = function.get("parameters") or {}
        return cls(
            name=str(function["name"]),
            description=str(function.get("description") or ""),
            arguments=tuple(parameters.get("properties") or ()),
        )

    def serves(self, purpose: Purpose) -> bool:
        """Whether name or description speak of the purpose and nothing in them forbids it."""
        pattern = _PATTERNS[purpose]
        said = set(stances(pattern, self.name.replace("_", " ").replace(".", " ")))
        said.update(stances(pattern, self.description))
        return said == {Stance.ASKED}


def sort(tools: Iterable[Tool]) -> Mapping[Purpose, Tool]:
    """The first tool that serves each purpose."""
    return dict(_sort(tuple(tools)))


@lru_cache(maxsize=64)
def _sort(tools: tuple[Tool, ...]) -> Mapping[Purpose, Tool]:
    chosen: dict[Purpose, Tool] = {}
    for purpose in Purpose:
        for tool in tools:
            if tool.serves(purpose):
                chosen.setdefault(purpose, tool)
    return chosen
