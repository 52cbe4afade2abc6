"""Task `tools`: which tools do these servers offer now?

Of tools that the registry lists the whole description comes back, of others the name and a digest:
enough to say that they are new.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import rfc8785

from turnout.api.tools import ServerType
from turnout.core.jsontext import DEEPEST, depth
from turnout.core.pins import MOST_DESCRIPTION, MOST_SCHEMA, MOST_TOOLS, digest_of_tool
from turnout.errors import TaskFailed
from turnout.jobs import mcp_tools, openapi
from turnout.jobs.offered import Asked, Offered
from turnout.jobs.reach import Reach

_LONGEST_NAME: Final = 128

_Listed: TypeAlias = Callable[[Asked, Reach], Awaitable[Sequence[Offered]]]
_LISTED: Final[Mapping[str, _Listed]] = MappingProxyType(
    {ServerType.MCP: mcp_tools.listed, ServerType.OPEN_API: openapi.listed}
)


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
    """Ask one server as its type says."""
    name, wanted = server["name"], set(server["tools"])
    try:
        headers = {
            one["name"]: reach.secret(one["secret"], one["from"]) for one in server["headers"]
        }
        asked = Asked(server["url"], headers, wanted)
        return {"name": name, **_told(await _LISTED[server["type"]](asked, reach), wanted)}
    except TaskFailed as failed:
        reason, message = failed.reason, failed.message
    except ValueError as error:
        cause = type(error).__name__
        reason, message = "DiscoveryFailed", f"it tells schemas that are not JSON ({cause})"
    return {"name": name, "problem": {"reason": reason, "message": message}}


def _told(tools: Sequence[Offered], wanted: AbstractSet[str]) -> dict[str, Any]:
    """Tell the tools that the registry lists in full, and the others by name and digest.

    Raises:
        TaskFailed: There are too many, or one that is listed is larger than the registry may hold.
    """
    if len(tools) > MOST_TOOLS:
        raise TaskFailed("TooLarge", f"it offers {len(tools)} tools, at most {MOST_TOOLS} are read")
    return {
        "tools": [_in_full(one) for one in tools if one.name in wanted],
        "others": [_in_brief(one) for one in tools if one.name not in wanted],
    }


def _in_full(tool: Offered) -> dict[str, Any]:
    schema = rfc8785.dumps(dict(tool.schema)).decode()
    too_long = len(tool.description) > MOST_DESCRIPTION or len(schema) > MOST_SCHEMA
    if too_long or depth(schema) > DEEPEST:
        raise TaskFailed("TooLarge", f"its tool {tool.name} is larger than a registry may hold")
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": schema,
        "readOnly": tool.read_only,
        "destructive": tool.destructive,
    }


def _in_brief(tool: Offered) -> dict[str, str]:
    name = tool.name[:_LONGEST_NAME]
    return {"name": name, "digest": digest_of_tool(name, tool.description, tool.schema)}
