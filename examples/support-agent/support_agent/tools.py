"""Calls tools over HTTP: `POST {server}/{tool}` with JSON arguments, JSON back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from .verify import Record

_TIMEOUT = ClientTimeout(total=10)
_MOST_BYTES = 256 * 1024
_OK = 200


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool said.

    Attributes:
        result: Its JSON object; None where it failed.
        text: What the model is told.
    """

    result: Mapping[str, Any] | None
    text: str


class FactsUnavailableError(Exception):
    """The order system did not answer: nothing can be said about an answer."""


def refusal(reason: str, message: str) -> ToolAnswer:
    """What the model is told of a call that was not made."""
    return ToolAnswer(None, json.dumps({"error": reason, "message": message}))


async def call(http: ClientSession, url: str, arguments: Mapping[str, Any]) -> ToolAnswer:
    """Call a tool; whatever goes wrong becomes something to tell the model."""
    try:
        async with http.post(
            url, json=dict(arguments), timeout=_TIMEOUT, allow_redirects=False
        ) as response:
            body = await _read(response.content.iter_chunked(65536))
            status = response.status
    except (ClientError, TimeoutError, OSError):
        return refusal("ToolUnavailable", "the tool does not answer")
    if body is None:
        return refusal("AnswerTooLarge", f"the tool answered with more than {_MOST_BYTES} bytes")
    document = _object(body)
    if status != _OK or document is None:
        return ToolAnswer(None, json.dumps(document or {"error": f"Status{status}"}))
    return ToolAnswer(document, json.dumps(document))


async def record_of(http: ClientSession, shop_url: str, order: str) -> Record:
    """What the order system says about an order, asked past the model.

    Raises:
        FactsUnavailableError: It does not say.
    """
    answer = await call(http, f"{shop_url}/orders.lookup", {"orderId": order})
    if answer.result is None:
        raise FactsUnavailableError(answer.text)
    try:
        amount = Decimal(str(answer.result.get("amountUSD", 0)))
    except InvalidOperation:
        raise FactsUnavailableError("the order system names no amount") from None
    entitled = answer.result.get("entitledTo")
    if not isinstance(entitled, list):
        raise FactsUnavailableError("the order system names no entitlements")
    return Record(frozenset(str(grant) for grant in entitled), amount)


async def _read(chunks: Any) -> bytes | None:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    return body


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
