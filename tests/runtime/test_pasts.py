"""Before the first look stable's pods are asked for what they did before the rollout, once."""

from collections.abc import Sequence
from datetime import timedelta

from typing_extensions import override

from tests.runtime.test_readings import NOON, OLD, VERSION, rollout
from tests.support.manifests import GATE, agent, metric
from turnout.adapters.metrics import Metrics, SampleQuery, Series
from turnout.api.agent import Agent
from turnout.api.metric import MetricTemplate
from turnout.api.rollout_status import AgentRolloutStatus, WeightStatus
from turnout.core.patch import revised
from turnout.core.sequential.tally import Tally
from turnout.core.world import Pod, Sources, World
from turnout.errors import MetricsUnavailable
from turnout.runtime.hub import Hub
from turnout.runtime.memory import Memory
from turnout.runtime.pasts import looked
from turnout.runtime.readings import Gauge, Question
from turnout.runtime.sightings import Sightings
from turnout.settings import MetricsProvider

EVIDENCE = {
    key: value for key, value in GATE.items() if key not in {"failures", "successes", "minRequests"}
} | {"mode": "Statistical"}
BEGAN = NOON - timedelta(minutes=1)
STABLE = ("old-1", "old-2")


class Hours(Metrics):
    """Pods that were asked 60 times a minute for hours, and failed in every tenth; or nothing."""

    def __init__(self) -> None:
        self.asked: list[SampleQuery] = []
        self.is_down = False

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        self.asked.append(query)
        if self.is_down:
            raise MetricsUnavailable("Unreachable", "connection refused")
        start = (query.end - query.lookback).timestamp()
        times = [start + 15.0 * step for step in range(int(query.lookback.total_seconds() // 15))]
        share = {"success": 0.9, "failure": 0.1}
        return [
            Series("demo", pod, {"outcome": outcome}, tuple((at, at * part) for at in times))
            for pod in query.pods or ()
            for outcome, part in share.items()
        ]


def scene(mode: dict[str, object]) -> tuple[Gauge, Hours, World, Question]:
    counters = Hours()
    asked = rollout(dict(mode))
    weights = WeightStatus(desired=25, observed=25, changed_at=BEGAN, first_at=BEGAN)
    asked = revised(asked, status=revised(AgentRolloutStatus(), weights=weights))
    template = MetricTemplate.model_validate(metric())
    world = World(
        now=NOON,
        agent=Agent.model_validate(agent()),
        sources=Sources(templates={"tasks": template}),
        rollouts=(asked,),
        pods=tuple(Pod(name, OLD, ready=True, created=0.0) for name in STABLE),
    )
    arms = {VERSION: ("new-1",), OLD: STABLE}
    provider = {"default": MetricsProvider(url="http://prometheus")}
    gauge = Gauge(Hub(counters), provider, Sightings(lambda _: None))
    return gauge, counters, world, Question(asked, arms, BEGAN, NOON)


async def test_evidence_begins_with_stable_s_share_of_the_hour_before() -> None:
    gauge, counters, world, question = scene(EVIDENCE)
    memory = Memory()
    seen = await looked(gauge, world, memory, question)
    first = counters.asked[0]
    assert first.pods == STABLE
    assert first.end == BEGAN
    assert first.lookback >= timedelta(hours=1)
    tally = seen.ledger["task-success"].tally
    assert isinstance(tally, Tally)
    assert round(tally.rate.failures, 2) == 0.1
    assert memory.ledger == seen.ledger
    assert "task-success" in seen.readings


async def test_it_is_asked_once_and_again_only_where_nobody_answered() -> None:
    gauge, counters, world, question = scene(EVIDENCE)
    memory = Memory()
    counters.is_down = True
    await looked(gauge, world, memory, question)
    assert not memory.knows_past
    counters.is_down = False
    await looked(gauge, world, memory, question)
    assert memory.knows_past
    asked = len(counters.asked)
    await looked(gauge, world, memory, question)
    assert all(one.end == NOON for one in counters.asked[asked:])


async def test_a_bar_needs_no_past() -> None:
    gauge, counters, world, question = scene(GATE)
    seen = await looked(gauge, world, Memory(), question)
    assert {one.end for one in counters.asked} == {NOON}
    assert not seen.ledger
