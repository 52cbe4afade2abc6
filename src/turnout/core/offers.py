"""What servers offer now, as a Job reported it, against what is pinned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from turnout.api.digest import spec_digest
from turnout.api.tools import Tool, ToolRegistry
from turnout.api.tools_status import DriftChange, ToolDrift
from turnout.core.differences import of_schemas, of_texts
from turnout.core.jsontext import parse
from turnout.core.pins import Pin, Pins, read_pin
from turnout.core.tasks import Problem

MOST_DRIFT = 64


@dataclass(frozen=True)
class Offer:
    """What one server said.

    Attributes:
        tools: Tools that the registry lists, in full.
        others: Digest of each tool that it does not list.
        problem: Why the server did not tell; None where it did.
    """

    tools: Mapping[str, Pin] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None


@dataclass(frozen=True)
class Difference:
    """One tool that its server offers otherwise than pinned, and in what."""

    drift: ToolDrift
    shown: str = ""


def read_offers(result: Mapping[str, Any]) -> dict[str, Offer]:
    """Read a result of the task ``tools``, by server.

    Raises:
        ValueError: It does not have that shape.
    """
    try:
        return {str(one["name"]): _read_offer(one) for one in result["servers"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the report has another shape ({type(error).__name__})") from None


def _read_offer(document: Mapping[str, Any]) -> Offer:
    problem = document.get("problem")
    if problem is not None:
        return Offer(problem=Problem(str(problem["reason"])[:64], str(problem["message"])[:900]))
    server = document["name"]
    pins = [read_pin({**one, "server": server}) for one in document["tools"]]
    others = {str(one["name"]): str(one["digest"]) for one in document["others"]}
    return Offer({one.name: one for one in pins}, others)


def pinned_from(registry: ToolRegistry, before: Pins, offers: Mapping[str, Offer]) -> Pins:
    """Tell what is pinned from now on: what was, and what is offered for the first time."""
    found = {
        one.name: _chosen(one, before.tools.get(one.name), _offered(one, offers))
        for one in registry.spec.tools
    }
    tools = {name: pin for name, pin in found.items() if pin is not None}
    others, content = dict(before.others), spec_digest(registry.spec)
    for server, offer in offers.items():
        if offer.problem is None and (server not in others or before.noted_for != content):
            others[server] = frozenset(offer.others)
    return Pins(tools, others, content)


def _offered(tool: Tool, offers: Mapping[str, Offer]) -> Pin | None:
    offer = offers.get(tool.server or "")
    return None if offer is None else offer.tools.get(tool.name)


def _chosen(tool: Tool, before: Pin | None, live: Pin | None) -> Pin | None:
    """Choose between a pin and what is offered: a person's word, else what was first."""
    if live is not None and tool.digest == live.digest:
        return live
    if before is not None and before.server == tool.server:
        return before
    return live if tool.digest is None else None


def differences(pins: Pins, offers: Mapping[str, Offer]) -> list[Difference]:
    """Compare what is pinned with what the servers that answered offer."""
    found: list[Difference] = []
    for server, offer in sorted(offers.items()):
        if offer.problem is None:
            pinned = [one for one in pins.tools.values() if one.server == server]
            found += _changed(pinned, offer)
            found += _new(server, offer, pins.others.get(server, frozenset()))
    return found[:MOST_DRIFT]


def _changed(pins: list[Pin], offer: Offer) -> Iterator[Difference]:
    for pin in sorted(pins, key=lambda one: one.name):
        live = offer.tools.get(pin.name)
        if live is None:
            yield Difference(_drift(pin, DriftChange.GONE, None))
            continue
        if live.description != pin.description:
            shown = of_texts(pin.description, live.description)
            yield Difference(_drift(pin, DriftChange.DESCRIPTION, live), shown)
        if live.schema != pin.schema:
            shown = of_schemas(*(parse("inputSchema", one.schema) for one in (pin, live)))
            yield Difference(_drift(pin, DriftChange.INPUT_SCHEMA, live), shown)


def _drift(pin: Pin, change: DriftChange, live: Pin | None) -> ToolDrift:
    digest = None if live is None else live.digest
    return ToolDrift(
        tool=pin.name, server=pin.server, change=change, pinned=pin.digest, live=digest
    )


def _new(server: str, offer: Offer, noted: frozenset[str]) -> Iterator[Difference]:
    """Give tools that the server offers, the registry does not list and nobody noted before."""
    for name, digest in sorted(offer.others.items()):
        if name not in noted:
            drift = ToolDrift(tool=name, server=server, change=DriftChange.NEW, live=digest)
            yield Difference(drift)
