"""A reverse proxy before an API server that makes things go wrong on purpose.

It ends TLS, forwards each request with the client's bearer token, and does what a test asks of it:

- ``mutations`` numbers the mutating requests. ``before_send``, ``after_commit`` and
  ``after_answer`` are awaited around each; a hook that raises ``Dropped`` cuts the client off at
  that point: before the server saw the request, after it committed it, or after the answer.
- ``script`` answers a request in the server's place: ``refusal(504, "Timeout")``.
- ``watches`` are the open watch streams. Each can be told an event of the test's own (``say``),
  be cut inside a line (``cut``), reset (``reset``), silenced for good (``silence``) or ended
  (``end``).
- ``hides`` swallows single watch events, and ``poisons`` adds items to the lists of a collection.
- ``stop`` refuses connections until ``start``, on the same port.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import yaml
from aiohttp import web

from turnout.adapters.documents import Kind, Ref

READING: Final = {"GET", "HEAD"}
FAREWELL: Final = 0.25
"""Seconds in which TLS connections whose streams were broken off come to their end, as aiohttp's
documentation advises: closing a session waits for those only that it still holds."""

_HOP: Final = {"host", "connection", "transfer-encoding", "content-length", "accept-encoding"}
_ITEMS: Final = b'"items":['


class Dropped(Exception):
    """Raised by a hook: the client hears nothing more of its request."""


@dataclass
class Mutation:
    """One mutating request.

    Attributes:
        number: Counts from one, in the order of arrival.
        body: What the client sent.
        code: What the server answered; None before it did.
    """

    number: int
    method: str
    path: str
    body: bytes
    code: int | None = None


@dataclass
class Watch:
    """One open watch stream, on the side of the client."""

    path: str
    request: web.Request
    answer: web.StreamResponse
    pump: "asyncio.Task[None] | None" = None
    silent: bool = field(default=False, init=False)

    async def say(self, event: Mapping[str, Any] | bytes) -> None:
        """Tell an event as if the server did; bytes go as they are."""
        text = event if isinstance(event, bytes) else json.dumps(event).encode()
        await self.answer.write(text + b"\n")

    async def fail(self, code: int, reason: str) -> None:
        """Tell an ERROR event, after which a server ends the stream."""
        await self.say({"type": "ERROR", "object": status(code, reason)})
        await self.end()

    async def cut(self) -> None:
        """End inside a line, with a clean close."""
        await self.answer.write(b'{"type":"MODIFIED","object":{"metadata":{"na')
        await self.end()

    async def end(self) -> None:
        """Close the stream cleanly, as a server does when its time is over."""
        await self.answer.write_eof()
        self._stop()

    def reset(self) -> None:
        """Cut the connection off."""
        if self.request.transport:
            self.request.transport.abort()
        self._stop()

    def silence(self) -> None:
        """Pass on no further byte, and leave the connection open."""
        self.silent = True

    def _stop(self) -> None:
        if self.pump:
            self.pump.cancel()


async def _nothing(_: Mutation) -> None:
    """Do as a server alone would."""


class FaultProxy:
    """One proxy on the loopback interface; a context manager."""

    def __init__(self, kubeconfig: Path, tls: ssl.SSLContext | None = None) -> None:
        self._kubeconfig: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
        cluster = self._kubeconfig["clusters"][0]["cluster"]
        self._server = cluster["server"]
        self._ca = Path(kubeconfig.parent, cluster["certificate-authority"])
        self._tls = tls
        self._port = 0
        self.mutations: list[Mutation] = []
        self.reads: list[web.Request] = []
        self.watches: list[Watch] = []
        self.before_send: Callable[[Mutation], Awaitable[None]] = _nothing
        self.after_commit: Callable[[Mutation], Awaitable[None]] = _nothing
        self.after_answer: Callable[[Mutation], Awaitable[None]] = _nothing
        self.script: Callable[[web.Request], web.Response | None] = lambda _: None
        self.hides: Callable[[str, dict[str, Any]], bool] = lambda _path, _event: False
        self.poisons: dict[str, list[bytes]] = {}

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=self._ca)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._session.close()
        await asyncio.sleep(FAREWELL)

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def kubeconfig(self, directory: Path, token: str | None = None) -> Path:
        """Write a kubeconfig that leads here, as the administrator or with a token."""
        user = {"token": token} if token else self._kubeconfig["users"][0]["user"]
        config = self._kubeconfig | {
            "clusters": [{"name": "light", "cluster": {"server": self.url}}],
            "users": [{"name": "light", "user": user}],
            "contexts": [{"name": "light", "context": {"cluster": "light", "user": "light"}}],
            "current-context": "light",
        }
        path = directory / "proxy.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    async def start(self) -> None:
        """Take connections."""
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self._port, ssl_context=self._tls, reuse_address=True
        )
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut all connections and refuse new ones."""
        for watch in tuple(self.watches):
            watch.reset()
        await self._runner.cleanup()

    def open_watches(self, kind: Kind) -> list[Watch]:
        """Return the open watches of a kind."""
        return [one for one in self.watches if one.path.endswith(f"/{kind.plural}")]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.method in READING:
                self.reads.append(request)
                return self.script(request) or await self._read(request)
            return await self._write(request)
        except (Dropped, aiohttp.ClientError):
            if request.transport:
                request.transport.abort()
            return web.Response()

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        mutation = Mutation(len(self.mutations) + 1, request.method, request.path, body)
        self.mutations.append(mutation)
        await self.before_send(mutation)
        answer = self.script(request)
        if answer is None:
            async with self._upstream(request, body) as upstream:
                answer = _copy(upstream, await upstream.read())
        mutation.code = answer.status
        await self.after_commit(mutation)
        await answer.prepare(request)
        await answer.write_eof()
        await self.after_answer(mutation)
        return answer

    async def _read(self, request: web.Request) -> web.StreamResponse:
        async with self._upstream(request, b"") as upstream:
            if request.query.get("watch") and upstream.status == web.HTTPOk.status_code:
                return await self._watch(request, upstream)
            body = await upstream.read()
            if "continue" not in request.query:
                body = _with_items(body, self.poisons.get(request.path, []))
            return _copy(upstream, body)

    async def _watch(
        self, request: web.Request, upstream: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        watch = Watch(request.path, request, answer)
        watch.pump = asyncio.create_task(self._pump(watch, upstream))
        self.watches.append(watch)
        try:
            with suppress(asyncio.CancelledError, aiohttp.ClientError, ConnectionError):
                await watch.pump
        finally:
            watch.pump.cancel()
            self.watches.remove(watch)
        return answer

    async def _pump(self, watch: Watch, upstream: aiohttp.ClientResponse) -> None:
        async for line in _lines(upstream.content):
            if not watch.silent and not self.hides(watch.path, json.loads(line)):
                await watch.say(line)
        if watch.silent:
            await asyncio.Event().wait()

    @asynccontextmanager
    async def _upstream(
        self, request: web.Request, body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Forward a request; what is not read of its answer is cut off."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        headers["Accept-Encoding"] = "identity"
        url = f"{self._server}{request.raw_path}"
        sent = self._session.request(request.method, url, headers=headers, data=body or None)
        async with sent as upstream:
            try:
                yield upstream
            finally:
                if upstream.connection and upstream.connection.transport:
                    upstream.connection.transport.abort()


def status(code: int, reason: str, message: str = "planted") -> dict[str, Any]:
    """Return the Status that an API server explains a failure with."""
    kind = {"apiVersion": "v1", "kind": "Status", "status": "Failure", "metadata": {}}
    return kind | {"code": code, "reason": reason, "message": message}


def refusal(code: int, reason: str, message: str = "planted", **headers: str) -> web.Response:
    """Return an answer that refuses a request."""
    return web.json_response(status(code, reason, message), status=code, headers=headers)


def poison(ref: Ref, depth: int, version: str = "1") -> bytes:
    """Return an object as JSON whose spec is nested this deep, which the server would store."""
    metadata = {"name": ref.name, "namespace": ref.namespace, "resourceVersion": version}
    head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind, "metadata": metadata}
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    return json.dumps(head).encode()[:-1] + b',"spec":' + deep + b"}"


def _with_items(body: bytes, items: list[bytes]) -> bytes:
    """Put items before those of a list, which stays unread."""
    before, found, after = body.partition(_ITEMS)
    if not items or not found:
        return body
    separator = b"" if after.startswith(b"]") else b","
    return before + found + b",".join(items) + separator + after


def _copy(upstream: aiohttp.ClientResponse, body: bytes) -> web.Response:
    headers = {k: v for k, v in upstream.headers.items() if k.lower() not in _HOP}
    return web.Response(status=upstream.status, headers=headers, body=body)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Read lines of any length."""
    kept = b""
    async for chunk in content.iter_any():
        *whole, kept = (kept + chunk).split(b"\n")
        for line in whole:
            yield line
