"""What is read of a metric, and what may be concluded from what a look found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.manifests import GATE, metric
from turnout.api.gate import GateMetric
from turnout.api.metric import MetricTemplate, MetricTemplateStatus, SeriesMatch
from turnout.api.objectives import Objective
from turnout.core.gates import Blind
from turnout.core.looks import Readings, Says, Series
from turnout.core.measures import (
    Counter,
    Measure,
    Sight,
    measure_of,
    promised_share,
    sight_of,
    trusted,
)
from turnout.core.metrics import report_template
from turnout.core.reasons import Reason
from turnout.core.world import Unread

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOTAL = Counter("tasks_total")
FAILED = Counter("tasks_total", {"outcome": "failure"})
ERRORS = Counter("errors_total")
COST = Counter("cost_usd_total")
BUCKET = Counter("seconds_bucket", {}, 2.5)


def template(**spec: Any) -> MetricTemplate:
    made = metric()
    made["spec"] = spec or made["spec"]
    return MetricTemplate.model_validate(made)


def gate_metric(**changes: Any) -> GateMetric:
    return GateMetric.model_validate(GATE["metrics"][0] | changes)


def cost_metric() -> GateMetric:
    known = {"name": "cost", "type": "CostPerSuccess", "templateRef": {"name": "costs"}}
    return GateMetric.model_validate(known | {"maxIncrease": "15%"})


RATIO = {"good": {"metric": "errors_total"}, "total": {"metric": "tasks_total"}}
HISTOGRAM = {"metric": "seconds", "matchLabels": {"route": "/"}}
SUM_COUNT = {"sum": {"metric": "cost_usd_total"}, "count": {"metric": "tasks_total"}}
LATENCY = {"type": "Latency", "slowerThan": "2500ms"}


def test_a_ratio_counts_good_ones_or_where_lower_is_better_bad_ones() -> None:
    asked = gate_metric()
    higher = measure_of(asked, template(type="Ratio", ratio=RATIO))
    assert higher == Measure(ERRORS, TOTAL, Says.GOOD)
    lower = measure_of(asked, template(type="Ratio", ratio=RATIO, direction="LowerIsBetter"))
    assert lower == Measure(ERRORS, TOTAL, Says.BAD)


@pytest.mark.parametrize(
    ("slower_than", "spec", "fits"),
    [
        (None, {"type": "Ratio", "ratio": RATIO}, "ratio"),
        ("2500ms", {"type": "Histogram", "histogram": HISTOGRAM}, "histogram"),
        ("2500ms", {"type": "Ratio", "ratio": RATIO}, None),
        (None, {"type": "Histogram", "histogram": HISTOGRAM}, None),
        (None, {"type": "SumCount", "sumCount": SUM_COUNT}, None),
    ],
)
def test_an_objective_reads_a_ratio_or_a_histogram_with_a_bound(
    slower_than: str | None, spec: dict[str, Any], fits: str | None
) -> None:
    promise = {"name": "answers", "metric": "tasks", "target": "99%", "slowerThan": slower_than}
    found = promised_share(Objective.model_validate(promise), template(**spec).spec)
    totals = {"ratio": "tasks_total", "histogram": "seconds_count"}
    assert (found.total.metric if found else None) == totals.get(fits or "")


def test_of_a_histogram_one_bucket_and_the_count_are_read() -> None:
    spec = {"type": "Histogram", "histogram": HISTOGRAM, "versionLabel": "backend"}
    found = measure_of(gate_metric(**LATENCY), template(**spec))
    route = {"route": "/"}
    bucket, count = Counter("seconds_bucket", route, 2.5), Counter("seconds_count", route)
    assert found == Measure(bucket, count, Says.GOOD, "backend")


def test_of_a_sum_the_amount_and_what_it_was_spent_for_are_read() -> None:
    spec = {"type": "SumCount", "sumCount": SUM_COUNT}
    assert measure_of(cost_metric(), template(**spec)) == Measure(COST, TOTAL, Says.AMOUNT)


@pytest.mark.parametrize("direction", [{}, {"direction": "LowerIsBetter"}])
def test_a_metric_of_costs_reads_nothing_but_sums(direction: dict[str, str]) -> None:
    problem = measure_of(cost_metric(), template(type="Ratio", ratio=RATIO, **direction))
    assert isinstance(problem, str)
    assert "of type CostPerSuccess reads a SumCount" in problem


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        ({"type": "SumCount", "sumCount": SUM_COUNT}, {"type": "SuccessRate"}),
        ({"type": "Histogram", "histogram": HISTOGRAM}, {"type": "SuccessRate"}),
        ({"type": "Histogram", "histogram": HISTOGRAM}, {"type": "Latency"}),
        ({"type": "Ratio"}, {"type": "Custom"}),
    ],
)
def test_a_template_that_does_not_fit_is_told_with_what_would(
    spec: dict[str, Any], changes: dict[str, Any]
) -> None:
    problem = measure_of(gate_metric(**changes), template(**spec))
    assert isinstance(problem, str)
    assert f"of type {changes['type']} reads a " in problem


def test_who_asks_for_all_is_told_of_those_with_more_labels() -> None:
    assert TOTAL.includes(FAILED)
    assert not FAILED.includes(TOTAL)
    assert not TOTAL.includes(ERRORS)
    assert not Counter("seconds_bucket").includes(BUCKET)


def test_a_label_that_a_series_lacks_is_as_good_as_empty() -> None:
    no_error = Counter("tasks_total", {"error": ""})
    assert no_error.has({"outcome": "failure"})
    assert not no_error.has({"error": "timeout"})


def series(pod: str = "one", samples: int = 2) -> Series:
    return Series(pod, tuple((float(at), 1.0) for at in range(samples)))


@pytest.mark.parametrize(
    ("measure", "good", "total", "unnamed", "reason", "message"),
    [
        (Measure(FAILED, TOTAL), 1, 2, False, "Matched", "series of tasks_total, by pod"),
        (Measure(FAILED, TOTAL, version_label="b"), 1, 2, False, "Matched", "by b"),
        (Measure(FAILED, TOTAL), 0, 2, False, "Matched", "series of"),
        (Measure(FAILED, TOTAL, Says.BAD), 0, 2, False, "Matched", "series of"),
        (Measure(ERRORS, TOTAL, Says.BAD), 2, 2, False, "Matched", "series of"),
        (Measure(ERRORS, TOTAL, Says.BAD), 0, 1, False, "Matched", "series of"),
        (Measure(ERRORS, TOTAL, Says.BAD), 0, 2, False, "NoSeries", "no series of errors_total"),
        (Measure(COST, TOTAL, Says.AMOUNT), 0, 2, False, "NoSeries", "not the same as a zero"),
        (Measure(COST, TOTAL, Says.AMOUNT), 2, 2, False, "Matched", "series of"),
        (Measure(BUCKET, TOTAL), 0, 2, False, "NoSeries", "no bucket that ends at 2.5s"),
        (Measure(FAILED, TOTAL), 0, 0, False, "NoSeries", "see that they are scraped"),
        (Measure(FAILED, TOTAL), 0, 0, True, "VersionLabelMissing", "set versionLabel to"),
        (Measure(FAILED, TOTAL, version_label="b"), 0, 0, True, "VersionLabelMissing", "label b"),
    ],
)
def test_what_a_look_found_is_told_with_the_mend(
    measure: Measure, good: int, total: int, *, unnamed: bool, reason: str, message: str
) -> None:
    readings = Readings(
        (series(samples=good),) if good else (), (series(samples=total),) if total else ()
    )
    found = sight_of(measure, readings, unnamed=unnamed)
    assert found.reason == reason
    assert message in found.message


def test_only_what_was_found_is_trusted_and_what_is_not_there_yet_waited_for() -> None:
    nothing, some = Readings((), ()), Readings((), (series(),))
    assert trusted("tasks", some, Sight(Reason.MATCHED, "")) is some
    assert trusted("tasks", nothing, Sight(Reason.NO_SERIES, "")) is nothing
    missing = Sight(Reason.VERSION_LABEL_MISSING, "no label")
    assert trusted("tasks", nothing, missing) == Blind(missing.reason, "tasks: no label")
    doubted = trusted("tasks", some, Sight(Reason.NO_SERIES, "no bucket"))
    assert doubted == Blind(Reason.METRIC_NOT_FOUND, "tasks: no bucket")


FOUND = Sight(Reason.MATCHED, "series of tasks_total, by pod", 3, series=4)
GONE = Sight(Reason.NO_SERIES, "there is no series", 3)


def told(
    sights: dict[str, Sight], before: MetricTemplateStatus | None = None, generation: int = 3
) -> MetricTemplateStatus:
    made = metric()
    made["metadata"]["generation"] = generation
    made["status"] = (before or MetricTemplateStatus()).to_wire()
    later = NOW if before is None else NOW + timedelta(hours=1)
    users = {name: Unread("") for name in ("support", *sights)}
    return report_template(MetricTemplate.model_validate(made), users, sights, later)


def series_found(status: MetricTemplateStatus) -> tuple[str, str, str]:
    (found,) = (one for one in status.conditions if one.type == "SeriesFound")
    return found.status.value, found.reason, found.message


@pytest.mark.parametrize(
    ("sights", "said"),
    [
        ({}, ("Unknown", "Pending", "no gate has looked for it yet")),
        ({"a": FOUND, "b": FOUND}, ("True", "Matched", "series of tasks_total, by pod")),
        ({"b": GONE, "a": FOUND}, ("False", "NoSeries", "b: there is no series")),
        ({"a": Sight(Reason.MATCHED, "", 2)}, ("Unknown", "Pending", "no gate has looked")),
    ],
)
def test_a_template_says_what_gates_saw_of_its_series(
    sights: dict[str, Sight], said: tuple[str, str, str]
) -> None:
    status, reason, message = series_found(told(sights))
    assert (status, reason) == said[:2]
    assert message.startswith(said[2])


def test_what_was_learned_stays_until_the_template_changes_and_is_written_once() -> None:
    before = told({"support": FOUND})
    assert told({}, before) == before
    assert told({"support": FOUND}, before) == before
    assert series_found(told({}, before, generation=4))[:2] == ("Unknown", "Pending")


def test_a_template_tells_who_names_it_and_how_many_series_there_were() -> None:
    status = told({"support": FOUND, "billing": replace(FOUND, series=9), "gone": GONE})
    assert [one.agent for one in status.used_by] == ["support", "billing", "gone"]
    assert status.last_match == SeriesMatch(series=9, at=NOW)
    assert told({"support": GONE}).last_match is None


def test_the_time_of_a_match_stays_as_long_as_the_number_and_the_spec_do() -> None:
    before = told({"support": FOUND})
    assert told({"support": GONE}, before).last_match == before.last_match
    more = told({"support": replace(FOUND, series=5)}, before).last_match
    assert more == SeriesMatch(series=5, at=NOW + timedelta(hours=1))
    assert told({}, before, generation=4).last_match is None
