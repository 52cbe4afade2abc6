"""A ToolRegistry whose server may tell other than is pinned, as the operator finds it."""

from typing import Any, Final

from tests.support.manifests import kind
from turnout.core.pins import digest_of_tool

NAME: Final = "orders.find"
AS_WRITTEN: Final = "as written"
SERVER: Final = {"name": "crm", "type": "MCP", "url": "https://crm.example.com/mcp"}


def registry(
    written: str = "Find an order.",
    live: str | None = AS_WRITTEN,
    policy: str = "Rollback",
    new: str | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Make a registry with one tool, and what its server tells of it; None where it is gone.

    The server may also tell a new tool that nobody listed.
    """
    tool = {
        "name": NAME,
        "server": "crm",
        "description": written,
        "inputSchema": '{"type":"object"}',
        "sideEffect": "Read",
    }
    drift = {"policy": policy, "interval": "1m"}
    base = {"servers": [SERVER], "tools": [tool], "drift": drift}
    found = [] if live in {AS_WRITTEN, written} else [drifted(written, live)]
    if new is not None:
        found.append({"tool": new, "server": "crm", "change": "New", "live": _digest("new")})
    status = {"drift": found, "conditions": [_DRIFTED] if found else []}
    return kind("ToolRegistry", "tools", base | spec) | {"status": status}


def drifted(written: str, live: str | None) -> dict[str, Any]:
    """Tell what a look at the server found."""
    change = "Gone" if live is None else "Description"
    found = {"tool": NAME, "server": "crm", "change": change, "pinned": _digest(written)}
    return found if live is None else found | {"live": _digest(live)}


def _digest(description: str) -> str:
    return digest_of_tool(NAME, description, {"type": "object"})


_DRIFTED: Final = {
    "type": "InSync",
    "status": "False",
    "reason": "Drifted",
    "message": f"{NAME} (crm) is another one",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}
