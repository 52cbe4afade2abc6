"""Servers on loopback, on ports that are free."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from prometheus_client.parser import text_string_to_metric_families

from standin.server import Latency, application
from support_agent.content import load
from support_agent.server import Server, assembled
from support_agent.settings import Settings
from tests.examples.mounted import mount

VERSION = "support-0123456789"
FAST = Latency(reply=0.001, piece=0)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The URL that an application is served at."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def standin(latency: Latency = FAST) -> AsyncIterator[str]:
    """The stand-in."""
    async with served(application(latency)) as url:
        yield url


@asynccontextmanager
async def agent(
    folder: Path,
    shop: str,
    *,
    model: str | None = None,
    settings: dict[str, str] | None = None,
    **content: Any,
) -> AsyncIterator[tuple[str, Server]]:
    """An agent on freshly mounted content, with the stand-in's shop and maybe another model."""
    environment = {
        "TURNOUT_CONTENT_DIR": str(mount(folder, f"{shop}/tools", **content)),
        "TURNOUT_VERSION": VERSION,
        "OPENAI_BASE_URL": f"{model or shop}/v1",
        "SHOP_URL": f"{shop}/tools",
        **(settings or {}),
    }
    chosen = Settings.of(environment)
    async with (
        assembled(chosen, load(chosen.content_dir)) as server,
        served(server.application()) as url,
    ):
        server.state.ready = True
        yield url, server


async def ask(url: str, text: str) -> dict[str, Any]:
    """The whole answer to one customer's message."""
    async with ClientSession() as http, http.post(chat(url), json=body(text)) as response:
        document = await response.json()
    assert isinstance(document, dict)
    return document


def chat(url: str) -> str:
    """Where completions are asked for."""
    return f"{url}/v1/chat/completions"


def body(text: str, **fields: Any) -> dict[str, Any]:
    """A request with one message."""
    return {"model": "support", "messages": [{"role": "user", "content": text}], **fields}


def script(*replies: dict[str, Any]) -> web.Application:
    """A model that gives these messages one after the other, the last one for ever."""
    given = iter(replies)
    last = [replies[-1]]

    async def complete(_request: web.Request) -> web.Response:
        message = next(given, last[0])
        delta = {"role": "assistant", **message}
        choices = [{"index": 0, "delta": delta, "finish_reason": "stop"}]
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        return web.Response(
            text=f"data: {web.json_response({**chunk, 'choices': choices}).text}\n\n"
            "data: [DONE]\n\n",
            content_type="text/event-stream",
        )

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    return app


def call(name: str, arguments: str) -> dict[str, Any]:
    """A message of a scripted model that calls a tool."""
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}


async def samples(url: str) -> dict[str, float]:
    """What an agent tells Prometheus, by name and label values."""
    async with ClientSession() as http, http.get(f"{url}/metrics") as response:
        text = await response.text()
    return {
        sample.name
        + "".join(f"/{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def eventually(claim: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a claim holds.

    Raises:
        AssertionError: It did not in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        if claim():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")
