"""A model that answers as well as the prompt says, worse while its provider is unwell, and a shop.

Runs alone in a pod. Of a hundred answers just so many are wrong, spread evenly, so that a test sees
what a gate makes of shares and not of luck.
"""

import json
import re
from collections import Counter
from typing import Any

from aiohttp import web

QUALITY = re.compile(r"(\w+) answers (\d+) of 100 well")
"""What a prompt says: whose it is, and how many of a hundred answers are right."""

ARTICLE = "returns"


class Mood:
    """How well answers are by prompt, and how unwell the provider is by agent."""

    def __init__(self) -> None:
        self.part: dict[str, float] = {}
        self._wrong: Counter[str] = Counter()

    def is_right(self, prompt: str) -> bool:
        """Answer once more by a prompt."""
        said = QUALITY.search(prompt)
        name, well = said.groups() if said is not None else ("", "100")
        self._wrong[prompt] += 100 - round(int(well) * self.part.get(name, 1.0))
        if self._wrong[prompt] < 100:
            return True
        self._wrong[prompt] -= 100
        return False


MOOD = web.AppKey("mood", Mood)


async def complete(http: web.Request) -> web.Response:
    first, *_, last = (await http.json())["messages"]
    if last["role"] != "tool":
        call = {"id": "c1", "function": {"name": "knowledge_search", "arguments": "{}"}}
        return _chunk({"tool_calls": [{"index": 0, "type": "function", **call}]})
    article = ARTICLE if http.app[MOOD].is_right(first["content"]) else "nothing"
    return _chunk({"content": json.dumps({"resolution": "answer", "article": article})})


def _chunk(delta: dict[str, Any]) -> web.Response:
    choices = [{"index": 0, "delta": delta, "finish_reason": "stop"}]
    head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "moody"}
    chunk = json.dumps({**head, "choices": choices})
    text = f"data: {chunk}\n\ndata: [DONE]\n\n"
    return web.Response(text=text, content_type="text/event-stream")


async def search(_http: web.Request) -> web.Response:
    return web.json_response({"articles": [{"id": ARTICLE}]})


async def feel(http: web.Request) -> web.Response:
    """Let a part of the right answers to one agent be wrong, or none."""
    http.app[MOOD].part |= await http.json()
    return web.Response(text="ok\n")


async def healthz(_http: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def main() -> None:
    app = web.Application(client_max_size=2**24)
    app[MOOD] = Mood()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_post("/tools/{tool}", search)
    app.router.add_post("/mood", feel)
    app.router.add_get("/healthz", healthz)
    web.run_app(app, port=8080, access_log=None, print=None)


if __name__ == "__main__":
    main()
