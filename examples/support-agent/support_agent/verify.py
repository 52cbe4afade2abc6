"""Whether an answer holds: judged by the shop's records and by what was really done.

The model is not asked. An answer about an order holds if it grants what the record allows and if
just that was carried out; an answer to a question holds if it cites an article that was found.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

_ORDER_NUMBER = re.compile(r"\b\d{4}\b")
_FENCE = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL)

GRANTS = {"refund": "refunds.create", "replace": "replacements.create"}
"""The tool that carries out what an answer grants."""
TICKET = "tickets.create"
SEARCH = "knowledge.search"

VERIFIED = "Verified"


@dataclass(frozen=True)
class Deed:
    """A tool call that succeeded."""

    tool: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """What the order system knows of an order."""

    entitled: frozenset[str] = frozenset()
    amount: Decimal = Decimal(0)


def order_in(task: str) -> str | None:
    """The order number that a task names."""
    named = _ORDER_NUMBER.search(task)
    return named.group() if named else None


def judge(task: str, answer: str, deeds: Sequence[Deed], record: Record) -> str:
    """`Verified`, or the first thing that is wrong with an answer.

    Args:
        task: The customer's last message.
        answer: The model's last words.
        deeds: What was done by tools during the task.
        record: What the order system says about the order that the task names.
    """
    document = _structured(answer)
    if document is None:
        return "NotStructured"
    order = order_in(task)
    if order is None:
        return _judge_question(document, deeds)
    if document.get("orderId") != order:
        return "WrongOrder"
    if not record.entitled:
        return _judge_refusal(document, deeds)
    return _judge_grant(document, order, deeds, record)


def _judge_question(document: Mapping[str, Any], deeds: Sequence[Deed]) -> str:
    articles = [article for deed in deeds if deed.tool == SEARCH for article in _articles(deed)]
    match document.get("resolution"):
        case "answer" if document.get("article") in articles:
            return VERIFIED
        case "escalate" if not articles:
            return VERIFIED if _done(deeds, TICKET) else "NotDone"
        case _:
            return "NoSource"


def _judge_refusal(document: Mapping[str, Any], deeds: Sequence[Deed]) -> str:
    if document.get("resolution") in GRANTS or any(deed.tool in GRANTS.values() for deed in deeds):
        return "NotEntitled"
    escalated = document.get("resolution") == "escalate" and _done(deeds, TICKET)
    return VERIFIED if escalated else "NotEscalated"


def _judge_grant(
    document: Mapping[str, Any], order: str, deeds: Sequence[Deed], record: Record
) -> str:
    resolution = str(document.get("resolution"))
    if resolution not in GRANTS:
        return "NotGranted"
    grants = [deed for deed in deeds if deed.tool in GRANTS.values()]
    if resolution not in record.entitled or any(d.tool != GRANTS[resolution] for d in grants):
        return "NotEntitled"
    if [deed.arguments.get("orderId") for deed in grants] != [order]:
        return "NotDone"
    if resolution == "refund" and not _pays(record.amount, grants[0], document):
        return "WrongAmount"
    return VERIFIED


def _articles(search: Deed) -> list[str]:
    found = search.result.get("articles")
    articles = found if isinstance(found, list) else []
    return [
        str(article["id"]) for article in articles if isinstance(article, dict) and "id" in article
    ]


def _pays(amount: Decimal, refund: Deed, document: Mapping[str, Any]) -> bool:
    booked = _money(refund.arguments.get("amountUSD"))
    claimed = _money(document.get("amountUSD"))
    return booked == claimed == amount


def _money(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _done(deeds: Sequence[Deed], tool: str) -> bool:
    return any(deed.tool == tool for deed in deeds)


def _structured(answer: str) -> Mapping[str, Any] | None:
    fenced = _FENCE.fullmatch(answer)
    try:
        document = json.loads(fenced.group(1) if fenced else answer)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
