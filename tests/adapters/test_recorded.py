"""What is asked of recording rules' series, and when their answers count."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.provider import (
    LITERAL,
    PROVIDER,
    SCALAR_TEXT,
    Server,
    grown,
    growth,
    literals_of,
    vector,
)
from turnout.adapters.recorded import Mark, marks_of, may_be_recorded, read_mark, recorded_increase
from turnout.errors import MetricsUnavailable

DAY = timedelta(days=1)
STEP = timedelta(minutes=5)
KEPT = frozenset({"outcome", "le"})


@pytest.mark.parametrize(
    ("mark", "asked"),
    [
        (Mark(KEPT, STEP, 288.0), {}),
        (Mark(KEPT, STEP, 284.0), {"match_labels": {"outcome": "ok"}}),
        (Mark(KEPT, STEP, 288.0), {"match_labels": {"outcome": "ok"}, "upper_bound": 2.0}),
        (Mark(frozenset(), timedelta(seconds=1), 86_400.0), {}),
    ],
)
def test_what_was_recorded_all_the_time_serves(mark: Mark, asked: dict[str, Any]) -> None:
    assert mark.serves(growth(window=DAY, **asked))


@pytest.mark.parametrize(
    ("mark", "asked"),
    [
        (Mark(KEPT, STEP, 280.0), {}),
        (Mark(KEPT, STEP, 288.0), {"match_labels": {"tenant": "a"}}),
        (Mark(frozenset({"outcome"}), STEP, 288.0), {"upper_bound": 2.0}),
        (Mark(KEPT, timedelta(hours=2), 12.0), {}),
    ],
)
def test_a_gap_a_label_that_is_missing_or_long_steps_do_not_serve(
    mark: Mark, asked: dict[str, Any]
) -> None:
    assert not mark.serves(growth(window=DAY, **asked))


def test_an_empty_label_would_match_what_was_not_recorded_at_all() -> None:
    assert may_be_recorded(growth(match_labels={"outcome": "ok"}))
    assert not may_be_recorded(growth(match_labels={"outcome": ""}))


def mark(steps: Any = "288", **labels: str) -> dict[str, Any]:
    known = {"turnout_labels": "le,outcome", "turnout_every": "5m"}
    return {"metric": known | labels, "value": [0, steps]}


def test_a_mark_says_what_was_kept_how_often_and_how_long() -> None:
    assert read_mark(mark()) == Mark(KEPT, STEP, 288.0)
    assert read_mark(mark(turnout_every="30s")) == Mark(KEPT, timedelta(seconds=30), 288.0)


@pytest.mark.parametrize("every", ["", "5h", "0s", "m", "-5m", "soon"])
def test_a_mark_of_other_rules_says_nothing(every: str) -> None:
    assert read_mark(mark(turnout_every=every)) is None


@pytest.mark.parametrize("found", [3, {}, mark("many"), mark() | {"value": [1]}, {"metric": 1}])
def test_a_mark_that_is_none_is_refused(found: Any) -> None:
    with pytest.raises(MetricsUnavailable):
        read_mark(found)


@given(value=SCALAR_TEXT, namespaces=st.lists(SCALAR_TEXT.filter(bool), min_size=2, max_size=3))
def test_no_text_leaves_its_quotes_in_a_question_about_what_was_recorded(
    value: str, namespaces: list[str]
) -> None:
    asked = growth(match_labels={"task": value}, namespaces=tuple(namespaces), upper_bound=2.0)
    shape = (
        r"sum by \(namespace,turnout_agent\) \(sum_over_time\(turnout:agent_tasks_total:increase\{"
        rf'namespace=~({LITERAL}),turnout_agent!="",turnout_by="pod",instance="",job="",'
        rf"task=({LITERAL}),le=~{LITERAL}\}}\[3600s\]\)\)"
    )
    names, task = literals_of(shape, recorded_increase(asked, PROVIDER))
    assert task == value
    assert all(re.fullmatch(names, one) for one in namespaces)


@pytest.mark.parametrize("changes", [{"metric": "a{}"}, {"metric": 'a"'}])
def test_marks_of_what_is_no_name_are_not_asked_for(changes: Mapping[str, Any]) -> None:
    with pytest.raises(MetricsUnavailable):
        marks_of(growth(**changes), PROVIDER)
    with pytest.raises(MetricsUnavailable):
        recorded_increase(growth(**changes), PROVIDER)


def test_marks_are_asked_for_by_the_label_that_names_who_is_counted() -> None:
    text = marks_of(growth(window=DAY, version_label="backend"), PROVIDER)
    assert text == (
        "max by (turnout_labels,turnout_every) (count_over_time(turnout:recorded{"
        'turnout_metric="agent_tasks_total",turnout_by="backend",instance="",job=""}[86400s]))'
    )


@pytest.mark.parametrize(
    ("steps", "window", "asked"),
    [
        ("288", DAY, ["turnout:recorded", "turnout:agent_tasks_total:increase"]),
        ("200", DAY, ["turnout:recorded", "increase(agent_tasks_total"]),
        ("288", timedelta(hours=1), ["increase(agent_tasks_total"]),
    ],
)
async def test_counters_are_asked_where_rules_recorded_too_little_or_the_window_is_short(
    server: Server, steps: str, window: timedelta, asked: list[str]
) -> None:
    questions: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        questions.append(str((await request.post() or request.query)["query"]))
        is_mark = "turnout:recorded" in questions[-1]
        return web.json_response(vector(mark(steps) if is_mark else grown("7")))

    server.handler = answer
    found = await server.metrics().increases("default", growth(window=window))
    assert found == {("shop", "support"): 7.0}
    assert len(questions) == len(asked)
    assert all(part in question for part, question in zip(asked, questions, strict=True))
