"""The agent over HTTP, from start to the last answer after SIGTERM."""

import asyncio
import json
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, web
from openai import AsyncOpenAI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import chat
from .agent import Agent
from .content import Content
from .model import Endpoint
from .outcome import Outcome, Result
from .settings import Settings


@dataclass
class State:
    """Whether new work is wanted: not before the start is done, nor after SIGTERM."""

    ready: bool = False
    leaving: bool = False


class Server:
    """The routes of one version."""

    def __init__(self, settings: Settings, content: Content, agent: Agent) -> None:
        self.state = State()
        self._version = settings.version
        self._model = content.agent
        self.agent = agent

    def application(self) -> web.Application:
        """The routes, each answer signed with the version."""
        app = web.Application()
        app.on_response_prepare.append(self._sign)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _sign(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["x-agent-version"] = self._version
        if self.state.leaving:
            # Callers that keep connections open are told to look elsewhere.
            response.headers["Connection"] = "close"
            response.force_close()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        if self.state.ready and not self.state.leaving:
            return web.Response(text="ready\n")
        return web.Response(text="not ready\n", status=503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        text = generate_latest(self.agent.metrics.registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _chat(self, http: web.Request) -> web.StreamResponse:
        try:
            request = chat.parse(await http.read())
        except chat.BadRequestError as error:
            return web.json_response(chat.error("BadRequest", str(error)), status=400)
        answer = Answer(http, f"chatcmpl-{uuid.uuid4().hex}", self._model, stream=request.stream)
        started = time.monotonic()
        conversation = [turn.message() for turn in request.messages]
        result = await self.agent.work(conversation, answer.on_text)
        log(
            "task",
            outcome=result.outcome,
            reason=result.reason,
            steps=result.steps,
            toolCalls=result.tool_calls,
            seconds=round(time.monotonic() - started, 3),
        )
        return await answer.end(result)


class Answer:
    """An answer on its way to the caller, piece by piece if that is wished.

    A caller that goes away loses its answer; the task is worked on to its end all the same.
    """

    def __init__(self, http: web.Request, name: str, model: str, *, stream: bool) -> None:
        self._http = http
        self._name = name
        self._model = model
        self._wants_stream = stream
        self._stream: web.StreamResponse | None = None
        self._gone = False

    async def on_text(self, text: str) -> None:
        """Pass a piece of text on. The first one settles the status, so none is sent too early."""
        if self._wants_stream and text:
            await self._write(chat.piece(self._name, self._model, text))

    async def end(self, result: Result) -> web.StreamResponse:
        """Send what is left."""
        if result.outcome is Outcome.ERROR and not result.answered and self._stream is None:
            return web.json_response(chat.error(result.reason, result.text), status=502)
        if not self._wants_stream:
            return web.json_response(chat.completion(self._name, self._model, result))
        if not result.answered:
            await self.on_text(result.text)
        return await self._write(chat.last_piece(self._name, self._model, result))

    async def _write(self, data: bytes) -> web.StreamResponse:
        if self._stream is None:
            headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
            self._stream = web.StreamResponse(headers=headers)
            await self._stream.prepare(self._http)
        if not self._gone:
            try:
                await self._stream.write(data)
            except ConnectionError:
                self._gone = True
        return self._stream


@asynccontextmanager
async def assembled(settings: Settings, content: Content) -> AsyncIterator[Server]:
    """A server with everything it needs, which is closed at the end."""
    async with (
        AsyncOpenAI(base_url=settings.model_url, api_key=settings.model_key) as client,
        ClientSession(headers={"x-agent-version": settings.version}) as http,
    ):
        endpoint = Endpoint(client, content)
        yield Server(settings, content, Agent(settings, content, endpoint, http))


async def serve(
    settings: Settings, content: Content, on_listening: Callable[[int], None] = lambda _port: None
) -> None:
    """Serve until SIGTERM or SIGINT, then stop being ready, finish what runs, and return.

    Requests that come while gateways have not yet noticed are still answered.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with assembled(settings, content) as server:
        runner = web.AppRunner(
            server.application(), access_log=None, shutdown_timeout=settings.grace
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
            server.state.ready = True
            on_listening(runner.addresses[0][1])
            await stop.wait()
            server.state.leaving = True
            log("leaving", noticeSeconds=settings.notice)
            await asyncio.sleep(settings.notice)
        finally:
            await runner.cleanup()
    log("left")


def log(event: str, **fields: object) -> None:
    """One line of JSON on standard output; never a customer's words."""
    print(json.dumps({"at": round(time.time(), 3), "event": event, **fields}), flush=True)
