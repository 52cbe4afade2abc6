"""A model that wants the same tool again and again until it is refused, and that tool's shop.

Runs alone in a pod. Each call that arrives, and each refusal that it is told of, is a line on
standard output: the moment, and which of the two.
"""

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web

from standin import wire
from standin.mind import Answer, Call

PACE = 0.1
"""Seconds before each reply."""


async def complete(http: web.Request) -> web.Response:
    request = await http.json()
    last = request["messages"][-1]
    refused = last["role"] == "tool" and json.loads(last["content"]).get("error") == "Killed"
    if refused:
        say("refused")
    await asyncio.sleep(PACE)
    move = Answer("It was refused.") if refused else Call("orders_lookup", {})
    pieces = wire.chunks(request, move, wire.usage(request, move, 0))
    body = b"".join(map(wire.event, pieces)) + wire.END
    return web.Response(body=body, content_type="text/event-stream")


async def look_up(_http: web.Request) -> web.Response:
    say("served")
    return web.json_response({"status": "sent"})


async def healthz(_http: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def say(what: str) -> None:
    line: dict[str, Any] = {"at": time.time(), "what": what}
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main() -> None:
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_post("/tools/{tool}", look_up)
    app.router.add_get("/healthz", healthz)
    web.run_app(app, port=8080, access_log=None, print=None)


if __name__ == "__main__":
    main()
