"""A metrics provider that answers as a test says, and questions to it."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from hypothesis import strategies as st

from turnout.adapters.metrics import IncreaseQuery
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.settings import MetricsProvider

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POD = "support-9c41e07b2d-x"
PROVIDER = MetricsProvider(url="http://prometheus:9090")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SCALAR_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


LITERAL = r'"(?:[^"\\]|\\.)*"'
"""A quoted text, as PromQL and JSON write it."""


def literals_of(shape: str, question: str) -> list[Any]:
    """Read the quoted texts of a question that has a shape: they hold all that is foreign in it."""
    match = re.fullmatch(shape, question, re.DOTALL)
    assert match is not None, question
    return [json.loads(one) for one in match.groups()]


class Server:
    """An HTTP server that answers as a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.handler: Handler = self.json({})
        self.asked: list[web.Request] = []
        self.outcomes: list[str] = []
        self.url = ""

    @staticmethod
    def json(answer: Any, **options: Any) -> Handler:
        async def handle(_: web.Request) -> web.Response:
            return web.json_response(answer, **options)

        return handle

    @staticmethod
    def body(body: bytes, **options: Any) -> Handler:
        async def handle(_: web.Request) -> web.Response:
            return web.Response(body=body, **options)

        return handle

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.handler(request)

    def metrics(self, **settings: Any) -> PrometheusMetrics:
        provider = MetricsProvider(url=self.url, **{"timeout": timedelta(seconds=1)} | settings)
        return PrometheusMetrics({"default": provider}, self.count)

    def count(self, _provider: str, outcome: str) -> None:
        self.outcomes.append(outcome)


def growth(**changes: Any) -> IncreaseQuery:
    known: dict[str, Any] = {
        "metric": "agent_tasks_total",
        "namespaces": ("shop",),
        "end": NOON,
        "window": timedelta(hours=1),
    }
    return IncreaseQuery(**known | changes)


def vector(*found: Any, **extra: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": list(found)}, **extra}


def grown(value: Any, **labels: str) -> dict[str, Any]:
    known = {"namespace": "shop", "turnout_agent": "support"}
    return {"metric": known | labels, "value": [NOON.timestamp(), value]}
