"""A server on loopback that an OpenAPI document describes; the document changes under way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.support.mcp_server import serve
from tests.support.operator import free_port

BY_ID: dict[str, Any] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
}


class OpenApiServer:
    """A document, and who asked for it.

    Attributes:
        document: What is told, as JSON unless it is text.
        headers: Request headers that it has seen, the newest last.
    """

    def __init__(self, port: int) -> None:
        self.document: dict[str, Any] | str | bytes = {}
        self.headers: list[dict[str, str]] = []
        self.url = f"http://localhost:{port}/openapi"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.headers.append(dict(request.headers))
        told = self.document
        text = json.dumps(told) if isinstance(told, dict) else told
        await Response(text, media_type="application/json")(scope, receive, send)

    def offers(self, *operations: dict[str, Any], version: str = "3.1.0", **more: Any) -> None:
        """Describe operations, each with a path of its own."""
        paths = {f"/orders/{number}/{{id}}": {"get": one} for number, one in enumerate(operations)}
        self.document = document(paths, version, **more)


def document(paths: dict[str, Any], version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "Orders", "version": "1"}, "paths": paths} | more


def operation(
    name: str = "orders.find", description: str = "Find an order.", **more: Any
) -> dict[str, Any]:
    """Describe an operation with one argument, unless told otherwise."""
    answers = {"responses": {"200": {"description": "It."}}}
    told = {"operationId": name, "description": description, "parameters": [BY_ID]}
    return told | answers | more


@contextmanager
def serve_openapi() -> Iterator[OpenApiServer]:
    """Serve a document with one operation."""
    port = free_port()
    server = OpenApiServer(port)
    server.offers(operation())
    with serve(server, port):
        yield server
