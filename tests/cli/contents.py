"""Versions made of manifests, as their ConfigMaps hold them."""

import json
from typing import Any

from tests.support.manifests import everything, kind, prompt
from tests.support.simulation import Simulation
from turnout.api.digest import Digests
from turnout.core.content import Content, resolve
from turnout.core.intake import Wanted, take_in
from turnout.core.stored import Parts, read_parts
from turnout.core.world import Unread

TEXT = """You are the support agent of a small shop.

- Look the order up before you decide anything about it.
- Offer a refund when the customer asks for one.
- Be brief.
"""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "reason": {"type": "string", "enum": ["broken", "late", "wrong"]},
    },
    "required": ["order"],
}


def tool(name: str = "refunds.create", schema: Any = None, **more: Any) -> dict[str, Any]:
    base = {
        "name": name,
        "description": "Refund an order.",
        "inputSchema": json.dumps(SCHEMA if schema is None else schema),
        "sideEffect": "Write",
    }
    return base | more


def registry(*tools: dict[str, Any]) -> dict[str, Any]:
    lookup = tool("orders.get", {"type": "object"}, sideEffect="Read")
    return kind("ToolRegistry", "support-tools", {"tools": [lookup, *(tools or (tool(),))]})


def policy(**limits: Any) -> dict[str, Any]:
    chosen = {"maxSteps": 8, "timeout": "1m"} | limits
    spec = {"mode": "Enforce", "tools": {"allow": ["orders.*", "refunds.*"]}, "limits": chosen}
    return kind("AgentPolicy", "support-policy", spec)


MODEL = {"provider": "openai", "name": "gpt-5-mini", "temperature": "0.2"}


def objects(*others: dict[str, Any], text: str = TEXT, **spec: Any) -> list[dict[str, Any]]:
    """An agent with everything; `others` take the place of what bears their name."""
    base = {
        "toolRegistryRef": {"name": "support-tools"},
        "policyRef": {"name": "support-policy"},
        "model": MODEL,
    }
    made = [*everything(**(base | spec)), prompt(text), registry(), policy(), *others]
    return [*{(one["kind"], one["metadata"]["name"]): one for one in made}.values()]


def data(*others: dict[str, Any], text: str = TEXT, **spec: Any) -> dict[str, str]:
    """The data of the ConfigMap of a version."""
    world = Simulation(objects(*others, text=text, **spec)).world()
    content, wanted = resolve(world), take_in(world)
    assert isinstance(content, Content), content
    assert isinstance(wanted, Wanted)
    return content.files(wanted.ref)


def parts(*others: dict[str, Any], text: str = TEXT, **spec: Any) -> tuple[Parts, Digests]:
    found = read_parts(data(*others, text=text, **spec))
    assert not isinstance(found, Unread), found
    return found
