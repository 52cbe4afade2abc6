"""A model that answers as well as the prompt says, worse while its provider is unwell, and a shop.

Runs alone in a pod. Of a hundred answers just so many are wrong, spread evenly, so that a test sees
what a gate makes of shares and not of luck.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from standin import wire
from standin.mind import Answer, Call

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
    request = await http.json()
    move = _move(request["messages"], http.app[MOOD])
    pieces = wire.chunks(request, move, wire.usage(request, move, 0))
    body = b"".join(map(wire.event, pieces)) + wire.END
    return web.Response(body=body, content_type="text/event-stream")


def _move(messages: Sequence[Mapping[str, Any]], mood: Mood) -> Call | Answer:
    """Look something up, and then answer by it or by nothing."""
    first, *_, last = messages
    if last["role"] != "tool":
        return Call("knowledge_search", {})
    article = ARTICLE if mood.is_right(first["content"]) else "nothing"
    return Answer(json.dumps({"resolution": "answer", "article": article}))


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
