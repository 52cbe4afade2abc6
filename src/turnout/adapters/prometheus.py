"""Raw counter samples from Prometheus, trusted only where they can be.

The library asks the question; the session under it is ours, because an answer is input from
outside: redirects are refused, bodies are bounded after decompression, and an answer with warnings
(a partial one, as federated stores give) is Unknown. No answer is ever a zero.
"""

import asyncio
import io
import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import requests
import yaml
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from typing_extensions import override
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from turnout.adapters.ports import Metrics, SampleQuery, Series
from turnout.adapters.quoting import quoted
from turnout.errors import MetricsUnavailable
from turnout.settings import MetricsProvider

Count: TypeAlias = Callable[[str, str], None]
"""Told of each question: provider and outcome (ok, empty, error, timeout)."""

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of an answer after decompression; more is refused while it arrives."""

QUESTIONS_AT_ONCE: Final = 8
_CHUNK: Final = 64 * 1024
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class _Session(requests.Session):
    """A session that gives back small, complete, successful answers in time, or raises."""

    def __init__(self, limit: float, ca_file: Path | None) -> None:
        super().__init__()
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
            _check(answer)
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


def _check(response: requests.Response) -> None:
    """Refuse an answer that is not a whole matrix."""
    try:
        answer = response.json()
        kind = answer["data"]["resultType"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MetricsUnavailable("Malformed", "the answer is not a query result") from error
    if answer.get("warnings") or answer.get("infos"):
        raise MetricsUnavailable("PartialAnswer", "the provider warns that data may be missing")
    if kind != "matrix":
        raise MetricsUnavailable("Malformed", "the answer is not a range of samples")


class _Provider:
    """One Prometheus, its threads and its session."""

    def __init__(self, settings: MetricsProvider) -> None:
        self.settings = settings
        self._threads = ThreadPoolExecutor(QUESTIONS_AT_ONCE, "prometheus")

    async def ask(self, query: SampleQuery) -> list[Any]:
        if query.pods == () or not query.namespaces:
            return []
        text = promql(query, self.settings)
        limit = self.settings.timeout.total_seconds()
        answer = asyncio.get_running_loop().run_in_executor(
            self._threads, self._query, text, query.end.timestamp(), limit
        )
        async with asyncio.timeout(limit + 1):
            return await answer

    def _query(self, text: str, at: float, limit: float) -> list[Any]:
        with _Session(limit, self.settings.ca_file) as session:
            connection = PrometheusConnect(
                url=self.settings.url.rstrip("/"),
                headers=_headers(self.settings.headers_file),
                session=session,
                retry=Retry(total=0, read=False),
            )
            found: list[Any] = connection.custom_query(text, {"time": at}, timeout=limit)
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


class PrometheusMetrics(Metrics):
    """The Metrics port on the Prometheus servers that an administrator named."""

    def __init__(
        self,
        providers: Mapping[str, MetricsProvider],
        count: Count = lambda _provider, _outcome: None,
    ) -> None:
        self._providers = {name: _Provider(settings) for name, settings in providers.items()}
        self._count = count

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        asked = self._providers.get(provider)
        if asked is None:
            raise MetricsUnavailable("UnknownProvider", f"no provider {provider} is configured")
        try:
            found = [_series(one, query, asked.settings) for one in await asked.ask(query)]
        except (TimeoutError, requests.Timeout) as error:
            self._count(provider, "timeout")
            message = f"{provider} did not answer in {asked.settings.timeout.total_seconds():g}s"
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


def promql(query: SampleQuery, provider: MetricsProvider) -> str:
    """Write a query for the raw samples of pods.

    Every value is a quoted literal; names are an alternation quoted for RE2 besides, since one may
    hold a dot.
    """
    whose = query.version_label or provider.pod_label
    for name in (query.metric, whose, *query.match_labels):
        if not _NAME.fullmatch(name):
            raise MetricsUnavailable("Refused", f"{quoted(name)} is no name of a metric or label")
    pods = f'{whose}!=""' if query.pods is None else _one_of(whose, query.pods)
    matchers = [
        _one_of(provider.namespace_label, query.namespaces),
        pods,
        *(f"{name}={_literal(value)}" for name, value in sorted(query.match_labels.items())),
    ]
    if query.upper_bound is not None:
        matchers.append(f"le=~{_literal(_bounds(query.upper_bound))}")
    lookback = max(1, math.ceil(query.lookback.total_seconds()))
    return f"{query.metric}{{{','.join(matchers)}}}[{lookback}s]"


def _one_of(label: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{label}={_literal(names[0])}"
    return f"{label}=~{_literal('|'.join(re.escape(name) for name in names))}"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _bounds(bound: float) -> str:
    """Spell a bucket's bound in every way that clients do: 2, 2.0, 2e+00."""
    if math.isinf(bound):
        return r"\+Inf"
    digits = len(Decimal(repr(bound)).normalize().as_tuple().digits)
    exact = f"{Decimal(repr(bound)):f}"
    spellings = {f"{bound:.{digits - 1}e}", repr(bound), exact, exact.removesuffix(".0")}
    return "|".join(re.escape(one) for one in sorted(spellings))


def _series(found: Any, query: SampleQuery, provider: MetricsProvider) -> Series:
    try:
        labels = {str(name): str(value) for name, value in found["metric"].items()}
        pairs = [(float(at), float(value)) for at, value in found["values"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MetricsUnavailable("Malformed", "a series is not made of samples") from error
    oldest = (query.end - query.lookback).timestamp()
    asked = [(at, value) for at, value in pairs if at > oldest]
    usable = tuple((at, value) for at, value in asked if math.isfinite(value) and value >= 0)
    problem = _disbelief(labels, query, provider)
    if problem is not None and query.pods is not None:
        raise MetricsUnavailable("Malformed", problem)
    return Series(
        namespace=labels.get(provider.namespace_label, ""),
        pod=labels.get(query.version_label or provider.pod_label, ""),
        labels={name: value for name, value in labels.items() if name != "__name__"},
        samples=usable,
        dropped=len(asked) - len(usable),
        problem=problem,
    )


def _disbelief(
    labels: Mapping[str, str], query: SampleQuery, provider: MetricsProvider
) -> str | None:
    """Say why a series is not that of the pod that was scraped; None where it is."""
    whose = query.version_label or provider.pod_label
    forged = {f"exported_{whose}", f"exported_{provider.namespace_label}"}
    pod, namespace = labels.get(whose, ""), labels.get(provider.namespace_label)
    strange = pod not in query.pods if query.pods is not None else not pod
    if strange or namespace not in query.namespaces or forged & labels.keys():
        return f"a series of {query.metric} names another pod than the one that was scraped"
    return None
