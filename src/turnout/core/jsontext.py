"""JSON that travels inside a string: bounded before it is parsed.

A document nested deep enough stops a recursive parser, so depth is counted on the text first.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

DEEPEST = 32
"""Levels that a document inside a field of ours may nest."""


def depth(text: str) -> int:
    """Count how deep objects and arrays nest in a JSON text, brackets in strings aside."""
    deepest = level = 0
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted, escaped = escaped or char != '"', char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "{[":
            level += 1
            deepest = max(deepest, level)
        elif char in "}]":
            level -= 1
    return deepest


def no_number(word: str) -> None:
    """Refuse what Python writes for a number that JSON has not: NaN, Infinity.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{word} is no number")


def finite(word: str) -> float:
    """Read a number that a double can hold.

    Raises:
        ValueError: It is larger.
    """
    number = float(word)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("a number is larger than a double can hold")
    return number


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members.

    Raises:
        ValueError: Two have one key: readers differ in which of them they take.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"key {twice} stands twice in one object")
    return found


def parse(field: str, text: str) -> dict[str, Any]:
    """Parse a text that must hold a JSON object.

    Raises:
        ValueError: it nests too deep, is not JSON or holds something else; the message names the
            field and never quotes the text.
    """
    nested = depth(text)
    if nested > DEEPEST:
        raise ValueError(f"{field} nests {nested} deep, at most {DEEPEST} are read")
    try:
        value = json.loads(text, parse_constant=no_number)
    except ValueError as error:
        raise ValueError(f"{field} is not JSON: {error}") from None
    if isinstance(value, dict):
        return value
    raise ValueError(f"{field} must be a JSON object")


def check(field: str, text: str) -> str | None:
    """Say what is wrong with a field that must hold a JSON object, None where it is fine."""
    try:
        parse(field, text)
    except ValueError as error:
        return str(error)
    return None
