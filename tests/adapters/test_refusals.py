import json
from datetime import timedelta
from typing import Any

import pytest

from turnout.adapters.quoting import quoted
from turnout.adapters.refusals import Call, translate
from turnout.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Transient,
    TurnoutError,
)

CALL = Call("patch", "deployments.apps", "/apis/apps/v1/x", "Deployment shop/support")
RBAC = 'deployments.apps "x" is forbidden: User "u" cannot patch resource "deployments" in API'
QUOTA = 'pods "x" is forbidden: exceeded quota: compute'


def status(code: int, reason: str = "", message: str = "", **details: Any) -> bytes:
    return json.dumps(
        {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    ).encode()


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (404, status(404, "NotFound"), NotFound),
        (409, status(409, "AlreadyExists"), AlreadyExists),
        (409, status(409, "Conflict"), Conflict),
        (409, b"<html>", Conflict),
        (403, status(403, "Forbidden", RBAC), Forbidden),
        (403, b"", Forbidden),
        (403, status(403, "Forbidden", QUOTA), Invalid),
        (422, status(422, "Invalid", "spec.replicas: too many"), Invalid),
        (422, status(422, "Invalid", causes=[{"field": "metadata.uid"}]), Conflict),
        (400, b"nonsense", Invalid),
        (401, b"", Transient),
        (429, b"", Transient),
        (500, status(500, "InternalError"), Transient),
        (503, b"\xff", Transient),
        (504, b"[" * 100_000, Transient),
    ],
)
def test_a_refusal_says_what_to_do(code: int, body: bytes, expected: type[TurnoutError]) -> None:
    error = translate(CALL, code, {}, body)
    assert type(error) is expected
    assert isinstance(error, (Forbidden, Invalid)) or "Deployment shop/support" in str(error)


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ("30", timedelta(seconds=30)),
        ("999999", timedelta(minutes=5)),
        ("-1", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
    ],
)
def test_a_servers_wish_to_be_left_alone_is_heard_within_bounds(
    header: str, delay: timedelta | None
) -> None:
    error = translate(CALL, 429, {"Retry-After": header}, b"")
    assert isinstance(error, Transient)
    assert error.delay == delay


def test_a_missing_right_names_verb_and_resource() -> None:
    error = translate(CALL, 403, {}, status(403, "Forbidden", RBAC))
    assert isinstance(error, Forbidden)
    assert (error.verb, error.resource) == ("patch", "deployments.apps")


def test_a_namespace_that_ends_is_told_apart() -> None:
    cause = {"reason": "NamespaceTerminating", "field": "metadata.namespace"}
    error = translate(CALL, 403, {}, status(403, "Forbidden", "is forbidden", causes=[cause]))
    assert isinstance(error, Invalid)
    assert error.reason == "NamespaceTerminating"


def test_the_servers_words_are_shown_bounded_and_without_marks() -> None:
    error = translate(CALL, 422, {}, status(422, "Invalid", "\u202eevil\n\x1b[31m" + "x" * 999))
    assert isinstance(error, Invalid)
    assert error.message.startswith("\\u202eevil\\n\\x1b[31mxxx")
    assert len(error.message) == 256


def test_short_and_plain_text_stays_as_it_is() -> None:
    assert quoted("Größe: 5 µs, 日本") == "Größe: 5 µs, 日本"
    assert quoted("\ud800") == "\\ud800"
