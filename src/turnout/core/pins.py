"""A ToolRegistry's tools: what is written, what is discovered, and what is pinned of it.

A tool without a schema is discovered from its server once. What the server said then is pinned:
it is the content, whatever the server says later, until a person accepts something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import rfc8785

from turnout.api.base import as_timedelta
from turnout.api.digest import spec_digest
from turnout.api.tools import DriftPolicy, Tool, ToolRegistry, ToolServer
from turnout.core.checks import TELLING, registry_problem
from turnout.core.jsontext import parse
from turnout.core.reasons import Reason
from turnout.core.sources import Pinned
from turnout.core.tasks import SecretKey, Task, sha256
from turnout.core.world import Unread

MOST_TOOLS = 256
MOST_DESCRIPTION = 4096
MOST_SCHEMA = 32_768
"""Limits of what a server may say of its tools: those of the kind itself."""

UNTIL_FOUND = timedelta(minutes=1)
"""Longest pause between two looks while a tool is not found: it may come with its server."""

FILE = "tools.json"
"""The pins, in their ConfigMap."""

_HOLDING = {DriftPolicy.HOLD, DriftPolicy.ROLLBACK}

_PARTS = ("name", "server", "description", "inputSchema")


@dataclass(frozen=True)
class Pin:
    """One tool as its server described it.

    Attributes:
        schema: Its inputSchema as canonical JSON text.
        read_only: The server's readOnlyHint: shown, never trusted.
        destructive: The server's destructiveHint, likewise.
    """

    name: str
    server: str
    description: str
    schema: str
    read_only: bool | None = None
    destructive: bool | None = None

    @cached_property
    def digest(self) -> str:
        """Digest of what the model would be told."""
        return digest_of_tool(self.name, self.description, parse("inputSchema", self.schema))

    def written(self) -> dict[str, Any]:
        """Give it as a JSON document."""
        told = (self.name, self.server, self.description, self.schema)
        hints = {"readOnly": self.read_only, "destructive": self.destructive}
        said = dict(zip(_PARTS, told, strict=True))
        return said | {key: hint for key, hint in hints.items() if hint is not None}


@dataclass(frozen=True)
class Pins:
    """All that is pinned of a registry's servers.

    Attributes:
        tools: The registry's own tools by name.
        others: Names of the tools that each server offered besides, when they were noted.
        noted_for: Digest of the registry's content at that time: an edit of it notes them anew.
    """

    tools: Mapping[str, Pin] = field(default_factory=dict)
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    noted_for: str = ""


NOTHING = Pins()


def digest_of_tool(name: str, description: str, schema: Mapping[str, Any]) -> str:
    """Digest of a tool as a server describes it: SHA-256 over RFC 8785 canonical JSON."""
    told: Any = {"name": name, "description": description, "inputSchema": dict(schema)}
    return sha256(rfc8785.dumps(told).decode())


def read_pin(document: Mapping[str, Any]) -> Pin:
    """Read one tool.

    Raises:
        ValueError: It is not one.
    """
    said = [document.get(part) for part in _PARTS]
    if not all(isinstance(part, str) for part in said):
        raise ValueError("a tool lacks its name, server, description or schema")
    hints = [document.get(key) for key in ("readOnly", "destructive")]
    read_only, destructive = (hint if isinstance(hint, bool) else None for hint in hints)
    name, server, description, schema = (str(part) for part in said)
    canonical = rfc8785.dumps(parse("inputSchema", schema)).decode()
    return Pin(name, server, description, canonical, read_only, destructive)


def read_pins(pinned: Pinned | Unread | None) -> Pins:
    """Read the pins; none where they cannot be read."""
    if not isinstance(pinned, Pinned):
        return NOTHING
    document = parse(FILE, pinned.data[FILE])
    return Pins(
        tools={pin.name: pin for pin in map(read_pin, document["tools"])},
        others={server: frozenset(names) for server, names in document["others"].items()},
        noted_for=document["notedFor"],
    )


def write_pins(pins: Pins) -> dict[str, str]:
    """Write the pins as the files of their ConfigMap."""
    document: Any = {
        "tools": [pins.tools[name].written() for name in sorted(pins.tools)],
        "others": {server: sorted(names) for server, names in pins.others.items()},
        "notedFor": pins.noted_for,
    }
    return {FILE: rfc8785.dumps(document).decode()}


def is_discovered(tool: Tool) -> bool:
    """Claim that a tool's schema comes from its server."""
    return tool.input_schema is None


def watches(registry: ToolRegistry) -> bool:
    """Claim that the servers are looked at again and again."""
    drift = registry.spec.drift
    return drift is not None and drift.policy is not DriftPolicy.IGNORE


def interval_of(registry: ToolRegistry, pins: Pins) -> timedelta | None:
    """Tell the pause between two looks at the servers; None where one look is enough."""
    drift = registry.spec.drift
    watched = as_timedelta(drift.interval) if drift is not None and watches(registry) else None
    if not _lacks(registry, pins):
        return watched
    return UNTIL_FOUND if watched is None else min(watched, UNTIL_FOUND)


def completed(registry: ToolRegistry, pinned: Pinned | Unread | None) -> ToolRegistry | Unread:
    """Fill in what was discovered, so that it is content like any that a person wrote."""
    if not any(map(is_discovered, registry.spec.tools)):
        return registry
    problem = registry_problem(registry)
    if problem is not None:
        return Unread(problem, Reason.INVALID_SPEC)
    if isinstance(pinned, Unread):
        return pinned
    return filled_in(registry, read_pins(pinned))


def filled_in(registry: ToolRegistry, pins: Pins) -> ToolRegistry | Unread:
    """Fill in pins, or say which tools have none yet."""
    unknown = [one.name for one in registry.spec.tools if is_discovered(one)]
    missing = [name for name in unknown if name not in pins.tools]
    if missing:
        few = ", ".join(missing[:4]) + (" and more" if missing[4:] else "")
        return Unread(f"not discovered yet: {few}")
    tools = tuple(_filled_in(one, pins.tools.get(one.name)) for one in registry.spec.tools)
    spec = registry.spec.model_copy(update={"tools": tools})
    return registry.model_copy(update={"spec": spec})


def _filled_in(tool: Tool, pin: Pin | None) -> Tool:
    if pin is None or not is_discovered(tool):
        return tool
    description = tool.description or pin.description
    return tool.model_copy(update={"input_schema": pin.schema, "description": description})


def drift_that_holds(registry: ToolRegistry) -> str | None:
    """Say what drifted where rollouts of those who use the registry wait for it; else None."""
    drift = registry.spec.drift
    if drift is None or drift.policy not in _HOLDING or not registry.status.drift:
        return None
    told = (one.message for one in registry.status.conditions if one.type == "InSync")
    return f"ToolRegistry {registry.metadata.name}: {next(told, 'its servers drifted')}"


def question(registry: ToolRegistry, pins: Pins) -> Task | None:
    """Tell what to ask the servers now; None where nothing needs to be known."""
    tools = registry.spec.tools
    servers = [one for one in registry.spec.servers if one.type in TELLING]
    if not servers or not (_lacks(registry, pins) or watches(registry)):
        return None
    secrets = [
        SecretKey(header.secret_key_ref.name, header.secret_key_ref.key)
        for server in servers
        for header in server.headers_from
    ]
    numbers = iter(range(len(secrets)))
    accepted: Any = {one.name: one.digest for one in tools if one.digest is not None}
    description = {
        "servers": [
            _asked(one, tools, [next(numbers) for _ in one.headers_from]) for one in servers
        ],
        "registry": spec_digest(registry.spec),
        "accepted": sha256(rfc8785.dumps(accepted).decode()),
    }
    return Task("tools", description, tuple(secrets))


def _lacks(registry: ToolRegistry, pins: Pins) -> bool:
    """Claim that some tool is yet to be pinned as a person wants it."""
    discovered = filter(is_discovered, registry.spec.tools)
    return any(_is_open(one, pins.tools.get(one.name)) for one in discovered)


def _is_open(tool: Tool, pin: Pin | None) -> bool:
    return pin is None or pin.server != tool.server or tool.digest not in {None, pin.digest}


def _asked(server: ToolServer, tools: Sequence[Tool], numbers: Sequence[int]) -> dict[str, Any]:
    headers = [
        {
            "name": header.name,
            "secret": number,
            "from": f"key {header.secret_key_ref.key} of Secret {header.secret_key_ref.name}",
        }
        for header, number in zip(server.headers_from, numbers, strict=True)
    ]
    listed = [one.name for one in tools if one.server == server.name]
    return {
        "name": server.name,
        "type": server.type.value,
        "url": server.url,
        "headers": headers,
        "tools": listed,
    }
