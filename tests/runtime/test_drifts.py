"""Stable versions under watch: one question for all, once a minute, and news only wake."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from tests.runtime.test_budgets import Services as Many
from tests.runtime.test_budgets import Watch
from tests.support.manifests import GATE, agent, metric, strategy
from tests.support.reading import eventually
from turnout.adapters.documents import AGENT, Ref
from turnout.adapters.metrics import IncreaseQuery
from turnout.api.agent import Agent
from turnout.api.metric import MetricTemplate
from turnout.api.version import AgentVersion
from turnout.core import naming
from turnout.core.drift import drift_of
from turnout.core.reasons import Reason
from turnout.core.world import Child, Sources, World
from turnout.errors import MetricsUnavailable
from turnout.runtime import drifts
from turnout.runtime.drifts import Drifts
from turnout.settings import MetricsProvider

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DIGEST = f"sha256:{'0' * 64}"
PROVIDERS = {"default": MetricsProvider(url="http://prometheus")}


class Services(Many):
    """Services that are asked a hundred times a minute, so many of them badly."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = {("demo", "support"): 4.0}
        self.absent: set[str] = set()

    @override
    def grown(self, query: IncreaseQuery) -> Mapping[tuple[str, str], float]:
        kind = "good" if query.match_labels else "bad" if query.matches else "all"
        if kind in self.absent:
            return {}
        whole = query.window / timedelta(minutes=1)
        share = {"all": (100.0, 0.0), "good": (100.0, -1.0), "bad": (0.0, 1.0)}
        every, part = share[kind]
        return {
            whose: whole * (every + part * failed)
            for whose, failed in self.failed.items()
            if whose[0] in query.namespaces
        }


def ref(name: str = "support", namespace: str = "demo") -> Ref:
    return Ref(AGENT, namespace, name)


def world(name: str = "support", namespace: str = "demo", **spec: Any) -> World:
    """See an agent at rest, whose stable version is recorded to fail four of a hundred."""
    version = f"{name}-0000000000"
    document = agent(
        strategy=strategy(watch={}), model={"provider": "openai", "name": "gpt-x"}, **spec
    )
    document["metadata"] = {"name": name, "namespace": namespace}
    service = {
        "kind": "Service",
        "metadata": {
            "name": name,
            "labels": {naming.MANAGED_BY: naming.MANAGER, naming.AGENT_LABEL: name},
            "annotations": {naming.STABLE_VERSION: version, naming.STABLE_DIGEST: DIGEST},
        },
    }
    return World(
        NOON,
        Agent.model_validate(document),
        Sources(templates={"tasks": MetricTemplate.model_validate(metric())}),
        versions={version: recorded(name)},
        children={("Service", name): Child("1", "1", service)},
    )


def recorded(name: str, good: str = "960") -> AgentVersion:
    baseline = {"reads": "tasks", "good": good, "total": "1000", "recordedAt": NOON.isoformat()}
    spec = {
        "agent": name,
        "digest": DIGEST,
        "digestScheme": 1,
        "render": 1,
        "planes": [{"name": "Prompt", "digest": DIGEST}],
        "contentRef": {"name": name, "bytes": 1},
    }
    return AgentVersion.model_validate(
        {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": "AgentVersion",
            "metadata": {"name": f"{name}-0000000000", "namespace": "demo"},
            "spec": spec,
            "status": {"state": "Stable", "baseline": [{"name": "task-success", **baseline}]},
        }
    )


class Scene:
    """Drifts that are looked after by hand."""

    def __init__(self, services: Services | None = None) -> None:
        self.services, self.watch = services or Services(), Watch()
        self.woken: list[frozenset[Ref]] = []
        self.drifts = Drifts(self.services, PROVIDERS, self.watch, wake=self.woken.append)
        self.worlds: dict[Ref, World] = {}

    def attend(self, *worlds: World) -> None:
        for one in worlds:
            self._attend(ref(one.name, one.namespace), one)

    def _attend(self, of: Ref, seen: World) -> None:
        """Look at an agent as the operator does: what is told goes into its status."""
        seen = self.drifts.attend(of, seen)
        status = seen.agent.status.model_copy(update={"drift": drift_of(seen)})
        self.worlds[of] = replace(seen, agent=seen.agent.model_copy(update={"status": status}))

    async def minutes(self, many: int) -> None:
        for _ in range(many):
            self.watch.time += timedelta(minutes=1)
            await self.drifts.look(self.watch.time)
            for one in self.woken[-1]:
                self._attend(one, replace(self.worlds[one], now=self.watch.time))

    def told(self, of: Ref | None = None) -> str:
        told = self.worlds[of or ref()].agent.status.drift
        return f"{told.state} {told.attribution}" if told is not None else "nothing"


async def test_who_has_no_watch_is_not_asked_about() -> None:
    scene = Scene()
    plain = world()
    spec = plain.agent.spec.model_copy(
        update={"strategy": Agent.model_validate(agent()).spec.strategy}
    )
    scene.attend(replace(plain, agent=plain.agent.model_copy(update={"spec": spec})))
    await scene.minutes(3)
    assert scene.services.asked == []
    assert scene.told() == "nothing"


async def test_each_counter_is_asked_once_a_minute_for_all_agents() -> None:
    scene = Scene()
    scene.attend(world(), world("sales"), world("support", "shop"))
    await scene.minutes(1)
    assert len(scene.services.asked) == 2
    for query in scene.services.asked:
        assert query.namespaces == ("demo", "shop")
        assert query.window == timedelta(seconds=75)
        assert query.end == NOON + timedelta(minutes=1)


async def test_a_fall_is_told_and_its_end_and_nobody_is_woken_meanwhile() -> None:
    scene = Scene()
    scene.attend(world())
    await scene.minutes(40)
    assert scene.told() == "Steady None"
    assert sum(len(one) for one in scene.woken) == 1
    scene.services.failed["demo", "support"] = 30.0
    await scene.minutes(10)
    assert scene.told() == "Degraded Unknown"
    assert sum(len(one) for one in scene.woken) == 2
    scene.services.failed["demo", "support"] = 4.0
    await scene.minutes(30)
    assert scene.told() == "Steady None"
    assert sum(len(one) for one in scene.woken) == 3


async def test_what_all_suffer_from_is_the_providers_fault() -> None:
    scene = Scene()
    names = [ref(), ref("sales"), ref("support", "shop")]
    scene.services.failed = {(one.namespace, one.name): 4.0 for one in names}
    scene.attend(*(world(one.name, one.namespace) for one in names))
    await scene.minutes(40)
    scene.services.failed = dict.fromkeys(scene.services.failed, 30.0)
    await scene.minutes(10)
    assert {scene.told(one) for one in names} == {"Degraded Provider"}


async def test_what_one_suffers_from_is_its_own_fault() -> None:
    scene = Scene()
    scene.services.failed["demo", "sales"] = 4.0
    scene.attend(world(), world("sales"))
    await scene.minutes(40)
    scene.services.failed["demo", "support"] = 30.0
    await scene.minutes(10)
    assert scene.told() == "Degraded Own"
    assert scene.told(ref("sales")) == "Steady None"


async def test_without_an_answer_it_is_unknown_and_says_why() -> None:
    scene = Scene()
    scene.services.error = MetricsUnavailable("Timeout", "no answer in 5s")
    scene.attend(world())
    await scene.minutes(5)
    assert scene.told() == "Unknown None"
    told = scene.worlds[ref()].agent.status.drift
    assert told is not None
    assert "no answer in 5s" in told.message
    assert [one.reason for one in told.metrics] == [Reason.METRICS_UNAVAILABLE]


async def test_a_provider_that_nobody_configured_is_said() -> None:
    scene = Scene()
    scene.attend(world(gate={**GATE, "provider": "other"}))
    await scene.minutes(5)
    told = scene.worlds[ref()].agent.status.drift
    assert told is not None
    assert "no metrics provider other is configured" in told.message


@pytest.mark.parametrize(
    ("absent", "named"), [("all", "agent_tasks_total"), ("good", "agent_tasks")]
)
async def test_a_series_that_is_missing_is_no_zero(absent: str, named: str) -> None:
    scene = Scene()
    scene.services.absent = {absent}
    scene.attend(world())
    await scene.minutes(10)
    assert scene.told() == "Unknown None"
    told = scene.worlds[ref()].agent.status.drift
    assert told is not None
    assert f"there is no series of {named}" in told.message


async def test_bad_ones_among_all_need_no_series_while_there_are_none() -> None:
    scene = Scene()
    (first,) = GATE["metrics"]
    envoy = {key: one for key, one in first.items() if key != "templateRef"} | {"profile": "Envoy"}
    scene.services.absent = {"bad"}
    scene.attend(world(gate={**GATE, "metrics": [envoy]}))
    await scene.minutes(31)
    watching = scene.worlds[ref()].watching
    assert watching is not None
    assert watching.metrics["task-success"].recorded is not None
    assert {tuple(one.matches.items()) for one in scene.services.asked} == {
        (),
        (("envoy_response_code_class", "5.*"),),
    }


async def test_what_was_learned_wakes_until_it_is_recorded() -> None:
    scene = Scene()
    unknown = world()
    version = next(iter(unknown.versions))
    status = unknown.versions[version].status.model_copy(update={"baseline": ()})
    known = unknown.versions[version].model_copy(update={"status": status})
    scene.attend(replace(unknown, versions={version: known}))
    await scene.minutes(32)
    assert scene.woken[-1] == scene.woken[-2] == {ref()}
    scene.worlds[ref()] = replace(scene.worlds[ref()], versions=world().versions)
    await scene.minutes(2)
    assert scene.woken[-1] == frozenset()


async def test_another_stable_version_is_watched_afresh_and_who_is_gone_no_more() -> None:
    scene = Scene()
    scene.attend(world())
    await scene.minutes(3)
    seen = scene.worlds[ref()]
    service = seen.children["Service", "support"]
    service.document["metadata"]["annotations"][naming.STABLE_DIGEST] = f"sha256:{'1' * 64}"
    again = scene.drifts.attend(ref(), seen)
    assert again.watching is not None
    assert again.watching.metrics["task-success"].looks == 0
    scene.drifts.forget(ref())
    asked = len(scene.services.asked)
    await scene.minutes(1)
    assert len(scene.services.asked) == asked


async def test_it_looks_by_itself_at_whole_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifts, "LATER", timedelta(seconds=-59.95))
    scene = Scene()
    task = asyncio.create_task(scene.drifts.run())
    scene.attend(world())
    await eventually(lambda: len(scene.services.asked) >= 2)
    task.cancel()
    await asyncio.wait({task})
    assert {one.end.second for one in scene.services.asked} == {0}


async def test_it_rests_while_nobody_is_to_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifts, "LATER", timedelta(seconds=-59.99))
    scene = Scene()
    scene.attend(world())
    scene.drifts.forget(ref())
    task = asyncio.create_task(scene.drifts.run())
    await eventually(lambda: len(scene.woken) == 1)
    assert scene.services.asked == []
    scene.attend(world())
    await eventually(lambda: len(scene.services.asked) >= 2)
    task.cancel()
    await asyncio.wait({task})
