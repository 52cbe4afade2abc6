"""An agent asked over HTTP: one question, one try."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import httpx2

from turnout.errors import TaskFailed
from turnout.evals.graders.answers import Answer
from turnout.evals.protocols.talk import (
    Endpoint,
    Message,
    NotAsked,
    Unreadable,
    answer,
    question,
)

AGAIN: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses after which the same question may be answered."""


class NoAnswer(Exception):
    """A question has no answer, for a reason that says nothing of the agent's quality.

    Attributes:
        reason: CamelCase word, by which errors are counted.
        is_passing: The same question may be answered later.
        after: Seconds that the other side asked to be left alone; None where it named none.
    """

    def __init__(
        self, reason: str, message: str, *, is_passing: bool = False, after: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_passing = is_passing
        self.after = after


class Agent:
    """The version under evaluation."""

    def __init__(self, client: httpx2.AsyncClient, endpoint: Endpoint, timeout: float) -> None:
        """Take a way to it.

        Args:
            client: Bounded in what it reads and where it connects to.
            endpoint: Where and how it is asked.
            timeout: Seconds that it has for an answer.
        """
        self._client = client
        self._endpoint = endpoint
        self._timeout = timeout

    async def ask(self, conversation: Sequence[Message]) -> Answer:
        """Ask once.

        Raises:
            NoAnswer: There is none.
        """
        try:
            body = question(self._endpoint, conversation, uuid.uuid4().hex)
            async with asyncio.timeout(self._timeout):
                response = await self._client.post(
                    self._endpoint.url, json=body, timeout=self._timeout
                )
        except NotAsked as error:
            raise NoAnswer("NotAsked", str(error)) from None
        except (TimeoutError, httpx2.TimeoutException):
            raise NoAnswer("TimedOut", f"no answer within {self._timeout:g}s") from None
        except TaskFailed as failed:
            is_passing = failed.reason == "Unreachable"
            raise NoAnswer(failed.reason, failed.message, is_passing=is_passing) from None
        except httpx2.HTTPError as error:
            told = f"the agent did not answer ({type(error).__name__})"
            raise NoAnswer("Unreachable", told, is_passing=True) from None
        return self._read(response)

    def _read(self, response: httpx2.Response) -> Answer:
        status = response.status_code
        if status != HTTPStatus.OK:
            reason = "RateLimited" if status == HTTPStatus.TOO_MANY_REQUESTS else "Refused"
            raise NoAnswer(
                reason,
                f"the agent answered with status {status}",
                is_passing=status in AGAIN,
                after=_seconds(response.headers.get("retry-after", "")),
            )
        try:
            return answer(self._endpoint, response.content.decode())
        except (Unreadable, UnicodeDecodeError) as error:
            told = str(error) if isinstance(error, Unreadable) else "the response is not UTF-8"
            raise NoAnswer("Unreadable", told) from None


def _seconds(header: str) -> float | None:
    """Read `Retry-After` in seconds; the form with a date is not read."""
    try:
        seconds = float(header)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
