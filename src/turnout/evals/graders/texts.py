"""Graders of an answer as text: exact, contains, regular expressions."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import jsonschema_rs

from turnout.api.graders import Contains, Exact, Regex, TextMatch
from turnout.evals.graders.answers import PASSED, Answer, Grade, failed, misused

LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=4_000_000)
"""The engine without backtracking: time grows with the text, and patterns that are large when
compiled are refused."""


def exact(rule: Exact, answer: Answer) -> Grade:
    """Hold an answer to be a text."""
    same = _read(answer.text, rule.match) == _read(rule.text, rule.match)
    return PASSED if same else failed("the answer is another text")


def contains(rule: Contains, answer: Answer) -> Grade:
    """Hold an answer to contain texts, and not to contain others."""
    text = _read(answer.text, rule.match)
    missing = [
        number for number, one in enumerate(rule.all_of) if _read(one, rule.match) not in text
    ]
    if missing:
        return failed(f"allOf.{missing[0]} is not in the answer")
    found = [number for number, one in enumerate(rule.none_of) if _read(one, rule.match) in text]
    return failed(f"noneOf.{found[0]} is in the answer") if found else PASSED


def regex(rule: Regex, answer: Answer) -> Grade:
    """Hold an answer to a regular expression, in time that grows with its length alone."""
    found = expression(rule.pattern).is_valid(answer.text)
    return PASSED if found else failed("the pattern is not found in the answer")


@lru_cache(maxsize=512)
def expression(pattern: str) -> jsonschema_rs.Draft202012Validator:
    """Compile a regular expression.

    Raises:
        Invalid: It is none, needs back-tracking, or is too large when compiled.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            {"type": "string", "pattern": pattern}, pattern_options=LINEAR, offline=True
        )
    except jsonschema_rs.ValidationError:
        raise misused(
            "pattern is no regular expression of linear time: look-around, back references and "
            "large repetitions are not taken"
        ) from None


def check_contains(rule: Contains) -> None:
    """Refuse a rule that every answer obeys.

    Raises:
        Invalid: It names no text.
    """
    if not rule.all_of and not rule.none_of:
        raise misused("contains names no text")


def _read(text: str, match: TextMatch) -> str:
    return text if match is TextMatch.LITERAL else " ".join(text.casefold().split())
