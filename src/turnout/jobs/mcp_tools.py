"""Tools of an MCP server, asked by the official SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import mcp_types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from turnout.errors import TaskFailed
from turnout.jobs.offered import Asked, Offered
from turnout.jobs.reach import Reach

_MOST_PAGES: Final = 32
_Kind = TypeVar("_Kind", bound=Exception)


async def listed(asked: Asked, reach: Reach) -> Sequence[Offered]:
    """List a server's tools; the SDK's own tasks wrap what goes wrong in groups.

    Raises:
        TaskFailed: It offers too many, or cannot be asked.
    """
    found: list[Offered] = []
    failed: TaskFailed | None = None
    try:
        found = [_offered(one) for one in await _pages(asked, reach)]
    except* TaskFailed as group:
        failed = _first(group, TaskFailed)
    except* (MCPError, OSError, ValueError, RuntimeError) as group:
        cause = type(_first(group, Exception)).__name__
        failed = TaskFailed("DiscoveryFailed", f"it did not answer as MCP asks ({cause})")
    if failed is not None:
        raise failed
    return found


async def _pages(asked: Asked, reach: Reach) -> Sequence[mcp_types.Tool]:
    tools: list[mcp_types.Tool] = []
    cursor: str | None = None
    async with (
        reach.client(asked.headers) as http,
        Client(streamable_http_client(asked.url, http_client=http), cache=None) as client,
    ):
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return tools
    raise TaskFailed("TooLarge", f"it tells its tools in more than {_MOST_PAGES} pages")


def _offered(tool: mcp_types.Tool) -> Offered:
    hints = tool.annotations or mcp_types.ToolAnnotations()
    description = tool.description or ""
    return Offered(
        tool.name, description, tool.input_schema, hints.read_only_hint, hints.destructive_hint
    )


def _first(group: BaseExceptionGroup[Any], kind: type[_Kind]) -> _Kind:
    """Return the first error inside a group, however deep."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, kind) else kind("Unknown", "it failed")
