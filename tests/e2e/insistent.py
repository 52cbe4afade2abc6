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

PACE = 0.1
"""Seconds before each reply."""


async def complete(http: web.Request) -> web.Response:
    last = (await http.json())["messages"][-1]
    refused = last["role"] == "tool" and json.loads(last["content"]).get("error") == "Killed"
    if refused:
        say("refused")
    await asyncio.sleep(PACE)
    call = {"id": "c1", "function": {"name": "orders_lookup", "arguments": "{}"}}
    wish = {"tool_calls": [{"index": 0, "type": "function", **call}]}
    delta = {"role": "assistant", **({"content": "It was refused."} if refused else wish)}
    choices = [{"index": 0, "delta": delta, "finish_reason": "stop"}]
    head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "insistent"}
    chunk = json.dumps({**head, "choices": choices})
    text = f"data: {chunk}\n\ndata: [DONE]\n\n"
    return web.Response(text=text, content_type="text/event-stream")


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
