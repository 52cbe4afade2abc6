"""Raw counter samples from Prometheus, trusted only where they can be.

The library asks the question; the session under it is ours, because an answer is input from
outside: redirects are refused, bodies are bounded after decompression, and an answer with warnings
(a partial one, as federated stores give) is Unknown. No answer is ever a zero.
"""

import asyncio
import io
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import requests
import yaml
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from typing_extensions import override
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from turnout.adapters.metrics import (
    IncreaseQuery,
    Metrics,
    Part,
    PartsQuery,
    SampleQuery,
    Series,
    ServiceMetrics,
)
from turnout.adapters.prometheus_rows import increase_of, part_of, series_of
from turnout.adapters.promql import begun_parts, grown_parts, increase, promql
from turnout.adapters.recorded import (
    marks_of,
    may_be_recorded,
    read_mark,
    recorded_increase,
)
from turnout.errors import MetricsUnavailable
from turnout.settings import MetricsProvider

Count: TypeAlias = Callable[[str, str], None]
"""Told of each question: provider and outcome (ok, empty, error, timeout)."""

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of an answer after decompression; more is refused while it arrives."""

QUESTIONS_AT_ONCE: Final = 8
_CHUNK: Final = 64 * 1024

_LONG: Final = timedelta(hours=2)
"""Growth over less is cheap: nobody asks whether rules have recorded it."""


_Read = TypeVar("_Read")


class _Session(requests.Session):
    """A session that gives back small, complete, successful answers in time, or raises."""

    def __init__(self, limit: float, ca_file: Path | None, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self.trust_env = False  # no proxy and no .netrc of the environment
        self.verify = str(ca_file) if ca_file else True
        self._ends = time.monotonic() + limit

    @override
    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        options |= {"allow_redirects": False, "stream": True}
        with super().request(*arguments, **options) as response:
            if response.is_redirect:
                raise MetricsUnavailable("Refused", "the provider redirects elsewhere")
            answer = _whole(response, self._ends)
        if answer.ok:
            _check(answer, self._kind)
        return answer


class _Whole(requests.Response):
    """A response that was read to its end, whose JSON is decoded once."""

    @override
    def json(self, **options: Any) -> Any:
        return self._decoded

    @cached_property
    def _decoded(self) -> Any:
        return super().json()


def _whole(response: requests.Response, ends: float) -> requests.Response:
    """Read an answer to its end, or refuse it as soon as it is too large or too slow."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise MetricsUnavailable("TooLarge", f"the answer is over {LARGEST_ANSWER} bytes")
        if time.monotonic() > ends:
            raise requests.Timeout
    whole = _Whole()
    whole.status_code = response.status_code
    whole.encoding = "utf-8"
    whole.raw = io.BytesIO(body)
    return whole


def _check(response: requests.Response, wanted: str) -> None:
    """Refuse an answer that is not whole, or of another kind than the one wanted."""
    try:
        answer = response.json()
        kind = answer["data"]["resultType"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MetricsUnavailable("Malformed", "the answer is not a query result") from error
    advised = wanted == "matrix" and answer.get("infos")  # of growth: a name without _total
    if answer.get("warnings") or advised:
        raise MetricsUnavailable("PartialAnswer", "the provider warns that data may be missing")
    if kind != wanted:
        raise MetricsUnavailable("Malformed", f"the answer is no {wanted}")


class _Provider:
    """One Prometheus, its threads and its session."""

    def __init__(self, settings: MetricsProvider) -> None:
        self.settings = settings
        self.limit = settings.timeout.total_seconds()
        self._threads = ThreadPoolExecutor(QUESTIONS_AT_ONCE, "prometheus")

    async def ask(self, text: str, end: datetime, kind: str) -> list[Any]:
        """Ask at one instant for an answer of one kind: `matrix` or `vector`."""
        answer = asyncio.get_running_loop().run_in_executor(
            self._threads, self._query, text, end.timestamp(), kind
        )
        async with asyncio.timeout(self.limit + 1):
            return await answer

    def _query(self, text: str, at: float, kind: str) -> list[Any]:
        with _Session(self.limit, self.settings.ca_file, kind) as session:
            connection = PrometheusConnect(
                url=self.settings.url.rstrip("/"),
                headers=_headers(self.settings.headers_file),
                session=session,
                retry=Retry(total=0, read=False),
            )
            found: list[Any] = connection.custom_query(text, {"time": at}, timeout=self.limit)
            return found


def _headers(file: Path | None) -> dict[str, str] | None:
    if file is None:
        return None
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MetricsUnavailable("Unreachable", f"{file.name} cannot be read") from error
    if not isinstance(content, Mapping):
        raise MetricsUnavailable("Unreachable", f"{file.name} must map header names to values")
    return {str(name): str(value) for name, value in content.items()}


class PrometheusMetrics(Metrics, ServiceMetrics):
    """The metrics ports on the Prometheus servers that an administrator named."""

    def __init__(
        self,
        providers: Mapping[str, MetricsProvider],
        count: Count = lambda _provider, _outcome: None,
    ) -> None:
        self._providers = {name: _Provider(settings) for name, settings in providers.items()}
        self._count = count

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        if query.pods == () or not query.namespaces:
            return []
        asked = self._asked(provider)
        text = promql(query, asked.settings)
        read = partial(series_of, query=query, provider=asked.settings)
        return await self._answers(provider, asked.ask(text, query.end, "matrix"), read)

    @override
    async def increases(
        self, provider: str, query: IncreaseQuery
    ) -> Mapping[tuple[str, str], float]:
        asked = self._asked(provider)
        ask = recorded_increase if await self._is_recorded(provider, query) else increase
        text = ask(query, asked.settings)
        read = partial(increase_of, provider=asked.settings)
        return dict(await self._answers(provider, asked.ask(text, query.end, "vector"), read))

    @override
    async def parts(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        return await self._parts(provider, query, grown_parts)

    @override
    async def beginnings(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        return await self._parts(provider, query, begun_parts)

    async def _parts(
        self,
        provider: str,
        query: PartsQuery,
        written: Callable[[PartsQuery, MetricsProvider], str],
    ) -> Mapping[Part, float]:
        asked = self._asked(provider)
        text = written(query, asked.settings)
        read = partial(part_of, query=query, provider=asked.settings)
        return dict(await self._answers(provider, asked.ask(text, query.end, "vector"), read))

    async def _is_recorded(self, provider: str, query: IncreaseQuery) -> bool:
        """Tell whether the chart's rules have recorded all of a window."""
        if query.window < _LONG or not may_be_recorded(query):
            return False
        asked = self._asked(provider)
        answer = asked.ask(marks_of(query, asked.settings), query.end, "vector")
        marks = await self._answers(provider, answer, read_mark)
        return any(mark is not None and mark.serves(query) for mark in marks)

    def _asked(self, provider: str) -> _Provider:
        asked = self._providers.get(provider)
        if asked is None:
            raise MetricsUnavailable("UnknownProvider", f"no provider {provider} is configured")
        return asked

    async def _answers(
        self, provider: str, answers: Awaitable[list[Any]], read: Callable[[Any], _Read]
    ) -> list[_Read]:
        """Wait for answers and read each, and count what came of the question."""
        try:
            found = [read(one) for one in await answers]
        except (TimeoutError, requests.Timeout) as error:
            self._count(provider, "timeout")
            message = f"{provider} did not answer in {self._asked(provider).limit:g}s"
            raise MetricsUnavailable("Timeout", message) from error
        except _TROUBLE as error:
            self._count(provider, "error")
            raise MetricsUnavailable("Unreachable", _why(provider, error)) from error
        except MetricsUnavailable:
            self._count(provider, "error")
            raise
        self._count(provider, "ok" if found else "empty")
        return found


_TROUBLE = (requests.RequestException, HTTPError, PrometheusApiClientException)


def _why(provider: str, error: Exception) -> str:
    """Say what kind of trouble it is, without a word of a foreign body."""
    if isinstance(error, PrometheusApiClientException):
        status = re.match(r"HTTP Status Code (\d{3})", str(error))
        return f"{provider} answered with status {status[1] if status else 'unknown'}"
    return f"{provider} cannot be reached ({type(error).__name__})"
