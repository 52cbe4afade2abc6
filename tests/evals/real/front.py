"""A front of OpenAI's form before the example's agent, for other people's tools.

A customer whose message begins with `[down]` gets status 500, one with `[flaky]` a useless answer
each second time.
"""

import json
from collections import Counter
from typing import Any

from aiohttp import ClientSession, web

from tests.examples.serving import chat

DOWN, FLAKY = "[down]", "[flaky]"


def application(url: str) -> web.Application:
    """A front of an agent."""
    asked: Counter[str] = Counter()

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        said = str(body["messages"][-1]["content"])
        asked[said] += 1
        if said.startswith(DOWN):
            return web.json_response({"error": {"message": "out of order"}}, status=500)
        plain = said.removeprefix(FLAKY).strip()
        question = {"model": "support", "messages": [{"role": "user", "content": plain}]}
        async with ClientSession() as http, http.post(chat(url), json=question) as answer:
            document: dict[str, Any] = await answer.json()
        if said.startswith(FLAKY) and asked[said] % 2 == 0:
            document["choices"][0]["message"]["content"] = json.dumps({"resolution": "none"})
        return web.json_response(document)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    return app
