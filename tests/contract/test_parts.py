"""What the ServiceMetrics port promises of parts: tools and models, on a real Prometheus."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server

from devcluster import serve_prometheus
from turnout.adapters.metrics import Part, PartsQuery
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.settings import MetricsProvider

pytestmark = pytest.mark.light

OLD, NEW = "oven-0123456789", "oven-fedcba9876"
CALLS = {
    (f"{OLD}-7d9f8c6b5d-abcde", "bread", ""): 300.0,
    (f"{OLD}-7d9f8c6b5d-abcde", "cake", ""): 200.0,
    (f"{OLD}-7d9f8c6b5d-abcde", "cake", "timeout"): 90.0,
    (f"{OLD}-7d9f8c6b5d-abcde", "crumbs", ""): 1.0,
    (f"{NEW}-5d6b7c8f9d-abcde", "bread", ""): 400.0,
    ("oven-door-0123456789-5d6b7c8f9d-abcde", "cake", ""): 900.0,
}
QUERY = PartsQuery(
    "tool_calls_total",
    ("shop", "bank"),
    ("oven", "nobody"),
    datetime(2026, 1, 1, tzinfo=UTC),
    timedelta(minutes=2),
    by=("tool", "colour"),
    most=2,
)


@dataclass
class Kitchen:
    """Pods' calls of tools, scraped every second."""

    calls: Counter
    metrics: PrometheusMetrics


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    registry = CollectorRegistry()
    where = ("namespace", "pod", "tool", "error_type")
    calls = Counter("tool_calls", "x", where, registry=registry)
    for pod, tool, error in CALLS:
        calls.labels("shop", pod, tool, error).inc(0)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    target = f"127.0.0.1:{server.server_address[1]}"
    with serve_prometheus(tmp_path_factory.mktemp("prometheus"), [target]) as served:
        provider = MetricsProvider(url=served.url, scrape_interval=timedelta(seconds=1))
        yield Kitchen(calls, PrometheusMetrics({"default": provider}))
    server.shutdown()
    server.server_close()
    thread.join()


async def until(
    ask: Callable[[str, PartsQuery], Awaitable[Mapping[Part, float]]],
    query: PartsQuery,
    holds: Callable[[Mapping[Part, float]], bool],
) -> Mapping[Part, float]:
    """Ask until something holds of the answer."""
    deadline = time.monotonic() + 60
    while True:
        found = await ask("default", replace(query, end=datetime.now(UTC)))
        if holds(found):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)


def grown(found: Mapping[Part, float]) -> bool:
    return sum(many >= 100.0 for many in found.values()) >= 3


def part(version: str, tool: str) -> Part:
    return Part("shop", version, (tool, ""))


async def test_growth_comes_by_version_and_label_the_greatest_of_the_agents_asked_for(
    kitchen: Kitchen,
) -> None:
    ask = kitchen.metrics.parts
    await until(kitchen.metrics.beginnings, QUERY, bool)
    for (pod, tool, error), many in CALLS.items():
        kitchen.calls.labels("shop", pod, tool, error).inc(many)
    found = await until(ask, QUERY, grown)
    assert set(found) == {part(OLD, "bread"), part(OLD, "cake"), part(NEW, "bread")}
    every = await until(ask, replace(QUERY, most=9), grown)
    fine = await until(ask, replace(QUERY, most=9, match_labels={"error_type": ""}), grown)
    assert every[part(OLD, "cake")] > 1.2 * fine[part(OLD, "cake")]
    assert set(every) == set(fine) == {*found, part(OLD, "crumbs")}


async def test_parts_are_told_with_their_beginning(kitchen: Kitchen) -> None:
    began = time.time()
    begun = await until(
        kitchen.metrics.beginnings, replace(QUERY, most=9), lambda found: len(found) >= 4
    )
    tools = {part(OLD, tool) for tool in ("bread", "cake", "crumbs")}
    assert set(begun) == {*tools, part(NEW, "bread")}
    assert all(began - 180.0 <= at <= time.time() for at in begun.values())


async def test_parts_of_what_was_never_exposed_are_no_answer_and_no_error(
    kitchen: Kitchen,
) -> None:
    nobody = replace(QUERY, metric="nobody_exposes_this", end=datetime.now(UTC))
    assert await kitchen.metrics.parts("default", nobody) == {}
    assert await kitchen.metrics.beginnings("default", nobody) == {}
