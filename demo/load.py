"""The load: customers' messages through the gateway, and the load generator's own books."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

from demo.errors import DemoError
from demo.example import DIRECTORY, HOST

_DURATION: Final = "30m"
_POLL: Final = 0.1
_STOP_LIMIT: Final = 45.0
"""Requests under way at the end may take the load generator's own 30 s."""


@dataclass(frozen=True)
class Request:
    """What the load generator wrote of one request; times in seconds since 1970."""

    sent_at: float
    answered_at: float
    version: str | None
    failed: bool
    bad: bool

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        """Read a line of its books."""
        failed = line["error"] is not None or line["status"] != HTTPStatus.OK
        return cls(
            sent_at=line["at"],
            answered_at=line["at"] + line["seconds"],
            version=line["version"],
            failed=failed,
            bad=not failed and line["outcome"] != "success",
        )


class Load:
    """A running load generator."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        self._process = process
        self._requests = directory / "requests.jsonl"
        self._summary = directory / "load.json"
        self._errors = directory / "load.log"

    async def requests(self) -> AsyncIterator[Request]:
        """Yield every request as it ends, until the load has ended.

        Raises:
            DemoError: The load generator ended by itself.
        """
        with self._requests.open() as file:
            rest = ""
            while True:
                ended = self._process.returncode
                rest += file.read()
                *lines, rest = rest.split("\n")
                for line in lines:
                    yield Request.of(json.loads(line))
                if ended is not None:
                    break
                await asyncio.sleep(_POLL)
        if ended:
            raise DemoError(f"the load generator failed: {self._errors.read_text()[-500:]}")

    async def stop(self) -> Mapping[str, Any]:
        """End the load, wait for the answers under way, and return the summary."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_LIMIT)
        except TimeoutError:
            raise DemoError("the load generator does not end") from None
        summary: Mapping[str, Any] = json.loads(self._summary.read_text())
        return summary


@asynccontextmanager
async def running(url: str, rate: float, directory: Path) -> AsyncIterator[Load]:
    """Send messages to a gateway at this rate (requests a second) while the block runs."""
    requests, summary = directory / "requests.jsonl", directory / "load.json"
    requests.write_text("")
    options = ("--url", url, "--host-header", HOST, "--rate", str(rate), "--duration", _DURATION)
    books = ("--requests", str(requests), "--summary", str(summary))
    with (directory / "load.log").open("w") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadgen", *options, *books, cwd=DIRECTORY, stderr=errors
        )
    try:
        yield Load(process, directory)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
