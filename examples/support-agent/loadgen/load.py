"""The load itself: requests leave on time, whether or not earlier ones have been answered."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from .books import Books, Line
from .tasks import share, task

MOST_IN_FLIGHT = 500


@dataclass(frozen=True)
class Load:
    """What is sent where, how fast, and until when.

    Attributes:
        url: Up to and without `/v1/chat/completions`.
        host: The `Host` header, where it is not the URL's.
        rate: Requests a second.
        duration: Seconds.
        most: Requests in all.
        seed: Of the customers' messages.
        timeout: Seconds that an answer may take.
        streamed: The share of requests that ask for a stream.
    """

    url: str
    host: str | None = None
    rate: float = 5.0
    duration: float = 60.0
    most: int = 100_000
    seed: int = 1
    timeout: float = 30.0
    streamed: float = 0.25


async def run(load: Load, books: Books, stop: asyncio.Event) -> None:
    """Send until the time or the number is reached or a stop is asked for; await the answers."""
    running: set[asyncio.Task[None]] = set()
    connector = TCPConnector(limit=MOST_IN_FLIGHT)
    timeout = ClientTimeout(total=load.timeout)
    async with ClientSession(connector=connector, timeout=timeout) as http:
        begin = time.monotonic()
        for number in range(min(load.most, int(load.rate * load.duration))):
            if await _stopped_by(stop, begin + number / load.rate):
                break
            if len(running) >= MOST_IN_FLIGHT:
                books.unsent += 1
                continue
            request = asyncio.create_task(_request(http, load, number, books))
            running.add(request)
            request.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running)


async def _stopped_by(stop: asyncio.Event, moment: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), max(moment - time.monotonic(), 0))
    except TimeoutError:
        return stop.is_set()
    return True


async def _request(http: ClientSession, load: Load, number: int, books: Books) -> None:
    stream = share(f"{load.seed} {number} stream") < load.streamed
    message = {"role": "user", "content": task(load.seed, number)}
    body = {"model": "agent", "messages": [message], "stream": stream}
    headers = {"Host": load.host} if load.host else {}
    at, begun = time.time(), time.monotonic()
    status: int | None = None
    version: str | None = None
    error: str | None = None
    end: Mapping[str, Any] = {}
    try:
        async with http.post(
            f"{load.url}/v1/chat/completions", json=body, headers=headers, allow_redirects=False
        ) as response:
            status, version = response.status, response.headers.get("x-agent-version")
            answer = await response.read()
            end = _end(answer, stream=stream) if response.ok else {}
    except (ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError) as problem:
        error = type(problem).__name__
    books.enter(
        Line(
            number=number,
            at=at,
            seconds=time.monotonic() - begun,
            status=status,
            version=version,
            outcome=end.get("outcome"),
            reason=end.get("reason"),
            error=error,
        )
    )


def _end(answer: bytes, *, stream: bool) -> Mapping[str, Any]:
    """How the task ended: from the answer, or from the last event of a stream before its end."""
    if stream:
        events = [line[5:].strip() for line in answer.splitlines() if line.startswith(b"data:")]
        if events[-1:] != [b"[DONE]"] or len(events) == 1:
            raise ValueError("the stream broke off")
        answer = events[-2]
    end = json.loads(answer)["task"]
    return {"outcome": end["outcome"], "reason": end["reason"]}
