"""A real MCP server, made with the official SDK, on loopback; its tools change under way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mcp.server import Server, ServerRequestContext
from mcp_types import ListToolsResult, PaginatedRequestParams, Tool, ToolAnnotations
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.kubectl import eventually
from tests.support.operator import free_port


class McpServer:
    """What the server offers, and who asked it.

    Attributes:
        tools: The tools that it lists; may be changed at any time.
        page: Tools that it tells at once.
        headers: Request headers that it has seen, the newest last.
        lists: How often it was asked for its tools since they were changed.
    """

    def __init__(self, port: int) -> None:
        self.tools: list[Tool] = []
        self.page = 100
        self.headers: list[dict[str, str]] = []
        self.lists = 0
        self._port = port

    @property
    def url(self) -> str:
        return f"http://localhost:{self._port}/mcp"

    def offers(self, *tools: Tool) -> None:
        self.tools, self.lists = list(tools), 0

    def application(self) -> ASGIApp:
        async def list_tools(
            _: ServerRequestContext[Any], params: PaginatedRequestParams | None
        ) -> ListToolsResult:
            self.lists += 1
            start = int((params.cursor if params else None) or 0)
            end = start + self.page
            more = str(end) if end < len(self.tools) else None
            return ListToolsResult(tools=self.tools[start:end], nextCursor=more)

        inner: Starlette = Server("crm", on_list_tools=list_tools).streamable_http_app()

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                pairs = scope["headers"]
                self.headers.append({name.decode(): value.decode() for name, value in pairs})
            await inner(scope, receive, send)

        return outer


def tool(
    name: str = "orders.find",
    description: str | None = "Find an order.",
    schema: dict[str, Any] | None = None,
    **hints: bool,
) -> Tool:
    """Make a tool as a server offers it."""
    chosen = {"type": "object", "properties": {"id": {"type": "string"}}}
    annotations = ToolAnnotations.model_validate(hints) if hints else None
    return Tool(
        name=name, description=description, inputSchema=schema or chosen, annotations=annotations
    )


@contextmanager
def serve(application: ASGIApp, port: int) -> Iterator[None]:
    """Serve an application on loopback, in a thread."""
    config = uvicorn.Config(application, port=port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually("the server listens", lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def serve_mcp() -> Iterator[McpServer]:
    """Serve a real MCP server."""
    server = McpServer(free_port())
    server.offers(tool())
    with serve(server.application(), server._port):
        yield server
