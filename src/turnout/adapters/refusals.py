"""What an API server's refusal means for the caller."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeAlias

from turnout.adapters.documents import JSON
from turnout.adapters.quoting import quoted
from turnout.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Transient,
    TurnoutError,
)

_LONGEST_DELAY = timedelta(minutes=5)
_PASSING = {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


Body: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as much of it as is sent and as an error message needs.

    Attributes:
        verb: As a role names it.
        resource: As a role names it, "agents.turnout.dev/status".
        path: URL path.
        target: What it is about, for a person.
        body: JSON to be sent.
        query: URL query.
        content_type: How the body is to be understood.
        accept: What the answer shall be.
    """

    verb: str
    resource: str
    path: str
    target: str
    body: Body | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    accept: str = JSON


def translate(call: Call, code: int, headers: Mapping[str, str], raw: bytes) -> TurnoutError:
    """Return the error that tells the caller what to do."""
    status = _status(raw)
    did = f"cannot {call.verb} {call.target}"
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _PASSING:
        return Transient(f"{did}: HTTP {code}", _delay(headers))
    match code, status.get("reason"):
        case HTTPStatus.NOT_FOUND, _:
            return NotFound(f"{did}: not found")
        case HTTPStatus.CONFLICT, "AlreadyExists":
            return AlreadyExists(f"{did}: it exists")
        case HTTPStatus.CONFLICT | HTTPStatus.UNPROCESSABLE_ENTITY, _ if _is_other(code, status):
            return Conflict(f"{did}: it changed")
        case HTTPStatus.FORBIDDEN, _ if _is_right_missing(call, status):
            return Forbidden(call.verb, call.resource)
        case _:
            return Invalid(_reason(status), quoted(str(status.get("message", f"HTTP {code}"))))


def _status(raw: bytes) -> Mapping[str, Any]:
    """Return the Status that explains a refusal, empty where there is none."""
    try:
        status = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) and status.get("kind") == "Status" else {}


def _first_cause(status: Mapping[str, Any]) -> Mapping[str, Any]:
    causes = (status.get("details") or {}).get("causes") or [{}]
    return causes[0] if isinstance(causes[0], dict) else {}


def _reason(status: Mapping[str, Any]) -> str:
    if _first_cause(status).get("reason") == "NamespaceTerminating":
        return "NamespaceTerminating"
    reason = str(status.get("reason") or "Refused")
    return "Refused" if reason == "Forbidden" else reason


def _is_other(code: int, status: Mapping[str, Any]) -> bool:
    """Claim that the object is not the one that was read: by version, or by uid."""
    return code == HTTPStatus.CONFLICT or _first_cause(status).get("field") == "metadata.uid"


def _is_right_missing(call: Call, status: Mapping[str, Any]) -> bool:
    """Claim that a role is lacking; a quota or an admission policy forbids in other words."""
    return not status or f" cannot {call.verb} resource " in str(status.get("message"))


def _delay(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("Retry-After", "")
    return min(timedelta(seconds=int(text)), _LONGEST_DELAY) if text.isdecimal() else None
