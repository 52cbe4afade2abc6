"""What the Metrics port promises, on a real Prometheus that scrapes a real exporter."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from devcluster import serve_prometheus
from turnout.adapters.metrics import UNNAMED, IncreaseQuery, SampleQuery, Series
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.runtime.hub import Hub
from turnout.settings import MetricsProvider

pytestmark = pytest.mark.light

HOSTILE = ['a"} or vector(1) #', "back\\slash", "new\nline", "`tick`", "{__name__=~'.+'}", "日本 µ"]
SCRAPE = timedelta(seconds=1)


@dataclass
class Exporter:
    """Pods' metrics as one target exposes them, scraped every second."""

    tasks: Counter
    seconds: Histogram
    broken: Gauge
    metrics: PrometheusMetrics


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    registry = CollectorRegistry()
    where = ("namespace", "pod")
    tasks = Counter("agent_tasks", "x", (*where, "outcome"), registry=registry)
    seconds = Histogram("agent_seconds", "x", where, buckets=(0.5, 2, 1e6), registry=registry)
    broken = Gauge("agent_broken", "x", where, registry=registry)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    gateway = Counter("gateway_requests", "x", ("namespace", "backend"), registry=registry)
    gateway.labels("shop", "support-9c41e07b2d").inc(5)
    gateway.labels("shop", "support-0000000000").inc(6)
    gateway.labels("bank", "support-9c41e07b2d").inc(50)
    for pod in ("one", "two", "three.dot", "threeXdot"):
        tasks.labels("shop", pod, "ok").inc(7)
    tasks.labels("bank", "one", "ok").inc(99)
    for value in HOSTILE:
        tasks.labels("shop", "one", value).inc(3)
    for duration in (0.1, 1.0, 1.0, 5e5, 5e6):
        seconds.labels("shop", "one").observe(duration)
    target = f"127.0.0.1:{server.server_address[1]}"
    with serve_prometheus(tmp_path_factory.mktemp("prometheus"), [target]) as served:
        provider = MetricsProvider(url=served.url, scrape_interval=SCRAPE)
        yield Exporter(tasks, seconds, broken, PrometheusMetrics({"default": provider}))
    server.shutdown()
    server.server_close()
    thread.join()


def query(metric: str = "agent_tasks_total", **changes: Any) -> SampleQuery:
    known: dict[str, Any] = {
        "metric": metric,
        "namespaces": ("shop",),
        "pods": ("one",),
        "end": datetime.now(UTC),
        "lookback": timedelta(minutes=5),
    }
    return SampleQuery(**known | changes)


async def samples(exporter: Exporter, **changes: Any) -> Mapping[tuple[str, str], Series]:
    """Ask until two scrapes were answered; series by pod and outcome."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = await exporter.metrics.samples("default", query(**changes))
        if found and all(len(each.samples) >= 2 for each in found):
            return {(each.pod, each.labels.get("outcome", "")): each for each in found}
        await asyncio.sleep(0.2)
    pytest.fail(f"no two samples: {changes}")


async def test_raw_samples_are_read_as_they_were_scraped(exporter: Exporter) -> None:
    found = await samples(exporter, match_labels={"outcome": "ok"})
    assert set(found) == {("one", "ok")}
    stamps = [at for at, _ in found["one", "ok"].samples]
    assert stamps == sorted(stamps)
    assert all(later - earlier < 5 * SCRAPE.total_seconds() for earlier, later in pairwise(stamps))
    assert {value for _, value in found["one", "ok"].samples} == {7.0}


async def test_only_the_pods_that_were_named_are_read(exporter: Exporter) -> None:
    found = await samples(exporter, pods=("one", "three.dot"), match_labels={"outcome": "ok"})
    assert set(found) == {("one", "ok"), ("three.dot", "ok")}
    assert {each.samples[-1][1] for each in found.values()} == {7.0}


async def test_the_namespace_is_part_of_the_question(exporter: Exporter) -> None:
    found = await samples(exporter, namespaces=("bank",))
    assert {each.samples[-1][1] for each in found.values()} == {99.0}


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_hostile_label_value_matches_itself_and_nothing_else(
    exporter: Exporter, value: str
) -> None:
    found = await samples(exporter, match_labels={"outcome": value})
    assert set(found) == {("one", value)}


@pytest.mark.parametrize(("bound", "count"), [(0.5, 1), (2.0, 3), (1e6, 4), (float("inf"), 5)])
async def test_one_bucket_is_read_by_its_bound(
    exporter: Exporter, bound: float, count: int
) -> None:
    found = await samples(exporter, metric="agent_seconds_bucket", upper_bound=bound)
    assert [each.samples[-1][1] for each in found.values()] == [count]


async def test_the_end_of_the_window_is_kept(exporter: Exporter) -> None:
    whole = (await samples(exporter, match_labels={"outcome": "ok"}))["one", "ok"].samples
    middle = whole[len(whole) // 2][0]
    (early,) = await exporter.metrics.samples(
        "default",
        query(end=datetime.fromtimestamp(middle, UTC), match_labels={"outcome": "ok"}),
    )
    assert early.samples[-1][0] == middle


async def test_values_that_are_none_are_dropped(exporter: Exporter) -> None:
    gauge = exporter.broken.labels("shop", "one")
    deadline = time.monotonic() + 20
    dropped = 0
    while dropped < 2 and time.monotonic() < deadline:
        gauge.set(float("nan") if dropped == 0 else -1.0)
        found = await exporter.metrics.samples("default", query("agent_broken"))
        dropped = sum(each.dropped for each in found)
        assert all(value >= 0 for each in found for _, value in each.samples)
        await asyncio.sleep(0.2)
    assert dropped >= 2


async def test_what_was_never_exposed_is_no_series_and_no_error(exporter: Exporter) -> None:
    assert await exporter.metrics.samples("default", query("nobody_exposes_this")) == []


async def test_a_question_about_a_thousand_pods_is_answered(exporter: Exporter) -> None:
    names = tuple(f"support-9c41e07b2d-{number:05}" for number in range(1000))
    found = await samples(exporter, pods=(*names, "one"), match_labels={"outcome": "ok"})
    assert set(found) == {("one", "ok")}


async def test_all_pods_of_all_namespaces_are_read_at_once(exporter: Exporter) -> None:
    await samples(exporter, match_labels={"outcome": "ok"})
    everybody = query(namespaces=("shop", "bank"), pods=None, match_labels={"outcome": "ok"})
    found = await exporter.metrics.samples("default", everybody)
    values = {(one.namespace, one.pod): one.samples[-1][1] for one in found}
    assert values.pop(("bank", "one")) == 99.0
    assert values == {("shop", name): 7.0 for name in ("one", "two", "three.dot", "threeXdot")}


async def grown(exporter: Exporter, least: float, **changes: Any) -> Mapping[Any, float]:
    """Ask for growth until there is as much of it."""
    known: dict[str, Any] = {"namespaces": ("shop", "bank"), "window": timedelta(minutes=1)}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        known |= {"end": datetime.now(UTC), "metric": "agent_tasks_total"} | changes
        found = await exporter.metrics.increases("default", IncreaseQuery(**known))
        if found and max(found.values()) >= least:
            return found
        await asyncio.sleep(0.2)
    pytest.fail(f"nothing grew: {changes}")


VERSIONS = ("0123456789", "fedcba9876")


async def grow(
    exporter: Exporter, pods: Mapping[tuple[str, str], float], outcome: str = "grown"
) -> None:
    """Let counters be seen first, then grow."""
    for namespace, pod in pods:
        exporter.tasks.labels(namespace, pod, outcome).inc(0)
        exporter.seconds.labels(namespace, pod).observe(0.1)
    names = tuple(pod for _, pod in pods)
    seen = {"outcome": outcome}
    await samples(exporter, namespaces=("shop", "bank"), pods=names, match_labels=seen)
    for (namespace, pod), many in pods.items():
        exporter.tasks.labels(namespace, pod, outcome).inc(many)
        exporter.seconds.labels(namespace, pod).observe(0.1)


GROWN = {"outcome": "grown"}


async def test_growth_is_summed_over_all_versions_of_an_agent_and_nobody_elses_pods(
    exporter: Exporter,
) -> None:
    pods = {("shop", f"tea-{version}-7d9f8c6b5d-abcde"): 100.0 for version in VERSIONS}
    pods[("shop", "tea-pot-0123456789-5d6b7c8f9d-abcde")] = 70.0
    pods[("bank", "tea-0123456789-5d6b7c8f9d-abcde")] = 50.0
    pods[("shop", "tea-7d9f8c6b5d-abcde")] = 9000.0
    await grow(exporter, pods)
    found = await grown(exporter, 150, match_labels=GROWN)
    assert set(found) == {("shop", "tea"), ("shop", "tea-pot"), ("bank", "tea")}
    sizes = sorted(found, key=lambda whose: found[whose])
    assert sizes == [("bank", "tea"), ("shop", "tea-pot"), ("shop", "tea")]
    alone = await grown(exporter, 30, match_labels=GROWN, namespaces=("bank",))
    assert set(alone) == {("bank", "tea")}


async def test_growth_of_series_that_name_a_version_is_read_by_that_label(
    exporter: Exporter,
) -> None:
    versions = {("shop", f"gate-{version}"): 100.0 for version in VERSIONS}
    await grow(exporter, versions)
    found = await grown(exporter, 100, match_labels=GROWN, version_label="pod")
    assert set(found) == {("shop", "gate")}


async def test_growth_of_one_bucket_is_read_by_its_bound(exporter: Exporter) -> None:
    await grow(exporter, {("shop", "milk-0123456789-7d9f8c6b5d-abcde"): 1.0}, "poured")
    found = await grown(exporter, 0.5, metric="agent_seconds_bucket", upper_bound=0.5)
    assert ("shop", "milk") in found


async def test_growth_of_what_was_never_exposed_is_no_answer_and_no_error(
    exporter: Exporter,
) -> None:
    nobody = IncreaseQuery("nobody_exposes_this", ("shop",), datetime.now(UTC), SCRAPE * 60)
    assert await exporter.metrics.increases("default", nobody) == {}


async def test_asking_together_is_answered_as_asking_alone(exporter: Exporter) -> None:
    await samples(exporter, match_labels={"outcome": "ok"})
    hub, now = Hub(exporter.metrics), datetime.now(UTC)
    asked = [
        query(end=now - timedelta(seconds=back), namespaces=(namespace,), pods=pods, lookback=reach)
        for back, reach in ((0, timedelta(minutes=1)), (2, timedelta(seconds=30)))
        for namespace, pods in (
            ("shop", ("one", "two")),
            ("shop", ("three.dot",)),
            ("bank", ("one",)),
        )
    ]
    together = await asyncio.gather(*(hub.samples("default", one, SCRAPE) for one in asked))
    for one, found in zip(asked, together, strict=True):
        alone = await exporter.metrics.samples("default", one)
        assert sorted(found, key=repr) == sorted(alone, key=repr)
    assert all(together[:3])


async def test_versions_are_told_by_the_label_that_names_them(exporter: Exporter) -> None:
    asked: dict[str, Any] = {"metric": "gateway_requests_total", "version_label": "backend"}
    found = await samples(exporter, pods=("support-9c41e07b2d",), **asked)
    assert {key: one.samples[-1][1] for key, one in found.items()} == {
        ("support-9c41e07b2d", ""): 5.0
    }
    everybody = await exporter.metrics.samples("default", query(**asked | {"pods": None}))
    assert {one.pod for one in everybody} == {"support-9c41e07b2d", "support-0000000000"}


@pytest.mark.parametrize(
    ("metric", "label", "is_found"),
    [
        ("gateway_requests_total", None, True),
        ("gateway_requests_total", "backend", False),
        ("gateway_requests_total", "revision", True),
        ("agent_tasks_total", None, False),
    ],
)
async def test_series_that_name_nobody_are_found_by_the_label_that_they_lack(
    exporter: Exporter, metric: str, label: str | None, *, is_found: bool
) -> None:
    await samples(exporter, match_labels={"outcome": "ok"})
    asked = query(metric, pods=UNNAMED, version_label=label)
    found = await exporter.metrics.samples("default", asked)
    assert bool(found) is is_found
    assert all(one.pod == "" for one in found)
