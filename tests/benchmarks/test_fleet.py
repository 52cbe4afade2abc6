import math
from itertools import pairwise
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.fleet.agents import NAMESPACES, Fleet, spread
from benchmarks.fleet.counters import Counters, Pod
from benchmarks.fleet.results import Goals, Results
from benchmarks.fleet.usage import Usage
from turnout.api.agent import Agent


def usage(**more: float) -> Usage:
    return Usage(
        seconds=60,
        cpu=more.get("cpu", 0.4),
        resident=90,
        requests={"patch": 100, "list": 12, "watch": 300},
        queries=12,
        windows=more.get("windows", 1200),
        late=1.5,
    )


def results(**more: float) -> Results:
    back = [more.get("slowest", 7.0), *[5.0] * 99]
    return Results(Fleet(200), usage(**more), back, turned=100, hurt=int(more.get("hurt", 0)))


def test_counters_never_fall_and_a_spoilt_pod_only_fails() -> None:
    pod = Pod(rate=10, born=100.0, spoilt=150.0)
    seen = [pod.counts(100 + tenth / 10) for tenth in range(1000)]
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(seen))
    assert pod.counts(150.0) == (495, 5)
    assert pod.counts(160.0) == (495, 105)


def test_the_page_is_what_prometheus_reads() -> None:
    with Counters() as counters:
        counters.begin("fleet-0", "pod-0", 10)
        counters.begin("fleet-0", "pod-0", 99)
        with urlopen(f"http://{counters.address}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    [family] = text_string_to_metric_families(text)
    found = [(one.name, one.labels["pod"], one.labels["outcome"]) for one in family.samples]
    assert found == [("agent_tasks_total", "pod-0", kind) for kind in ("success", "failure")]


def test_half_of_every_namespace_turns_bad_each_at_a_moment_of_its_own() -> None:
    fleet = Fleet(200)
    half = fleet.half()
    for number in range(NAMESPACES):
        assert sum(namespace == f"fleet-{number}" for namespace, _ in half) == 5
    moments = [at for _, at in spread(half, begin=50.0, over=10.0)]
    assert moments[0] == 50.0
    assert moments[-1] == pytest.approx(59.9)
    assert len(set(moments)) == len(half) == 100


@pytest.mark.parametrize("mode", ["Threshold", "Statistical"])
@pytest.mark.parametrize("interval", ["5s", "10s"])
def test_a_fleets_agent_is_one_that_the_operator_reads(interval: str, mode: str) -> None:
    agent = Agent.model_validate(Fleet(1, mode=mode, interval=interval).manifest("agent-7"))
    assert agent.metadata.name == "agent-7"
    assert agent.spec.gate is not None
    assert agent.spec.gate.interval == interval
    assert (agent.spec.gate.failures is None) == (mode == "Statistical")


def test_watches_are_told_apart_from_what_is_asked() -> None:
    told = str(results())
    assert "0.56" in next(line for line in told.splitlines() if "rollout-minute" in line)
    assert results().met


@pytest.mark.parametrize(
    "missed", [{"cpu": 0.6}, {"hurt": 1}, {"windows": 900}, {"slowest": math.inf}]
)
def test_a_figure_beyond_its_goal_is_a_miss(missed: dict[str, float]) -> None:
    found = results(**missed)
    if "slowest" in missed:
        found = Results(found.fleet, found.usage, found.back[1:], found.turned, found.hurt)
    assert not found.met
    assert "MISSED" in str(found)


def test_goals_are_those_of_the_fleets_size() -> None:
    assert Goals.of(Fleet(200)).cpu == 0.5
    assert Goals.of(Fleet(200, interval="5s")).queries == 30
    assert Goals.of(Fleet(1000)).resident == 150
    assert Goals.of(Fleet(1000, idle=5000)).cpu == 2.3
