"""The gateway's side of the books: its access log, counted by the version that answered."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import ClientError, ClientSession

from demo.example import HOST, PATH

NOBODY: Final = "nobody"
"""Stands for requests that reached no pod of ours."""

_POLL: Final = 0.2

VersionAt = Callable[[str, float], str | None]


def count(log: Path, offset: int, version_at: VersionAt) -> Counter[str]:
    """Count the answers of each version in the log from an offset on.

    The log names the pod's address; which version had it then is for the caller to know.
    """
    counted: Counter[str] = Counter()
    with log.open() as file:
        file.seek(offset)
        for line in file:
            entry = json.loads(line)
            if (entry["authority"], entry["path"]) != (HOST, PATH):
                continue
            address = (entry["upstream_host"] or "").rpartition(":")[0]
            moment = datetime.fromisoformat(entry["start_time"]).timestamp()
            answered = entry["response_code"] == HTTPStatus.OK
            version = version_at(address, moment) if answered else None
            counted[version or NOBODY] += 1
    return counted


async def routes(url: str) -> None:
    """Wait until the gateway sends requests to the agent, which signs its answers."""
    async with ClientSession(headers={"Host": HOST}) as http:
        while True:
            try:
                async with http.get(f"{url}/v1/hello") as answer:
                    if "x-agent-version" in answer.headers:
                        return
            except ClientError:
                pass  # the pause below is for the gateway to come
            await asyncio.sleep(_POLL)
