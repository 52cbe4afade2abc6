"""The stand-in shop: order facts, refunds, replacements, help articles and tickets, without state.

Every fact follows from the order's number, so that all replicas agree and nothing is stored. Like
many real order systems it books what it is told: obeying the shop's rules is the caller's duty.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from .chance import Seed, draw, seed

Arguments = Mapping[str, Any]
Result = dict[str, Any]

REFUND_DAYS = 30
REPLACEMENT_DAYS = 45
REFUND_CEILING = Decimal(180)
MOST_MONEY = Decimal(10_000)
FINAL_SALE_SHARE = 0.08
NUMBER_LENGTH = 4
GAP = 25
"""Every so many numbers, one belongs to no order."""

_NUMBER = re.compile(r"[0-9]{1,9}")

_ITEMS = ("desk lamp", "wool blanket", "kettle", "bookend pair", "wall clock", "cutting board")

_ARTICLES: Mapping[str, tuple[str, str]] = {
    "kb-shipping": ("Shipping times", "Parcels take two to four working days, abroad up to ten."),
    "kb-returns": ("Returns", "Unused goods can be sent back within thirty days."),
    "kb-payment": ("Ways to pay", "We take cards, bank transfer and vouchers."),
    "kb-warranty": ("Warranty", "Every item carries two years of warranty."),
    "kb-account": ("Your account", "A password is reset from the sign-in page."),
}

_TOPICS: Mapping[str, tuple[str, ...]] = {
    "kb-shipping": ("ship", "deliver", "parcel", "abroad"),
    "kb-returns": ("return", "send back"),
    "kb-payment": ("pay", "card", "voucher", "invoice"),
    "kb-warranty": ("warrant", "guarantee"),
    "kb-account": ("account", "password", "sign in", "e-mail", "log in"),
}


class ShopError(Exception):
    """The shop does not take a call.

    Attributes:
        status: HTTP status that tells the caller so.
        reason: CamelCase word.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


def look_up(arguments: Arguments) -> Result:
    """An order's record, with what its customer is entitled to; `found` is false for no order."""
    number = _order_number(arguments)
    if not _exists(number):
        return {"orderId": number, "found": False, "entitledTo": []}
    chance = seed("order", number)
    days = int(draw(chance, "days") * 50)
    return {
        "orderId": number,
        "found": True,
        "item": _ITEMS[int(draw(chance, "item") * len(_ITEMS))],
        "amountUSD": str(_amount(chance)),
        "deliveredDaysAgo": days,
        "finalSale": _final_sale(chance),
        "entitledTo": _entitlements(chance, days),
    }


def create_refund(arguments: Arguments) -> Result:
    """Book a refund, as told."""
    number = _known_order(arguments)
    amount = _money(arguments.get("amountUSD"))
    return {"refundId": _id("rf", number, str(amount)), "orderId": number, "amountUSD": str(amount)}


def create_replacement(arguments: Arguments) -> Result:
    """Send the item again, as told."""
    number = _known_order(arguments)
    return {"replacementId": _id("rp", number), "orderId": number}


def create_ticket(arguments: Arguments) -> Result:
    """Put a case before a person."""
    summary = arguments.get("summary")
    if not isinstance(summary, str) or not summary:
        raise ShopError(400, "NoSummary", "a ticket needs a summary")
    return {"ticketId": _id("tk", summary)}


def search(arguments: Arguments) -> Result:
    """The help articles whose topic the query names."""
    query = arguments.get("query")
    if not isinstance(query, str) or not query:
        raise ShopError(400, "NoQuery", "a search needs a query")
    found = [name for name, topic in _TOPICS.items() if any(t in query.lower() for t in topic)]
    return {
        "articles": [
            {"id": name, "title": _ARTICLES[name][0], "text": _ARTICLES[name][1]} for name in found
        ]
    }


TOOLS: Mapping[str, Callable[[Arguments], Result]] = {
    "orders.lookup": look_up,
    "refunds.create": create_refund,
    "replacements.create": create_replacement,
    "tickets.create": create_ticket,
    "knowledge.search": search,
}


def _order_number(arguments: Arguments) -> str:
    number = arguments.get("orderId")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise ShopError(400, "BadOrderNumber", "orderId must be a string of digits")
    return number


def _known_order(arguments: Arguments) -> str:
    number = _order_number(arguments)
    if not _exists(number):
        raise ShopError(404, "NoSuchOrder", f"there is no order {number}")
    return number


def _exists(number: str) -> bool:
    return len(number) == NUMBER_LENGTH and int(number) % GAP != 0


def _money(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise ShopError(400, "BadAmount", "amountUSD must be a decimal number") from None
    if not amount.is_finite() or not 0 < amount < MOST_MONEY:
        raise ShopError(400, "BadAmount", "amountUSD must be above 0 and below 10000")
    return amount.quantize(Decimal("0.01"))


def _amount(chance: Seed) -> Decimal:
    return Decimal(990 + int(draw(chance, "amount") * 19_000)) / 100


def _final_sale(chance: Seed) -> bool:
    return draw(chance, "final sale") < FINAL_SALE_SHARE


def _entitlements(chance: Seed, days: int) -> list[str]:
    if _final_sale(chance):
        return []
    refund = days <= REFUND_DAYS and _amount(chance) <= REFUND_CEILING
    replacement = days <= REPLACEMENT_DAYS
    return ["refund"] * refund + ["replace"] * replacement


def _id(prefix: str, *parts: str) -> str:
    return f"{prefix}-{seed(prefix, *parts)[:10]}"
