"""The agent as a process: how it starts, and how it leaves."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from standin.server import Latency
from tests.examples.mounted import EXAMPLE, mount
from tests.examples.serving import body, chat, standin

CLAIM = "Order 1042 arrived broken, I want my money back."


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support_agent"),
        cwd=EXAMPLE,
        env={"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": "0", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def event(process: asyncio.subprocess.Process, name: str) -> dict[str, object]:
    """The next log line of that name."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        async for line in process.stdout:
            document = json.loads(line)
            if document["event"] == name:
                return dict(document)
    raise AssertionError(f"the process ended without saying {name}")


@asynccontextmanager
async def running(
    folder: Path, latency: Latency
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    async with standin(latency) as shop:
        process = await start(
            {
                "TURNOUT_CONTENT_DIR": str(mount(folder, f"{shop}/tools")),
                "TURNOUT_VERSION": "support-0123456789",
                "OPENAI_BASE_URL": f"{shop}/v1",
                "SHOP_URL": f"{shop}/tools",
                "DRAIN_NOTICE_SECONDS": "1",
            }
        )
        try:
            port = (await event(process, "listening"))["port"]
            yield process, f"http://127.0.0.1:{port}"
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def answer(http: ClientSession, url: str, *, stream: bool) -> tuple[int, str, str]:
    async with http.post(chat(url), json=body(CLAIM, stream=stream)) as response:
        return response.status, response.headers.get("Connection", ""), await response.text()


async def test_sigterm_fails_no_request_and_ends_the_process_with_0(tmp_path: Path) -> None:
    async with running(tmp_path, Latency(reply=0.6)) as (process, url), ClientSession() as http:
        under_way = [asyncio.create_task(answer(http, url, stream=s)) for s in (True, False)]
        async with http.get(f"{url}/readyz") as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        await event(process, "leaving")
        async with http.get(f"{url}/readyz") as response:
            assert response.status == 503
        async with http.get(f"{url}/healthz") as response:
            assert response.status == 200
        status, connection, late = await answer(http, url, stream=False)
        assert (status, connection) == (200, "close")
        assert json.loads(late)["task"]["outcome"] == "success"
        for status, _, text in await asyncio.gather(*under_way):
            assert status == 200
            assert '"outcome": "success"' in text
        await event(process, "left")
        assert await process.wait() == 0
        with pytest.raises(ClientConnectionError):
            await answer(http, url, stream=False)


async def test_a_task_is_logged_without_the_customers_words(tmp_path: Path) -> None:
    async with running(tmp_path, Latency(reply=0)) as (process, url), ClientSession() as http:
        await answer(http, url, stream=False)
        line = await event(process, "task")
    assert line["outcome"] == "success"
    assert "1042" not in json.dumps(line)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TURNOUT_MODE": "shadow"}, "TURNOUT_MODE is shadow"),
        ({"OPENAI_BASE_URL": "ftp://x"}, "OPENAI_BASE_URL must be an http or https URL"),
        ({"PORT": "many"}, "PORT must be a number"),
        ({}, "agent.json: No such file or directory"),
    ],
)
async def test_a_process_that_cannot_work_says_why_in_one_sentence_and_exits_with_2(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    process = await start(
        {
            "TURNOUT_CONTENT_DIR": str(tmp_path),
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "SHOP_URL": "http://127.0.0.1:9/tools",
            **environment,
        }
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert sentence in said.decode()
    assert "Traceback" not in said.decode()
