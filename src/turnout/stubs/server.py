"""The stub server: MCP at `/mcp`, plain HTTP at `/tools/{name}`, what was called at `/calls`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final

from mcp.server import Server, ServerRequestContext
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from turnout.evals.graders.answers import NotJson, parsed
from turnout.stubs.answers import Outcome, Said, Stub, Stubs
from turnout.stubs.records import Records

MOST_BYTES: Final = 256 * 1024
"""Largest arguments of a call."""

_STATUS: Final = {
    Outcome.ANSWERED: HTTPStatus.OK,
    Outcome.BLOCKED: HTTPStatus.FORBIDDEN,
    Outcome.INVALID_ARGUMENTS: HTTPStatus.BAD_REQUEST,
    Outcome.NO_SUCH_TOOL: HTTPStatus.NOT_FOUND,
}


def application(stubs: Stubs, records: Records) -> Starlette:
    """Build the server.

    Whatever name it is asked by is taken: it runs beside the pods that ask, under a name of the
    cluster's, and has nothing that a page in a browser could want.
    """

    def called(name: str, arguments: object) -> Said:
        said = stubs.answer(name, arguments)
        records.keep(name, arguments, said)
        return said

    async def call(request: Request) -> Response:
        try:
            arguments = await _arguments(request)
        except NotJson as error:
            return PlainTextResponse(f"the body {error}", HTTPStatus.BAD_REQUEST)
        said = called(request.path_params["name"], arguments)
        text = json.dumps(dict(said.result))
        return Response(text, _STATUS[said.outcome], media_type="application/json")

    async def call_tool(
        _: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        said = called(params.name, params.arguments or {})
        text = TextContent(type="text", text=json.dumps(dict(said.result)))
        return CallToolResult(content=[text], isError=said.outcome is not Outcome.ANSWERED)

    async def list_tools(
        _: ServerRequestContext[Any], __: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[_listed(one) for one in stubs.tools.values()])

    async def calls(_: Request) -> Response:
        return JSONResponse(records.to_wire())

    async def ready(_: Request) -> Response:
        return PlainTextResponse("ready")

    app: Starlette = Server(
        "turnout-stubs", on_list_tools=list_tools, on_call_tool=call_tool
    ).streamable_http_app(
        stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes += [
        Route("/tools/{name}", call, methods=["POST"]),
        Route("/calls", calls),
        Route("/healthz", ready),
    ]
    return app


async def _arguments(request: Request) -> Any:
    """Read a body.

    Raises:
        NotJson: It is too large or no JSON.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise NotJson(f"exceeds {MOST_BYTES} bytes")
    try:
        return parsed(body.decode() or "{}")
    except UnicodeDecodeError:
        raise NotJson("is not UTF-8") from None


def _listed(stub: Stub) -> Tool:
    return Tool(name=stub.name, description=stub.description, inputSchema=parsed(stub.schema))
