"""Graders of an answer as JSON, and of numbers in it."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
import rfc8785

from turnout.api.graders import JsonPath, JsonSchema, Number
from turnout.core.quoting import quoted
from turnout.evals.graders.answers import (
    PASSED,
    Answer,
    Grade,
    NotJson,
    failed,
    misused,
    parsed,
)
from turnout.evals.graders.paths import values
from turnout.evals.graders.texts import LINEAR

_NUMBER: Final = re.compile(r"(?<![\w.,])-?[0-9]{1,15}(?:,[0-9]{3})*(?:\.[0-9]{1,9})?(?![\w])")


def json_path(rule: JsonPath, answer: Answer) -> Grade:
    """Hold an answer to have a value at a path."""
    try:
        found = values(rule.path, parsed(answer.text))
    except NotJson as error:
        return failed(f"the answer {error}")
    if not found:
        return failed("nothing stands at the path")
    if rule.equals is None or any(spelled(one) == rule.equals for one in found):
        return PASSED
    wanted = _same_as(rule.equals)
    if wanted is not None and any(canonical(one) == wanted for one in found):
        return PASSED
    return failed("another value stands at the path")


def json_schema(rule: JsonSchema, answer: Answer) -> Grade:
    """Hold an answer to a schema."""
    try:
        document = parsed(answer.text)
    except NotJson as error:
        return failed(f"the answer {error}")
    return obeyed(rule.document, document, "the answer")


def obeyed(schema: str, document: Any, whose: str) -> Grade:
    """Hold a document to a schema."""
    error = next(iter(validator(schema).iter_errors(document)), None)
    if error is None:
        return PASSED
    place = quoted("".join(f"/{part}" for part in error.instance_path) or "its root", 80)
    return failed(f"{whose} does not obey the schema at {place}")


@lru_cache(maxsize=256)
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema; nothing that it refers to is fetched.

    Raises:
        Invalid: It is no JSON Schema 2020-12, or refers to another document.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            parsed(schema), pattern_options=LINEAR, offline=True
        )
    except NotJson as error:
        raise misused(f"the schema {error}") from None
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        raise misused(
            "the schema is no JSON Schema 2020-12 that stands by itself, with patterns of "
            "linear time"
        ) from None


def number(rule: Number, answer: Answer) -> Grade:
    """Hold a number in an answer to be near another."""
    try:
        found = _numbers(rule, answer.text)
    except NotJson as error:
        return failed(f"the answer {error}")
    if len(found) != 1:
        return failed(f"the answer has {len(found)} numbers there, and one is asked for")
    apart = abs(found[0] - Decimal(rule.value))
    return PASSED if apart <= Decimal(rule.tolerance) else failed(f"the number is {apart} off")


def canonical(value: Any) -> bytes | None:
    """Write JSON so that equal values are equal bytes, and true is not 1; None where it cannot."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError):
        return None


def spelled(value: Any) -> str | None:
    """Give the words of a text; None of anything else."""
    return value if isinstance(value, str) else None


def _same_as(text: str) -> bytes | None:
    try:
        return canonical(parsed(text))
    except NotJson:
        return None


def _numbers(rule: Number, text: str) -> list[Decimal]:
    if rule.path is None:
        return [Decimal(one.group().replace(",", "")) for one in _NUMBER.finditer(text)]
    found = [_decimal(one) for one in values(rule.path, parsed(text))]
    return [one for one in found if one is not None]


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
