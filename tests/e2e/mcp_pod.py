"""An MCP server for a pod, made with the official SDK: its one tool's description is in a file.

It answers nobody without the right Authorization header.
"""

import os
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import Server, ServerRequestContext
from mcp_types import ListToolsResult, PaginatedRequestParams, Tool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

DESCRIPTION = Path(os.environ["DESCRIPTION"])
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}


def _told() -> str:
    return DESCRIPTION.read_text() if DESCRIPTION.exists() else "Find an order."


async def _list_tools(
    _: ServerRequestContext[Any], __: PaginatedRequestParams | None
) -> ListToolsResult:
    tool = Tool(name="orders.find", description=_told(), inputSchema=SCHEMA)
    return ListToolsResult(tools=[tool])


_app = Server("crm", on_list_tools=_list_tools).streamable_http_app(host="crm")


async def _guarded(scope: Scope, receive: Receive, send: Send) -> None:
    said = dict(scope.get("headers", ())).get(b"authorization", b"").decode()
    if scope["type"] == "http" and said != os.environ["EXPECTED"]:
        await Response(status_code=401)(scope, receive, send)
        return
    await _app(scope, receive, send)


if __name__ == "__main__":
    uvicorn.run(_guarded, host=os.environ["ADDRESS"], port=8000, ws="none", log_level="warning")
