"""What customers write: one seed always gives the same messages in the same order."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")

_CLAIMS = (
    "Order {order} arrived broken, I want my money back.",
    "My order {order} is damaged. Please refund it.",
    "I am not happy with order {order} and ask you for a refund.",
    "Please reimburse me for order {order}, it does not work.",
    "Order {order} came with a crack. Please send a replacement.",
    "The item of order {order} is faulty, can you replace it?",
    "Could you exchange the item of order {order}? It has a scratch.",
    "I would like a replacement for order {order}, the box was crushed.",
)
_QUESTIONS = (
    "How long does shipping take?",
    "Do you deliver abroad, and how fast?",
    "Can I return something that I have used?",
    "Can I pay with a voucher?",
    "How long is the warranty on a kettle?",
    "I forgot the password of my account. What now?",
)
_GREETINGS = ("", "Hello! ", "Hi, ", "Good morning. ", "Dear team, ")

CLAIMS_SHARE = 0.8
_ORDERS = range(1001, 10_000)
_CUSTOMERS = range(100_000, 1_000_000)


def task(seed: int, number: int) -> str:
    """One customer's message: four claims about an order to each question."""
    here = f"{seed} {number}"
    greeting = _pick(_GREETINGS, f"{here} greeting")
    if share(f"{here} kind") < CLAIMS_SHARE:
        claim = _pick(_CLAIMS, f"{here} claim")
        return greeting + claim.format(order=_pick(_ORDERS, f"{here} order"))
    customer = _pick(_CUSTOMERS, f"{here} customer")
    return f"{greeting}{_pick(_QUESTIONS, f'{here} question')} (customer {customer})"


def share(what: str) -> float:
    """A number in [0, 1) that follows from the words alone."""
    return int.from_bytes(hashlib.sha256(what.encode()).digest()[:8]) / 2**64


def _pick(choices: Sequence[_T], what: str) -> _T:
    return choices[int(share(what) * len(choices))]
