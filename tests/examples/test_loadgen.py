"""The load generator: what it sends, and how it keeps its books."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path

import pytest
from aiohttp import web

from loadgen.books import Books, Line
from loadgen.load import Load, run
from loadgen.tasks import task
from tests.examples.mounted import EXAMPLE
from tests.examples.serving import agent, eventually, served, standin

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def app(handler: Handler) -> web.Application:
    application = web.Application()
    application.router.add_post("/v1/chat/completions", handler)
    return application


def answered(outcome: str, version: str) -> web.Response:
    return web.json_response(
        {"task": {"outcome": outcome, "reason": "Because"}}, headers={"x-agent-version": version}
    )


async def books_of(url: str, most: int, *, streamed: float = 0.25, patience: float = 30) -> Books:
    books = Books()
    load = Load(url, rate=200, duration=60, most=most, streamed=streamed, timeout=patience)
    await run(load, books, asyncio.Event())
    return books


async def test_requests_are_counted_by_version_outcome_and_failure() -> None:
    seen = Counter[str]()

    async def handler(request: web.Request) -> web.Response:
        seen["sent"] += 1
        kind = seen["sent"] % 5
        if kind == 0:
            return web.Response(status=503)
        if kind == 1:
            return web.Response(text="no JSON", headers={"x-agent-version": "b"})
        return answered("success" if kind == 2 else "failure", "a" if kind < 4 else "b")

    async with served(app(handler)) as url:
        books = await books_of(url, most=50, streamed=0)
    summary = books.summary()
    assert summary["requests"] == seen["sent"] == 50
    assert summary["failed"] == 20
    assert summary["bad"] == 20
    assert summary["failures"] == {"Status503": 10, "JSONDecodeError": 10}
    a, b = summary["versions"]["a"], summary["versions"]["b"]
    assert (a["requests"], a["failed"], a["bad"]) == (20, 0, 10)
    assert a["outcomes"] == {"success": 10, "failure": 10}
    assert (b["requests"], b["failed"], b["bad"]) == (20, 10, 10)
    assert summary["startedAt"] <= a["firstAnswerAt"] <= a["firstBadAt"] <= a["lastAnswerAt"]


async def test_a_real_agent_is_asked_with_and_without_streams(tmp_path: Path) -> None:
    async with standin() as shop, agent(tmp_path, shop) as (url, server):
        books = await books_of(url, most=60, streamed=0.5)
    summary = books.summary()
    assert (summary["requests"], summary["failed"]) == (60, 0)
    assert summary["versions"]["support-0123456789"]["outcomes"]["success"] > 50
    assert server.agent.metrics.task_seconds._sum.get() > 0


async def test_a_broken_stream_and_a_closed_door_are_failures() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"x-agent-version": "a"})
        await response.prepare(request)
        await response.write(b'data: {"task": {"outcome": "success", "reason": "x"}}\n\n')
        return response

    async with served(app(handler)) as url:
        broken = await books_of(url, most=3, streamed=1)
    closed = await books_of("http://127.0.0.1:9", most=3)
    assert broken.summary()["failures"] == {"ValueError": 3}
    assert closed.summary()["failures"] == {"ClientConnectorError": 3}
    assert closed.summary()["versions"] == {}


async def test_requests_leave_on_time_while_earlier_ones_wait() -> None:
    waiting, all_here = 0, asyncio.Event()

    async def handler(_request: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        if waiting == 20:
            all_here.set()
        await all_here.wait()
        return answered("success", "a")

    async with served(app(handler)) as url:
        books = await books_of(url, most=20, streamed=0)
    assert [line.outcome for line in books.lines] == ["success"] * 20


async def test_a_slow_answer_is_given_up() -> None:
    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        return answered("success", "a")

    async with served(app(handler)) as url:
        books = await books_of(url, most=2, patience=0.1)
    assert books.summary()["failed"] == 2


def test_each_line_is_written_as_it_comes() -> None:
    file = StringIO()
    Books(file).enter(Line(number=3, at=1.5, seconds=0.25, status=200, outcome="success"))
    assert json.loads(file.getvalue())["number"] == 3


def test_a_summary_without_requests_counts_nothing() -> None:
    assert Books().summary()["requests"] == 0


def test_the_same_seed_writes_the_same_messages() -> None:
    assert [task(1, n) for n in range(50)] == [task(1, n) for n in range(50)]
    assert [task(1, n) for n in range(50)] != [task(2, n) for n in range(50)]


async def test_sigterm_ends_the_load_with_a_summary(tmp_path: Path) -> None:
    seen = Counter[str]()

    async def handler(request: web.Request) -> web.Response:
        seen[request.host] += 1
        return answered("success", "a")

    async with served(app(handler)) as url:
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "loadgen",
                "--url",
                url,
                "--host-header",
                "support.example.com",
            ),
            *("--rate", "50", "--duration", "1h", "--stream-share", "0"),
            *("--requests", tmp_path / "requests.jsonl", "--summary", tmp_path / "summary.json"),
            cwd=EXAMPLE,
            env={"PATH": os.environ["PATH"]},
        )
        await eventually(lambda: seen.total() >= 5)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    assert summary["requests"] == len(lines) == seen["support.example.com"]
    assert summary["failed"] == 0


@pytest.mark.parametrize(
    "wrong", [["--rate", "0"], ["--rate", "9999"], ["--duration", "soon"], ["--duration", "25h"]]
)
async def test_a_load_without_bounds_is_refused(wrong: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadgen", "--url", "http://127.0.0.1:9", *wrong),
        cwd=EXAMPLE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"must be" in said
