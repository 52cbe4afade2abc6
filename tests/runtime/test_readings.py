"""A gate's counters: what one question tells is not asked in two."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from tests.support.manifests import GATE, kind, metric, strategy
from turnout.adapters.ports import Metrics, SampleQuery, Series
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.core.looks import Readings
from turnout.runtime.hub import Hub
from turnout.runtime.readings import Gauge, Question
from turnout.settings import MetricsProvider

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILED = {"outcome": "failure"}
GOOD = {"outcome": "success"}


class Counters(Metrics):
    """One pod's counters; what is asked is noted."""

    def __init__(self, *series: Mapping[str, str]) -> None:
        self.asked: list[SampleQuery] = []
        self._series = series

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        self.asked.append(query)
        at = NOON.timestamp()
        wanted = query.match_labels.items()
        return [
            Series("demo", "one", labels, ((at, float(number)),))
            for number, labels in enumerate(self._series)
            if wanted <= labels.items()
        ]


def rollout() -> AgentRollout:
    to = {"version": "support-1111111111", "digest": "sha256:" + "1" * 64}
    spec: dict[str, Any] = {
        "agent": "support",
        "agentUid": "u",
        "number": 1,
        "trigger": "ContentChanged",
        "to": to,
        "strategy": strategy(),
        "gate": GATE,
    }
    return AgentRollout.model_validate(kind("AgentRollout", "support-r1", spec))


async def read(counters: Counters, template: dict[str, Any]) -> Readings:
    gauge = Gauge(Hub(counters), {"default": MetricsProvider(url="http://prometheus")})
    question = Question(rollout(), ("one",), NOON - timedelta(seconds=10), NOON)
    found = await gauge.read(question, {"tasks": MetricTemplate.model_validate(template)})
    readings = found["task-success"]
    assert isinstance(readings, Readings)
    return readings


async def test_good_ones_among_all_are_told_by_one_question() -> None:
    counters = Counters(GOOD, FAILED)
    readings = await read(counters, metric())
    assert [query.match_labels for query in counters.asked] == [{}]
    assert [one.samples[0][1] for one in readings.good] == [0.0]
    assert [one.samples[0][1] for one in readings.total] == [0.0, 1.0]


async def test_a_label_that_a_series_lacks_is_as_good_as_empty() -> None:
    template = metric()
    template["spec"]["ratio"]["good"]["matchLabels"] = {"error": ""}
    readings = await read(Counters(FAILED, {"error": "timeout"}), template)
    assert [one.samples[0][1] for one in readings.good] == [0.0]


@pytest.mark.parametrize(
    ("good", "total"),
    [
        ({"metric": "agent_good_total"}, {"metric": "agent_tasks_total"}),
        (
            {"metric": "agent_tasks_total", "matchLabels": GOOD},
            {"metric": "agent_tasks_total", "matchLabels": {"route": "/"}},
        ),
    ],
)
async def test_good_ones_that_are_not_among_those_asked_for_are_asked_for_apart(
    good: dict[str, Any], total: dict[str, Any]
) -> None:
    template = metric()
    template["spec"]["ratio"] = {"good": good, "total": total}
    counters = Counters(GOOD | {"route": "/"})
    await read(counters, template)
    assert len(counters.asked) == 2
