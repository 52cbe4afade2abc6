"""A gate's counters: what one question tells is not asked in two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from tests.support.manifests import GATE, kind, metric, strategy
from turnout.adapters.documents import METRIC_TEMPLATE, Ref
from turnout.adapters.metrics import UNNAMED, Metrics, SampleQuery, Series
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.core.gates import Blind
from turnout.core.looks import Readings, Says
from turnout.core.reasons import Reason
from turnout.runtime.hub import Hub
from turnout.runtime.readings import Gauge, Question
from turnout.runtime.sightings import Sightings
from turnout.runtime.store import Refs
from turnout.settings import MetricsProvider

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILED = {"outcome": "failure"}
GOOD = {"outcome": "success"}
VERSION, OLD = "support-1111111111", "support-0000000000"
TEMPLATE = Ref(METRIC_TEMPLATE, "demo", "tasks")
TOTAL = {"metric": "agent_tasks_total"}


BAD: dict[str, Any] = {"good": {"metric": "agent_errors_total"}, "total": TOTAL}


class Counters(Metrics):
    """One pod's counters, and those that name nobody; what is asked is noted."""

    def __init__(self, *series: Mapping[str, str], unnamed: bool = False) -> None:
        self.asked: list[SampleQuery] = []
        self._series = series
        self._unnamed = unnamed
        self.pod = "one"

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        self.asked.append(query)
        at = NOON.timestamp()
        wanted = query.match_labels.items()
        if query.is_unnamed:
            return [Series("demo", "", {}, ((at, 1.0),))] if self._unnamed else []
        name = VERSION if query.version_label else self.pod
        return [
            Series("demo", name, labels, ((at - 2, 0.0), (at, float(number))))
            for number, labels in enumerate(self._series)
            if wanted <= labels.items()
            if labels.get("__name__", query.metric) == query.metric
        ]


def rollout(gate: dict[str, Any]) -> AgentRollout:
    to = {"version": VERSION, "digest": "sha256:" + "1" * 64}
    spec: dict[str, Any] = {
        "agent": "support",
        "agentUid": "u",
        "number": 1,
        "trigger": "ContentChanged",
        "to": to,
        "strategy": strategy(),
        "gate": gate,
    }
    return AgentRollout.model_validate(kind("AgentRollout", "support-r1", spec))


@dataclass
class Look:
    """A gate's look with a template, and what is learned of that."""

    counters: Counters
    gate: dict[str, Any] = field(default_factory=lambda: GATE)
    woken: list[Refs] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)
    scrape: float = 15.0

    def __post_init__(self) -> None:
        self.sightings = Sightings(self.woken.append)
        every = timedelta(seconds=self.scrape)
        providers = {"default": MetricsProvider(url="http://prometheus", scrape_interval=every)}
        self._gauge = Gauge(Hub(self.counters), providers, self.sightings)

    async def at(self, template: dict[str, Any] | None = None) -> Readings | Blind:
        began = NOON - timedelta(seconds=10)
        asked = rollout(self.gate)
        arms = {VERSION: ("one",), OLD: ("old",)}
        question = Question(asked, arms, began, NOON, self.chosen)
        known = {"tasks": MetricTemplate.model_validate(template or metric())}
        return (await self._gauge.read(question, known))["task-success"]

    def lag(self, asked: AgentRollout) -> float:
        return self._gauge.lag(asked)

    def learned(self) -> str:
        (sight,) = self.sightings.of(TEMPLATE, {"support"}).values()
        return sight.reason.value


async def read(counters: Counters, template: dict[str, Any]) -> Readings:
    readings = await Look(counters).at(template)
    assert isinstance(readings, Readings)
    return readings


def template(**changes: Any) -> dict[str, Any]:
    made = metric()
    made["spec"] |= changes
    return made


async def test_good_ones_among_all_are_told_by_one_question() -> None:
    counters = Counters(GOOD, FAILED)
    readings = await read(counters, metric())
    assert [query.match_labels for query in counters.asked] == [{}]
    assert [one.samples[-1][1] for one in readings.good] == [0.0]
    assert [one.samples[-1][1] for one in readings.total] == [0.0, 1.0]


async def test_a_label_that_a_series_lacks_is_as_good_as_empty() -> None:
    no_error = template(ratio={"good": TOTAL | {"matchLabels": {"error": ""}}, "total": TOTAL})
    readings = await read(Counters(FAILED, {"error": "timeout"}), no_error)
    assert [one.samples[-1][1] for one in readings.good] == [0.0]


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
    counters = Counters(GOOD | {"route": "/"})
    await read(counters, template(ratio={"good": good, "total": total}))
    assert len(counters.asked) == 2


async def test_versions_are_asked_for_by_the_label_that_names_them() -> None:
    counters = Counters(GOOD, FAILED)
    readings = await read(counters, template(versionLabel="backend"))
    (asked,) = counters.asked
    assert (asked.version_label, asked.pods, asked.namespaces) == ("backend", None, ("demo",))
    assert {one.pod for one in readings.total} == {VERSION}


async def test_a_counter_of_bad_ones_says_so() -> None:
    readings = await read(Counters(GOOD, FAILED), template(direction="LowerIsBetter"))
    assert readings.says is Says.BAD


async def test_series_that_name_nobody_are_refused_with_the_mend() -> None:
    look = Look(Counters(unnamed=True))
    blind = await look.at(template())
    assert isinstance(blind, Blind)
    assert blind.reason is Reason.VERSION_LABEL_MISSING
    assert "set versionLabel to the label" in blind.message
    assert look.learned() == "VersionLabelMissing"
    assert [one.pods for one in look.counters.asked] == [None, UNNAMED]


async def test_what_has_no_series_is_waited_for_and_said_on_the_template() -> None:
    look = Look(Counters())
    assert await look.at(template()) == Readings((), ())
    assert look.learned() == "NoSeries"


async def test_a_counter_of_errors_that_is_not_there_is_no_zero() -> None:
    look = Look(Counters({"__name__": "agent_tasks_total"}))
    blind = await look.at(template(direction="LowerIsBetter", ratio=BAD))
    assert isinstance(blind, Blind)
    assert blind.reason is Reason.METRIC_NOT_FOUND
    assert "not the same as a zero: have it exported from 0 on" in blind.message


async def test_a_template_is_told_of_what_is_new_and_of_nothing_else() -> None:
    look = Look(Counters(GOOD))
    for _ in range(3):
        await look.at(template())
    assert look.woken == [frozenset((TEMPLATE,))]
    assert look.learned() == "Matched"
    await look.at(template(direction="LowerIsBetter"))
    assert len(look.woken) == 1
    assert look.sightings.of(TEMPLATE, set()) == {}
    look.sightings.forget(TEMPLATE)
    assert look.sightings.of(TEMPLATE, {"support"}) == {}


async def test_a_template_that_does_not_fit_is_refused() -> None:
    histogram = {"type": "Histogram", "histogram": {"metric": "agent_seconds"}}
    made = metric()
    made["spec"] = histogram
    blind = await Look(Counters(GOOD)).at(made)
    assert isinstance(blind, Blind)
    assert "a metric of type SuccessRate reads a Ratio" in blind.message


def by_profile(profile: str, **more: Any) -> dict[str, Any]:
    asked = {**GATE["metrics"][0], "profile": profile} | more
    del asked["templateRef"]
    return GATE | {"metrics": [asked]}


GEN_AI = by_profile("OpenTelemetryGenAI")
RUNS = {"__name__": "gen_ai_invoke_agent_duration_seconds_count"}
CALLS = {"__name__": "gen_ai_client_operation_duration_seconds_count"}


async def test_of_a_profile_the_first_series_that_there_are_are_read() -> None:
    look = Look(Counters(RUNS, RUNS | {"error_type": "timeout"}, CALLS), GEN_AI)
    readings = await look.at()
    assert isinstance(readings, Readings)
    assert (readings.option, readings.says) == ("InvokeAgent", Says.GOOD)
    assert (len(readings.good), len(readings.total)) == (1, 2)
    assert not look.woken, "a profile has no status"


async def test_what_was_counted_of_a_profile_is_read_on_and_nothing_else_asked_for() -> None:
    look = Look(Counters(RUNS, CALLS), GEN_AI, chosen={"task-success": "Operation"})
    readings = await look.at()
    assert isinstance(readings, Readings)
    assert readings.option == "Operation"
    assert [one.metric for one in look.counters.asked] == [CALLS["__name__"]]


async def test_what_no_operator_knows_any_more_is_not_replaced_by_something_else() -> None:
    blind = await Look(Counters(RUNS), GEN_AI, chosen={"task-success": "Older"}).at()
    assert isinstance(blind, Blind)
    assert "began to read Older of profile OpenTelemetryGenAI" in blind.message


async def test_a_profile_without_series_is_waited_for() -> None:
    assert await Look(Counters(), GEN_AI).at() == Readings((), ())


async def test_series_of_a_gateway_that_name_no_version_are_refused_with_the_mend() -> None:
    blind = await Look(Counters(unnamed=True), by_profile("Agentgateway")).at()
    assert isinstance(blind, Blind)
    assert blind.reason is Reason.VERSION_LABEL_MISSING
    assert "have no label turnout_dev_version" in blind.message


async def test_answers_of_a_gateway_are_bad_where_their_status_begins_with_a_five() -> None:
    name = {"__name__": "agentgateway_requests_total"}
    answers = [name | {"status": status} for status in ("200", "404", "500", "503")]
    readings = await Look(Counters(*answers), by_profile("Agentgateway")).at()
    assert isinstance(readings, Readings)
    assert (readings.option, readings.says) == ("ByVersion", Says.BAD)
    assert (len(readings.good), len(readings.total)) == (2, 4)


@pytest.mark.parametrize(
    ("interval", "scrape", "lag"),
    [("10s", 2.0, 0.2), ("10s", 1.25, 0.625), ("10s", 0.05, 0.05), ("10s", 15.0, 15.0)],
    ids=["samples come at its beginning", "in its middle at times", "at most", "at any time in it"],
)
async def test_samples_are_there_shortly_after_they_were_scraped(
    *, interval: str, scrape: float, lag: float
) -> None:
    look = Look(Counters(GOOD), scrape=scrape)
    asked = rollout(GATE | {"interval": interval})
    assert look.lag(asked) == scrape, "nothing was read yet"
    await look.at()
    assert look.lag(asked) == pytest.approx(lag)
