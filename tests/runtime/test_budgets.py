"""What is known of whole services: asked once for all, told to each, and news only wake."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from typing_extensions import override

from tests.support.manifests import agent, metric
from tests.support.reading import eventually
from turnout.adapters.documents import AGENT, Ref
from turnout.adapters.metrics import IncreaseQuery, Part, PartsQuery, ServiceMetrics
from turnout.adapters.ports import Clock
from turnout.api.agent import Agent
from turnout.api.metric import MetricTemplate
from turnout.core.budget import Spending
from turnout.core.gates import Blind
from turnout.core.looks import Counts
from turnout.core.reasons import Reason
from turnout.core.world import Sources, World
from turnout.errors import MetricsUnavailable
from turnout.runtime import budgets
from turnout.runtime.budget_series import BudgetSeries
from turnout.runtime.budgets import Budgets

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANSWERS = {"name": "answers", "metric": "tasks", "target": "99%", "window": "1h"}
PACES = [{"rate": "10", "over": ["5m", "1m"]}]


class Watch(Clock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = NOON

    @override
    def now(self) -> datetime:
        return self.time


class Services(ServiceMetrics):
    """Services of which a thousand requests were asked, so many of them badly."""

    def __init__(self) -> None:
        self.asked: list[IncreaseQuery] = []
        self.asked_of_parts: list[PartsQuery] = []
        self.failed = {("demo", "support"): 0.0, ("demo", "sales"): 0.0, ("shop", "support"): 0.0}
        self.error: MetricsUnavailable | None = None

    @override
    async def increases(
        self, provider: str, query: IncreaseQuery
    ) -> Mapping[tuple[str, str], float]:
        self.asked.append(query)
        if self.error is not None:
            raise self.error
        return self.grown(query)

    @override
    async def parts(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        self.asked_of_parts.append(query)
        if self.error is not None:
            raise self.error
        return self.calls(query)

    def calls(self, query: PartsQuery) -> Mapping[Part, float]:
        """Answer a question about parts where there is no error."""
        return {}

    @override
    async def beginnings(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        return await self.parts(provider, query)

    def grown(self, query: IncreaseQuery) -> Mapping[tuple[str, str], float]:
        """Answer a question where there is no error."""
        good = bool(query.match_labels) or query.upper_bound is not None
        return {
            whose: 1000.0 - (failed if good else 0.0)
            for whose, failed in self.failed.items()
            if whose[0] in query.namespaces
        }


def world(
    name: str = "support", namespace: str = "demo", templates: Any = None, **objective: Any
) -> World:
    named = {"name": objective.pop("called")} if "called" in objective else {}
    spec = agent(objectives=[ANSWERS | objective | named])["spec"]
    spec["gate"] = {**spec["gate"], "errorBudget": {"pauseOnBurn": PACES}}
    document = {**agent(), "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    known = {"tasks": MetricTemplate.model_validate(metric())} if templates is None else templates
    return World(NOON, Agent.model_validate(document), Sources(templates=known))


def ref(name: str = "support", namespace: str = "demo") -> Ref:
    return Ref(AGENT, namespace, name)


class Scene:
    """Budgets that run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budgets, "GATHERING", 0.01)
        self.services, self.watch, self.woken = Services(), Watch(), [frozenset[Ref]()]
        self.registry = CollectorRegistry()
        series = BudgetSeries(self.registry)
        self.budgets = Budgets(self.services, self.watch, series, wake=self.woken.append)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.budgets.run())
        yield
        task.cancel()
        await asyncio.wait({task})

    def told(self) -> dict[tuple[str, ...], float]:
        """Give what the metrics tell of support in demo, by objective and window."""
        return {
            (sample.labels["objective"], sample.labels.get("window", "remaining")): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if (sample.labels["namespace"], sample.labels["agent"]) == ("demo", "support")
        }

    def spending(self, of: Ref | None = None) -> Spending:
        return self.budgets.spendings(of or ref())["answers"]

    async def later(self, minutes: float) -> None:
        """Let time pass, and somebody new look, upon which all that is due is asked."""
        self.watch.time += timedelta(minutes=minutes)
        asked = len(self.services.asked)
        self.budgets.attend(ref("passer-by", "street"), world("passer-by", "street"))
        await eventually(lambda: len(self.services.asked) > asked)
        self.budgets.forget(ref("passer-by", "street"))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


async def test_nothing_is_known_before_it_was_asked_and_everything_soon_after(scene: Scene) -> None:
    scene.services.failed["demo", "support"] = 20.0
    assert scene.budgets.attend(ref(), world()) == {"answers": {}}
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
    assert scene.spending() == dict.fromkeys(("1h", "5m", "1m"), Counts(980.0, 1000.0))
    assert scene.woken[-1] == {ref()}


async def test_metrics_tell_the_exact_numbers_as_long_as_they_are_known(scene: Scene) -> None:
    scene.services.failed["demo", "support"] = 3.0
    scene.budgets.attend(ref(), world())
    assert scene.told() == {}
    async with scene.running():
        await eventually(lambda: len(scene.told()) == 4)
        told = scene.told()
        assert told == {
            ("answers", "remaining"): pytest.approx(0.7),
            ("answers", "1h"): pytest.approx(0.3),
            ("answers", "5m"): pytest.approx(0.3),
            ("answers", "1m"): pytest.approx(0.3),
        }
        scene.services.error = MetricsUnavailable("Unreachable", "nobody answers")
        await scene.later(minutes=5)
        await eventually(lambda: scene.told() == {})


async def test_metrics_end_with_the_agent_and_with_its_objectives(scene: Scene) -> None:
    scene.budgets.attend(ref(), world())
    async with scene.running():
        await eventually(lambda: len(scene.told()) == 4)
        scene.budgets.attend(ref(), world(called="speed"))
        await scene.later(minutes=1)
        await eventually(lambda: {one for one, _ in scene.told()} == {"speed"})
        scene.budgets.forget(ref())
        assert scene.told() == {}


async def test_many_agents_with_the_same_objective_are_asked_about_once(scene: Scene) -> None:
    everybody = [("support", "demo"), ("sales", "demo"), ("support", "shop")]
    for one in everybody:
        scene.budgets.attend(ref(*one), world(*one))
    async with scene.running():
        await eventually(lambda: all(len(scene.spending(ref(*one))) == 3 for one in everybody))
    assert len(scene.services.asked) == 6
    assert {one.namespaces for one in scene.services.asked} == {("demo", "shop")}


async def test_who_joins_late_is_asked_about_at_once(scene: Scene) -> None:
    scene.budgets.attend(ref(), world())
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
        scene.budgets.attend(ref("support", "shop"), world("support", "shop"))
        await eventually(lambda: len(scene.spending(ref("support", "shop"))) == 3)
    assert len(scene.services.asked) == 12


async def test_a_window_is_asked_for_no_more_often_than_it_moves(scene: Scene) -> None:
    scene.budgets.attend(ref(), world(window="6h"))
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
        scene.services.asked.clear()
        scene.watch.time += timedelta(minutes=1)
        scene.budgets.attend(ref(), world(window="7h"))
        await eventually(lambda: len(scene.spending()) == 3 and len(scene.services.asked) >= 6)
    windows = {one.window for one in scene.services.asked}
    assert windows == {timedelta(minutes=5), timedelta(minutes=1), timedelta(hours=7)}


async def test_only_news_wake_an_agent(scene: Scene) -> None:
    scene.budgets.attend(ref(), world())
    async with scene.running():
        await eventually(lambda: scene.woken[-1] == {ref()})
        scene.woken.clear()
        seen = world()
        first = scene.budgets.attend(ref(), seen)
        assert len(first["answers"]) == 3
        await scene.later(1)
        await eventually(lambda: len(scene.woken) == 1)
        scene.services.failed["demo", "support"] = 500.0
        await scene.later(1)
        await eventually(lambda: len(scene.woken) == 2)
    assert scene.woken[-1] == {ref()}


async def test_a_provider_that_is_away_is_told_of_and_asked_again_in_a_minute(scene: Scene) -> None:
    scene.services.error = MetricsUnavailable("Timeout", "default did not answer in 10s")
    scene.budgets.attend(ref(), world())
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
        away = scene.spending()["1h"]
        assert isinstance(away, Blind)
        assert (away.reason, "did not answer" in away.message) == (Reason.METRICS_UNAVAILABLE, True)
        scene.services.error = None
        await scene.later(1)
        await eventually(lambda: isinstance(scene.spending()["1h"], Counts))


async def test_an_agent_without_such_series_is_told_so(scene: Scene) -> None:
    scene.services.failed.pop(("demo", "support"))
    scene.budgets.attend(ref(), world())
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
    found = scene.spending()["5m"]
    assert isinstance(found, Blind)
    assert found.reason is Reason.METRIC_NOT_FOUND


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"metric": "nobody"}, "MetricTemplate nobody: it does not exist in this namespace"),
        ({"slowerThan": "2s"}, "MetricTemplate tasks does not fit"),
    ],
)
async def test_what_cannot_be_asked_says_why(
    scene: Scene, changes: Mapping[str, Any], why: str
) -> None:
    found = scene.budgets.attend(ref(), world(**changes))["answers"]["1h"]
    assert isinstance(found, Blind)
    assert why in found.message


async def test_of_a_histogram_one_bucket_is_good_and_the_count_is_all(scene: Scene) -> None:
    spec = {"type": "Histogram", "histogram": {"metric": "agent_seconds"}}
    template = MetricTemplate.model_validate({**metric(), "spec": spec})
    scene.budgets.attend(ref(), world(templates={"tasks": template}, slowerThan="2s"))
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
    assert {(one.metric, one.upper_bound) for one in scene.services.asked} == {
        ("agent_seconds_bucket", 2.0),
        ("agent_seconds_count", None),
    }


async def test_a_counter_of_bad_ones_is_taken_off_all(scene: Scene) -> None:
    spec = {**metric()["spec"], "direction": "LowerIsBetter", "versionLabel": "version"}
    template = MetricTemplate.model_validate({**metric(), "spec": spec})
    scene.services.failed["demo", "support"] = 990.0
    scene.budgets.attend(ref(), world(templates={"tasks": template}))
    async with scene.running():
        await eventually(lambda: len(scene.spending()) == 3)
    assert scene.spending()["1h"] == Counts(990.0, 1000.0)
    assert {one.version_label for one in scene.services.asked} == {"version"}


async def test_an_agent_without_objectives_is_not_asked_about(scene: Scene) -> None:
    plain = World(NOON, Agent.model_validate(agent()), Sources())
    scene.budgets.attend(ref(), world())
    assert scene.budgets.attend(ref(), plain) == {}
    assert scene.budgets.spendings(ref()) == {}
    async with scene.running():
        await asyncio.sleep(0)
    assert scene.services.asked == []
