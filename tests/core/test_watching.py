"""What is read of a stable version under watch, and what is told where something is missing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.manifests import GATE, everything, strategy
from tests.support.simulation import Simulation
from turnout.api.base import VersionRef
from turnout.api.drift import Attribution, DriftState, DriftStatus
from turnout.core.baselines import plan_of
from turnout.core.drift import Around, stance
from turnout.core.gates import Blind
from turnout.core.looks import Counts
from turnout.core.measures import Counter, Measure
from turnout.core.reasons import Reason
from turnout.core.sequential.recent import Rate
from turnout.core.watching import Peers, Plan, Sighting, Subject, Watching, after, begin

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STABLE = VersionRef(version="support-0123456789", digest=f"sha256:{'0' * 64}")
MEASURE = Measure(Counter("good"), Counter("all"))
TASKS = Subject("tasks", {"tasks": MEASURE}, Rate(960.0, 1000.0), 0.02)
PLAN = Plan(STABLE, "default", (TASKS,))
FINE, BAD = Counts(96.0, 100.0), Counts(70.0, 100.0)
NOT_THERE = Blind(Reason.METRIC_NOT_FOUND, "there is no such series")
DOWN = Blind(Reason.METRICS_UNAVAILABLE, "connection refused")


def seen(plan: Plan, *answers: Mapping[str, Counts | Blind]) -> Watching:
    watching = begin(plan)
    for one in answers:
        watching = after(watching, plan, one)
    return watching


def told(plan: Plan, watching: Watching | None, beside: Around | None = None) -> DriftStatus:
    return stance(plan, watching, beside or Around(), None, NOON)


def two_sources(recorded: Rate | None = None) -> Plan:
    sources = {"first": MEASURE, "second": MEASURE}
    return replace(PLAN, subjects=(replace(TASKS, sources=sources, recorded=recorded),))


def test_the_first_source_that_is_there_is_read_from_then_on() -> None:
    plan = two_sources()
    watching = seen(plan, {"first": NOT_THERE, "second": FINE}, {"first": FINE, "second": BAD})
    assert watching.metrics["tasks"].reads == "second"
    assert watching.metrics["tasks"].learned == FINE + BAD


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (NOT_THERE, DOWN, DOWN),
        (DOWN, NOT_THERE, DOWN),
        (NOT_THERE, NOT_THERE, NOT_THERE),
    ],
)
def test_where_no_source_is_there_the_more_telling_cause_is_told(
    first: Blind, second: Blind, why: Blind
) -> None:
    watching = seen(two_sources(), {"first": first, "second": second})
    assert watching.metrics["tasks"].blind == why


COST = Subject("cost", {"cost": MEASURE}, Rate(24.0, 1000.0), 0.15, is_cost=True)


def test_what_a_success_costs_is_told_as_money() -> None:
    plan = replace(PLAN, subjects=(COST,))
    usual = [{"cost": Counts(2.4, 100.0)}] * 120
    status = told(plan, seen(plan, *usual))
    assert (status.state, status.metrics[0].recorded) == (DriftState.STEADY, "$0.024")
    status = told(plan, seen(plan, *usual, *[{"cost": Counts(4.8, 100.0)}] * 60))
    assert "cost $0.048, recorded $0.024; " in status.message


def test_a_cost_is_learning_until_its_scatter_is_known_but_what_was_steady_stays_so() -> None:
    plan = replace(PLAN, subjects=(COST,))
    watching = seen(plan, *[{"cost": Counts(2.4, 100.0)}] * 30)
    assert [one.reason for one in told(plan, watching).metrics] == ["Learning"]
    before = told(plan, seen(plan, *[{"cost": Counts(2.4, 100.0)}] * 120))
    assert stance(plan, watching, Around(), before, NOON) is before


def test_a_metric_that_becomes_one_of_another_kind_is_watched_afresh() -> None:
    watching = seen(PLAN, *[{"tasks": BAD}] * 9)
    other = replace(PLAN, subjects=(replace(COST, name="tasks", sources={"tasks": MEASURE}),))
    assert not after(watching, other, {"tasks": Counts(2.4, 100.0)}).is_suspect


def test_a_question_that_was_not_asked_yet_says_nothing() -> None:
    assert seen(PLAN, {}) == begin(PLAN)


def test_a_minute_without_requests_teaches_nothing() -> None:
    watching = seen(two_sources(), {"first": Counts()})
    assert watching.metrics["tasks"].looks == 0


def test_another_stable_version_is_watched_from_the_beginning() -> None:
    other = replace(PLAN, stable=VersionRef(version="support-1", digest=STABLE.digest))
    watching = after(seen(PLAN, *[{"tasks": BAD}] * 5), other, {"tasks": FINE})
    assert watching.stable == other.stable
    assert not watching.is_suspect


def test_a_metric_that_came_later_is_watched_too() -> None:
    more = replace(PLAN, subjects=(TASKS, replace(TASKS, name="other")))
    watching = after(seen(PLAN, {"tasks": FINE}), more, {"tasks": FINE})
    assert watching.metrics["other"].drift.asked == 100.0


def test_a_margin_that_nobody_declared_suits_what_is_recorded() -> None:
    plan = replace(PLAN, subjects=(replace(TASKS, recorded=Rate(800.0, 1000.0), margin=None),))
    assert not seen(plan, *[{"tasks": Counts(76.0, 100.0)}] * 90).is_suspect
    assert seen(plan, *[{"tasks": Counts(60.0, 100.0)}] * 30).is_suspect


def test_a_template_that_is_not_there_is_told_and_nothing_else_concluded() -> None:
    plan = replace(PLAN, subjects=(Subject("tasks", problem=NOT_THERE),))
    watching = seen(plan, *[{"tasks": BAD}] * 9)
    assert not watching.is_known
    status = told(plan, watching)
    assert (status.state, status.message) == (
        DriftState.UNKNOWN,
        "whether support-0123456789 does as recorded is not known: there is no such series",
    )


def test_of_several_metrics_each_says_what_it_lacks() -> None:
    plan = replace(PLAN, subjects=(TASKS, Subject("latency", {"latency": MEASURE})))
    status = told(plan, seen(plan, {"tasks": Counts(9.0, 9.0), "latency": FINE}))
    assert [(one.name, one.reason) for one in status.metrics] == [
        ("tasks", "TooFewRequests"),
        ("latency", "Learning"),
    ]
    assert "tasks: too few requests in the last hour; latency: how it does is" in status.message


def test_nothing_was_read_before_the_first_look() -> None:
    status = told(two_sources(), None)
    assert [one.reason for one in status.metrics] == ["Pending"]
    assert "nothing was read yet" in status.message


def test_what_is_worse_outweighs_what_is_not_known() -> None:
    plan = replace(PLAN, subjects=(TASKS, Subject("latency", {"latency": MEASURE})))
    minute: dict[str, Counts | Blind] = {"tasks": BAD, "latency": DOWN}
    watching = seen(plan, *[minute] * 20)
    status = told(plan, watching)
    assert status.state is DriftState.DEGRADED
    assert "tasks 70.0%, recorded 96.0%" in status.message


@pytest.mark.parametrize(
    ("beside", "cause"),
    [
        (Around(), Attribution.UNKNOWN),
        (Around(Peers(3, 0)), Attribution.OWN),
        (Around(Peers(3, 1)), Attribution.OWN),
        (Around(Peers(3, 2)), Attribution.PROVIDER),
        (Around(Peers(3, 2), "refund (Gone)"), Attribution.PROVIDER),
        (Around(Peers(3, 0), "refund (Gone)"), Attribution.TOOL),
    ],
)
def test_the_likelier_cause_is_told(beside: Around, cause: Attribution) -> None:
    status = told(PLAN, seen(PLAN, *[{"tasks": BAD}] * 20), beside)
    assert status.attribution is cause


def test_once_others_suffered_too_it_stays_the_provider_and_own_stays_own() -> None:
    watching = seen(PLAN, *[{"tasks": BAD}] * 20)
    for first, later, cause in (
        (Peers(3, 2), Peers(3, 0), Attribution.PROVIDER),
        (Peers(3, 0), Peers(), Attribution.OWN),
        (Peers(), Peers(3, 0), Attribution.OWN),
    ):
        before = told(PLAN, watching, Around(first))
        assert stance(PLAN, watching, Around(later), before, NOON).attribution is cause


def test_nothing_new_is_the_very_same_as_before() -> None:
    fine = seen(PLAN, *[{"tasks": FINE}] * 9)
    before = told(PLAN, fine)
    later = after(fine, PLAN, {"tasks": Counts(97.0, 99.0)})
    assert stance(PLAN, later, Around(), before, NOON.replace(hour=13)) is before


def test_what_was_told_to_be_worse_is_so_until_there_is_evidence_of_the_contrary() -> None:
    plan = replace(PLAN, worse=frozenset({"tasks"}))
    assert begin(plan).is_suspect
    assert not seen(plan, *[{"tasks": FINE}] * 60).is_suspect


def test_who_was_told_to_be_steady_is_so_until_nobody_asked_for_long() -> None:
    plan = replace(PLAN, steady=frozenset({"tasks"}))
    before = told(PLAN, seen(PLAN, *[{"tasks": FINE}] * 9))
    assert stance(plan, begin(plan), Around(), before, NOON) is before
    silent = seen(plan, *[{"tasks": Counts()}] * 60)
    assert stance(plan, silent, Around(), before, NOON).state is DriftState.UNKNOWN


def watched_agent(metrics: list[dict[str, Any]], *objects: dict[str, Any]) -> Simulation:
    gate = GATE | {"metrics": metrics}
    way = strategy(watch={"bake": "1m"})
    sim = Simulation([*objects, *everything(strategy=way, gate=gate)])
    sim.settle()
    sim.run(30)
    return sim


def test_a_plan_names_each_series_of_a_profile_until_a_baseline_tells_which() -> None:
    (first,) = GATE["metrics"]
    profile = {key: one for key, one in first.items() if key != "templateRef"}
    sim = watched_agent([profile | {"profile": "OpenTelemetryGenAI"}])
    plan = plan_of(sim.world())
    assert plan is not None
    (subject,) = plan.subjects
    assert list(subject.sources)[:2] == [
        "OpenTelemetryGenAI Outcome",
        "OpenTelemetryGenAI InvokeAgent",
    ]
    name = sim.stable
    known = {
        "name": "task-success",
        "good": "96",
        "total": "100",
        "recordedAt": "2026-01-01T00:00:00Z",
    }
    reads = {"reads": "OpenTelemetryGenAI InvokeAgent"}
    sim.get("AgentVersion", name)["status"]["baseline"] = [known | reads]
    sim.store(sim.get("AgentVersion", name))
    plan = plan_of(sim.world())
    assert plan is not None
    (subject,) = plan.subjects
    assert list(subject.sources) == ["OpenTelemetryGenAI InvokeAgent"]
    assert subject.recorded == Rate(96.0, 100.0)


def test_a_baseline_of_other_series_is_none() -> None:
    sim = watched_agent(GATE["metrics"])
    sim.run(2400)
    version = sim.get("AgentVersion", sim.stable)
    assert [one["reads"] for one in version["status"]["baseline"]] == ["tasks"]
    version["status"]["baseline"][0]["reads"] = "others"
    sim.store(version)
    sim.vigil.forget()
    plan = plan_of(sim.world())
    assert plan is not None
    assert plan.subjects[0].recorded is None


def test_a_metric_that_decides_nothing_is_not_watched() -> None:
    (first,) = GATE["metrics"]
    record = first | {
        "name": "also",
        "onRegression": "Record",
        "slowerThan": "2s",
        "type": "Latency",
    }
    histogram = {"type": "Histogram", "histogram": {"metric": "agent_seconds"}}
    template = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "MetricTemplate",
        "metadata": {"name": "seconds", "namespace": "demo"},
        "spec": histogram,
    }
    latency = {
        "name": "fast",
        "type": "Latency",
        "slowerThan": "2s",
        "templateRef": {"name": "seconds"},
        "minimum": "90%",
        "onRegression": "Hold",
    }
    sim = watched_agent([first, latency, record | {"templateRef": {"name": "seconds"}}], template)
    plan = plan_of(sim.world())
    assert plan is not None
    assert [(one.name, *one.sources) for one in plan.subjects] == [
        ("task-success", "tasks"),
        ("fast", "seconds slower than 2s"),
    ]


def test_a_template_that_goes_or_changes_its_kind_is_told() -> None:
    sim = watched_agent(GATE["metrics"])
    del sim.objects["MetricTemplate", "tasks"]
    assert (
        _problem(sim) == "task-success: MetricTemplate tasks: it does not exist in this namespace"
    )
    sim.unreadable = {("MetricTemplate", "tasks"): "it is of another schema"}
    sim.store(everything()[1])
    assert str(_problem(sim)).startswith("task-success: MetricTemplate tasks: ")
    sim.unreadable = {}
    cost = {"sum": {"metric": "agent_cost"}, "count": {"metric": "agent_tasks_total"}}
    sim.store({**everything()[1], "spec": {"type": "SumCount", "sumCount": cost}})
    assert "is of type SumCount" in str(_problem(sim))


def _problem(sim: Simulation) -> str | None:
    plan = plan_of(sim.world())
    problem = plan.subjects[0].problem if plan is not None else None
    return problem.message if problem is not None else None


def test_nobody_is_watched_who_has_no_pods_or_no_traffic() -> None:
    sim = watched_agent(GATE["metrics"])
    assert plan_of(sim.world()) is not None
    sim.patch("Agent", "support", {"spec": {"replicas": 0}})
    assert plan_of(sim.world()) is None
    sim.patch("Agent", "support", {"spec": {"replicas": 1, "traffic": {"state": "Stopped"}}})
    assert plan_of(sim.world()) is None


def test_a_sighting_of_nothing_is_unknown() -> None:
    assert not Watching(STABLE, {"tasks": Sighting()}).is_known
