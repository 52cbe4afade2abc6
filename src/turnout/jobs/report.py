"""Leaving the answer with the operator: again and again until the one that leads has taken it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx2

from turnout.core.tasks import sha256
from turnout.errors import TaskFailed

PAUSE: Final = 0.5
"""Seconds between two tries: another replica may be asked, or the same may lead by then."""

EVERY: Final = 5.0
"""Seconds between two tellings of how far a task is."""

_TIMEOUT: Final = 20.0


@dataclass(frozen=True)
class Desk:
    """Where answers are left, and what proves whose they are.

    Attributes:
        url: Where the operator listens.
        token_file: File with the pod's token for this purpose; read again for each try.
        job_uid: uid of the Job.
        nonce: The word that the operator gave this Job alone.
    """

    url: str
    token_file: Path
    job_uid: str
    nonce: str


class Told:
    """Tells the operator how far a task is, from time to time; nothing depends on its being heard.

    Attributes:
        latest: What was told last and not yet passed on.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.latest: Mapping[str, int] | None = None

    def tell(self, progress: Mapping[str, int]) -> None:
        """Take how far the task is."""
        self.latest = progress

    async def pass_on(self) -> None:
        """Pass on what is new, again and again, until the operator does not want to know."""
        with suppress(TaskFailed, OSError):
            while True:
                await asyncio.sleep(EVERY)
                if (progress := self.latest) is not None:
                    self.latest = None
                    await _taken(self._desk, _body(self._desk, json.dumps({"progress": progress})))


@asynccontextmanager
async def telling(desk: Desk) -> AsyncIterator[Told]:
    """Give what takes a task's progress, while the task lasts."""
    told = Told(desk)
    passing = asyncio.create_task(told.pass_on())
    try:
        yield told
    finally:
        passing.cancel()
        await asyncio.wait([passing])


async def deliver(desk: Desk, text: str, patience: float) -> None:
    """Leave an answer, trying for `patience` seconds.

    Raises:
        TaskFailed: The operator refused it, or nobody took it in time.
    """
    try:
        async with asyncio.timeout(patience):
            await _insist(desk, _body(desk, text))
    except TimeoutError as error:
        raise TaskFailed("NotTaken", "no operator took the answer") from error


def _body(desk: Desk, text: str) -> Mapping[str, str]:
    return {"jobUid": desk.job_uid, "nonce": desk.nonce, "digest": sha256(text), "answer": text}


async def _insist(desk: Desk, body: Mapping[str, str]) -> None:
    taken = await _taken(desk, body)
    while not taken:
        await asyncio.sleep(PAUSE)
        taken = await _taken(desk, body)


async def _taken(desk: Desk, body: Mapping[str, str]) -> bool:
    """Try once, by a connection of its own so that any replica may be met."""
    headers = {"Authorization": f"Bearer {desk.token_file.read_text().strip()}"}
    try:
        async with httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
            answer = await client.post(f"{desk.url}/reports", json=body, headers=headers)
    except httpx2.HTTPError:
        return False
    if answer.is_success:
        return True
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    raise TaskFailed("NotTaken", f"the operator refused the answer (status {answer.status_code})")
