"""What a task has of the world: its Secrets, and a bounded way to others' servers."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, TypeAlias

import httpx2
from typing_extensions import override

from turnout.errors import TaskFailed
from turnout.jobs.addresses import Borders

MOST_BYTES: Final = 4 * 1024 * 1024
"""Largest body that is read of one answer, decoded."""

_CONNECT: Final = 10.0
_READ: Final = 20.0
_PORTS: Final = {"http": 80, "https": 443}
_LOCKED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


Refuse: TypeAlias = Callable[[str, str], TaskFailed]
"""Makes an error of a reason and a message, and remembers it."""


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends in an error where it grows too large."""

    def __init__(self, stream: httpx2.AsyncByteStream, refuse: Refuse) -> None:
        self._stream = stream
        self._refuse = refuse

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in self._stream:
                size += len(chunk)
                if size > MOST_BYTES:
                    raise self._refuse("TooLarge", f"the answer exceeds {MOST_BYTES} bytes")
                yield chunk
        except httpx2.TransportError as error:
            raise self._refuse("Unreachable", _broken(error)) from error

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()


class Gateway(httpx2.AsyncBaseTransport):
    """Connects to the address that was checked, not to the name: it may lead elsewhere by then.

    Attributes:
        refusal: What it refused first; a library in between may have made something else of it.
    """

    def __init__(self, borders: Borders) -> None:
        self._borders = borders
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)
        self.refusal: TaskFailed | None = None

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if url.scheme not in _PORTS or url.userinfo:
            raise self._refuse("AddressRefused", "the address is not plain http or https")
        try:
            addresses = await self._borders.resolve(url.host, url.port or _PORTS[url.scheme])
        except TaskFailed as failed:
            raise self._refuse(failed.reason, failed.message) from failed
        try:
            return await self._send_to_any(request, addresses)
        except httpx2.TransportError as error:
            raise self._refuse("Unreachable", _broken(error)) from error

    async def _send_to_any(
        self, request: httpx2.Request, addresses: Sequence[str]
    ) -> httpx2.Response:
        for address in addresses[:-1]:
            with suppress(httpx2.ConnectError):
                return await self._send(request, address)
        return await self._send(request, addresses[-1])

    async def _send(self, request: httpx2.Request, address: str) -> httpx2.Response:
        sent = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        answer = await self._inner.handle_async_request(sent)
        if answer.has_redirect_location:
            message = "the server redirects; redirects are not followed: name the final address"
            raise self._refuse("RedirectRefused", message)
        if "content-encoding" in answer.headers:
            raise self._refuse("Unreadable", "the answer is compressed, which was not asked for")
        stream = answer.stream
        if isinstance(stream, httpx2.AsyncByteStream):
            answer.stream = _Bounded(stream, self._refuse)
        return answer

    def _refuse(self, reason: str, message: str) -> TaskFailed:
        failed = TaskFailed(reason, message)
        self.refusal = self.refusal or failed
        return failed

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


Tell: TypeAlias = Callable[[Mapping[str, int]], None]
"""Takes how far a task is; what was told last is passed on when there is time."""


def tell_nobody(_progress: Mapping[str, int]) -> None:
    """Pass nothing on."""


class Reach:
    """What one task may use.

    Attributes:
        seconds: Time that a task has that can end with what it knows by then; one that cannot is
            ended a little later.
        tell: Takes how far the task is.
    """

    def __init__(
        self,
        borders: Borders,
        secrets: Sequence[str | None] = (),
        *,
        seconds: float = math.inf,
        tell: Tell = tell_nobody,
    ) -> None:
        self._borders = borders
        self._secrets = secrets
        self.seconds = seconds
        self.tell = tell

    def without_secrets(self, text: str) -> str:
        """Return a text with every value of a Secret of this task left out."""
        for value in self._secrets:
            text = text.replace(value, "[secret]") if value else text
        return text

    def secret(self, number: int, name: str) -> str:
        """Return a value of a Secret, by the order in which the task lists them.

        Raises:
            TaskFailed: It is not there; the message says so by the name given.
        """
        value = self._secrets[number] if number < len(self._secrets) else None
        if value is None:
            raise TaskFailed("SecretMissing", f"{name} does not exist in this namespace")
        return value

    @asynccontextmanager
    async def client(
        self, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx2.AsyncClient]:
        """Give a client that keeps to the borders and follows no redirect by itself.

        Whatever goes wrong with it comes out as the TaskFailed that the gateway met first, however
        a library in between has wrapped or replaced it.
        """
        gateway = Gateway(self._borders)
        client = httpx2.AsyncClient(
            transport=gateway,
            headers={
                "Accept-Encoding": "identity",
                "User-Agent": "turnout-task",
                **(headers or {}),
            },
            timeout=httpx2.Timeout(_READ, connect=_CONNECT),
            trust_env=False,
        )
        try:
            async with client:
                yield client
        except Exception as error:
            if gateway.refusal is None:
                raise
            raise gateway.refusal from error


def body_of(answer: httpx2.Response) -> bytes:
    """Return what a server answered.

    Raises:
        TaskFailed: It refused; the message tells nothing of what was answered but the status.
    """
    if answer.status_code in _LOCKED:
        raise TaskFailed("Denied", f"the credentials were refused with {answer.status_code}")
    if answer.status_code != HTTPStatus.OK:
        raise TaskFailed("Refused", f"the server answered with status {answer.status_code}")
    return answer.content


def _broken(error: httpx2.TransportError) -> str:
    return f"the server did not answer ({type(error).__name__})"
