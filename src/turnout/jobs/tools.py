"""Task `tools`: which tools do these servers offer now?

MCP servers are asked by the official SDK. Of tools that the registry lists the whole description
comes back, of others the name and a digest: enough to say that they are new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeVar

import mcp_types
import rfc8785
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from turnout.core.jsontext import DEEPEST, depth
from turnout.core.pins import MOST_DESCRIPTION, MOST_SCHEMA, MOST_TOOLS, digest_of_tool
from turnout.errors import TaskFailed
from turnout.jobs.reach import Reach

_MOST_PAGES: Final = 32
_LONGEST_NAME: Final = 128
_Kind = TypeVar("_Kind", bound=Exception)


async def run(description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
    """Ask each server; one that cannot be asked keeps no other from being asked.

    Raises:
        TaskFailed: Some server could not be asked; what the others said comes with it.
    """
    servers = [await _asked(server, reach) for server in description["servers"]]
    found = {"servers": servers}
    troubled = next((one for one in servers if "problem" in one), None)
    if troubled is None:
        return found
    problem = troubled["problem"]
    message = f"server {troubled['name']}: {problem['message']}"
    raise TaskFailed(problem["reason"], message, found)


async def _asked(server: Mapping[str, Any], reach: Reach) -> dict[str, Any]:
    """Ask one server; the SDK's own tasks wrap what goes wrong in groups."""
    name, listed = server["name"], set(server["tools"])
    found: dict[str, Any] = {}
    failed: TaskFailed | None = None
    try:
        headers = {
            one["name"]: reach.secret(one["secret"], one["from"]) for one in server["headers"]
        }
        found = _told(await _listed(server["url"], headers, reach), listed)
    except* TaskFailed as group:
        failed = _first(group, TaskFailed)
    except* (MCPError, OSError, ValueError, RuntimeError) as group:
        cause = type(_first(group, Exception)).__name__
        failed = TaskFailed("DiscoveryFailed", f"it did not answer as MCP asks ({cause})")
    if failed is not None:
        return {"name": name, "problem": {"reason": failed.reason, "message": failed.message}}
    return {"name": name, **found}


async def _listed(url: str, headers: Mapping[str, str], reach: Reach) -> Sequence[mcp_types.Tool]:
    """List a server's tools, page by page.

    Raises:
        TaskFailed: It offers too many, or cannot be reached.
    """
    tools: list[mcp_types.Tool] = []
    cursor: str | None = None
    async with (
        reach.client(headers) as http,
        Client(streamable_http_client(url, http_client=http), cache=None) as client,
    ):
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return tools
    raise TaskFailed("TooLarge", f"it tells its tools in more than {_MOST_PAGES} pages")


def _told(tools: Sequence[mcp_types.Tool], listed: AbstractSet[str]) -> dict[str, Any]:
    """Tell the tools that the registry lists in full, and the others by name and digest.

    Raises:
        TaskFailed: There are too many, or one that is listed is larger than the registry may hold.
    """
    if len(tools) > MOST_TOOLS:
        raise TaskFailed("TooLarge", f"it offers {len(tools)} tools, at most {MOST_TOOLS} are read")
    return {
        "tools": [_in_full(one) for one in tools if one.name in listed],
        "others": [_in_brief(one) for one in tools if one.name not in listed],
    }


def _in_full(tool: mcp_types.Tool) -> dict[str, Any]:
    description = tool.description or ""
    schema = rfc8785.dumps(tool.input_schema).decode()
    if len(description) > MOST_DESCRIPTION or len(schema) > MOST_SCHEMA or depth(schema) > DEEPEST:
        raise TaskFailed("TooLarge", f"its tool {tool.name} is larger than a registry may hold")
    hints = tool.annotations
    return {
        "name": tool.name,
        "description": description,
        "inputSchema": schema,
        "readOnly": hints.read_only_hint if hints else None,
        "destructive": hints.destructive_hint if hints else None,
    }


def _in_brief(tool: mcp_types.Tool) -> dict[str, str]:
    name = tool.name[:_LONGEST_NAME]
    return {"name": name, "digest": digest_of_tool(name, tool.description or "", tool.input_schema)}


def _first(group: BaseExceptionGroup[Any], kind: type[_Kind]) -> _Kind:
    """Return the first error inside a group, however deep."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, kind) else kind("Unknown", "it failed")
