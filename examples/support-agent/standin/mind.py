"""What the stand-in does next: call a tool, or answer.

Nothing is remembered between requests: the next move follows from the conversation alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import words as w
from .chance import draw
from .conversation import Conversation
from .rules import Rule
from .toolbox import Purpose

SLIPS = 0.015
SLIPS_PER_TEMPERATURE = 0.05
UNSEEN = 0.3
"""The share of its slips that the stand-in overlooks when it goes over its answer."""

_GUESSES = ("20.00", "49.00", "100.00")


@dataclass(frozen=True)
class Call:
    """A call of a tool."""

    tool: str
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """The last word on a task."""

    text: str


def next_move(case: Conversation) -> Call | Answer:
    """The next step of a run."""
    if case.order is None:
        return _question(case)
    if case.follows(Rule.LOOKUP) and case.may(Purpose.LOOKUP):
        return _call(case, Purpose.LOOKUP)
    resolution = _resolution(case)
    purpose = _CARRIED_OUT_BY.get(resolution)
    carries_out = resolution == "escalate" or case.follows(Rule.ACTION)
    if purpose is not None and carries_out and case.may(purpose):
        return _call(case, purpose)
    return _answer(case, resolution)


_CARRIED_OUT_BY: Mapping[str, Purpose] = {
    "refund": Purpose.REFUND,
    "replace": Purpose.REPLACEMENT,
    "escalate": Purpose.TICKET,
}


def slip_rate(case: Conversation) -> float:
    """How often the answer comes out wrong though everything was done right."""
    rate = SLIPS + SLIPS_PER_TEMPERATURE * max(case.temperature, 0)
    return rate * UNSEEN if case.follows(Rule.RECHECK) else rate


def _question(case: Conversation) -> Call | Answer:
    if case.follows(Rule.KNOWLEDGE) and case.may(Purpose.SEARCH):
        return _call(case, Purpose.SEARCH)
    articles = (case.results.get(Purpose.SEARCH) or {}).get("articles") or []
    return _write(case, {"resolution": "answer", "article": articles[0]["id"] if articles else ""})


def _resolution(case: Conversation) -> str:
    """What to do about an order: what its record allows if that counts, else what is wished."""
    wish = "replace" if any(w.find(w.REPLACEMENT, case.task.lower())) else "refund"
    record = case.results.get(Purpose.LOOKUP)
    refused = "escalate" if case.follows(Rule.ESCALATION) else "answer"
    if case.failed(_CARRIED_OUT_BY[wish]):
        return refused
    if record is None or (record.get("found") and not case.follows(Rule.ENTITLEMENT)):
        return wish
    entitled = record.get("entitledTo") or []
    return next((grant for grant in (wish, *entitled) if grant in entitled), refused)


def _amount(case: Conversation) -> str:
    record = case.results.get(Purpose.LOOKUP)
    if not record or "amountUSD" not in record:
        return _GUESSES[int(draw(case.seed, "guess") * len(_GUESSES))]
    amount = str(record["amountUSD"])
    return amount if case.follows(Rule.AMOUNT) else f"{amount.partition('.')[0]}.00"


def _call(case: Conversation, purpose: Purpose) -> Call:
    tool = case.tools[purpose]
    return Call(tool.name, {name: _argument(name, case) for name in tool.arguments})


def _argument(name: str, case: Conversation) -> str:
    """What to fill in, by what the argument's name speaks of."""
    if "order" in name.lower():
        return case.order or ""
    if "amount" in name.lower():
        return _amount(case)
    return case.task


def _answer(case: Conversation, resolution: str) -> Answer:
    answer: dict[str, Any] = {"resolution": resolution, "orderId": case.order}
    if resolution == "refund":
        booked = case.results.get(Purpose.REFUND) or {}
        answer["amountUSD"] = booked.get("amountUSD") or _amount(case)
    return _write(case, answer)


def _write(case: Conversation, answer: Mapping[str, Any]) -> Answer:
    if draw(case.seed, "slip") < slip_rate(case):
        answer = {**answer, **_SLIPS.get(answer["resolution"], _MIXED_UP)}
    message = _MESSAGES[answer["resolution"]]
    if case.follows(Rule.STRUCTURE):
        return Answer(json.dumps({**answer, "message": message}))
    return Answer(message)


_MIXED_UP: Mapping[str, str] = {"orderId": "1000"}
_SLIPS: Mapping[str, Mapping[str, str]] = {"answer": {"article": "kb-general"}}

_MESSAGES: Mapping[str, str] = {
    "refund": "Your money is on its way back to you.",
    "replace": "We are sending you the item again.",
    "escalate": "A colleague of mine will get back to you about this today.",
    "answer": "I hope this helps; please ask again if anything is left open.",
}
