"""The stand-in over HTTP: the model's endpoint and the shop's tools in one process."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import wire
from .chance import draw
from .conversation import BadRequestError, Conversation, understand
from .mind import Answer, Call, next_move
from .rules import Rule
from .shop import TOOLS, ShopError

_SLOWER = 12
"""How much longer a reply takes that was thought over at length."""
_THOUGHTS = 400
"""Tokens that thinking at length costs."""
_BIGGEST_REQUEST = 8 * 2**20


@dataclass(frozen=True)
class Latency:
    """How long the stand-in takes, in seconds.

    Attributes:
        reply: Mean time to the first piece of a reply; single ones take from half to one and a
            half of it.
        piece: Time between pieces of a streamed reply.
    """

    reply: float = 0.08
    piece: float = 0.002


_LATENCY = web.AppKey("latency", Latency)


def application(latency: Latency) -> web.Application:
    """The routes of the stand-in."""
    app = web.Application(client_max_size=_BIGGEST_REQUEST)
    app[_LATENCY] = latency
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/v1/models", _models)
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_post("/tools/{tool}", _use)
    return app


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _models(_request: web.Request) -> web.Response:
    model = {"id": "standin", "object": "model", "created": 0, "owned_by": "turnout"}
    return web.json_response({"object": "list", "data": [model]})


async def _complete(http: web.Request) -> web.StreamResponse:
    try:
        request = await _document(http)
        case = understand(request)
    except BadRequestError as error:
        return web.json_response(wire.error(str(error)), status=400)
    move = next_move(case)
    thinks = case.follows(Rule.DELIBERATION)
    spent = wire.usage(request, move, _THOUGHTS if thinks else 0)
    latency = http.app[_LATENCY]
    await asyncio.sleep(latency.reply * (_SLOWER if thinks else 1) * _pace(case))
    if request.get("stream"):
        return await _stream(http, request, move, spent)
    return web.json_response(wire.completion(request, move, spent))


async def _stream(
    http: web.Request, request: Mapping[str, Any], move: Call | Answer, spent: wire.Document
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(http)
    for chunk in wire.chunks(request, move, spent):
        await response.write(wire.event(chunk))
        await asyncio.sleep(http.app[_LATENCY].piece)
    await response.write(wire.END)
    return response


async def _use(http: web.Request) -> web.Response:
    tool = TOOLS.get(http.match_info["tool"])
    if tool is None:
        return _refusal(404, "NoSuchTool", f"there is no tool {http.match_info['tool']}")
    try:
        return web.json_response(tool(await _document(http)))
    except BadRequestError as error:
        return _refusal(400, "BadArguments", str(error))
    except ShopError as error:
        return _refusal(error.status, error.reason, str(error))


async def _document(http: web.Request) -> Mapping[str, Any]:
    try:
        document = json.loads(await http.read())
    except (ValueError, RecursionError):
        raise BadRequestError("the body must be a JSON object") from None
    if not isinstance(document, dict):
        raise BadRequestError("the body must be a JSON object")
    return document


def _refusal(status: int, reason: str, message: str) -> web.Response:
    return web.json_response({"error": reason, "message": message}, status=status)


def _pace(case: Conversation) -> float:
    return 0.5 + draw(case.seed, f"pace {len(case.results)}")
