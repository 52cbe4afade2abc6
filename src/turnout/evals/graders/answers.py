"""What an agent answered to a task, and what a grader says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from turnout.core.jsontext import depth
from turnout.errors import Invalid

DEEPEST: Final = 64


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool that was made.

    Attributes:
        tool: Name of the tool.
        arguments: What it was called with.
    """

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent answered.

    Attributes:
        text: Its last words.
        calls: Calls of tools on the way, in their order; None where the agent does not tell.
        tokens: Tokens that it took, as the agent tells; None where it does not.
    """

    text: str
    calls: tuple[Call, ...] | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader says.

    Attributes:
        passed: Whether the answer is right; None where that cannot be said, which is an error.
        why: What is wrong, in our own words; empty where nothing is.
    """

    passed: bool | None
    why: str = ""


PASSED: Final = Grade(passed=True)


def failed(why: str) -> Grade:
    """Say that an answer is not right."""
    return Grade(passed=False, why=why)


def misused(message: str) -> Invalid:
    """Make the error for a grader that cannot grade whatever is answered."""
    return Invalid("InvalidGrader", message)


class NotJson(Exception):
    """A text is no JSON that is read; the message says why."""


def parsed(text: str) -> Any:
    """Read JSON: bounded depth, only numbers of JSON.

    Raises:
        NotJson: It is none.
    """
    if depth(text) > DEEPEST:
        raise NotJson(f"nests more than {DEEPEST} deep")
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        raise NotJson("is not JSON") from None


def _no_number(word: str) -> None:
    raise ValueError(word)
