"""Questions about the parts of a counter, and what is made of the answers."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.provider import (
    LITERAL,
    NOON,
    PROVIDER,
    SCALAR_TEXT,
    Server,
    literals_of,
    vector,
)
from turnout.adapters.metrics import Part, PartsQuery
from turnout.adapters.promql import begun_parts, grown_parts
from turnout.errors import MetricsUnavailable

VERSION = "support-9c41e07b2d"


def asked(**changes: Any) -> PartsQuery:
    known: dict[str, Any] = {
        "metric": "calls_total",
        "namespaces": ("shop",),
        "agents": ("support", "sales"),
        "end": NOON,
        "window": timedelta(minutes=15),
        "by": ("tool", "model"),
        "most": 17,
    }
    return PartsQuery(**known | changes)


def row(value: Any = "7.5", **labels: str) -> dict[str, Any]:
    known = {"namespace": "shop", "turnout_version": VERSION, "tool": "refund"}
    return {"metric": known | labels, "value": [NOON.timestamp(), value]}


def test_growth_of_parts_is_one_question_for_all_agents() -> None:
    selected = (
        r'calls_total{namespace="shop",pod=~"(support|sales)-[0-9a-f]{10}-.+",'
        'exported_pod="",exported_namespace="",error_type=""}'
    )
    of = r'"turnout_version","$1","pod","(.+?-[0-9a-f]{10})-.+"'
    assert grown_parts(asked(match_labels={"error_type": ""}), PROVIDER) == (
        "topk by (namespace,turnout_version) (17, sum by (namespace,turnout_version,tool,model) "
        f"(label_replace(increase({selected}[900s]),{of})))"
    )


@pytest.mark.parametrize(
    ("window", "step"),
    [
        (timedelta(hours=25), "[90000s:60s]"),
        (timedelta(minutes=30), "[1800s:30s]"),
        (timedelta(seconds=5), "[5s:1s]"),
    ],
)
def test_the_time_at_which_parts_begin_is_looked_for_step_by_step(
    window: timedelta, step: str
) -> None:
    text = begun_parts(asked(window=window), PROVIDER)
    assert (
        "min by (namespace,turnout_version,tool,model) (label_replace(min_over_time(times" in text
    )
    assert step in text


@given(value=SCALAR_TEXT, agents=st.lists(SCALAR_TEXT.filter(bool), min_size=2, max_size=3))
def test_no_text_leaves_its_quotes_in_a_question_about_parts(value: str, agents: list[str]) -> None:
    text = grown_parts(asked(match_labels={"task": value}, agents=tuple(agents)), PROVIDER)
    shape = (
        r"topk by \(namespace,turnout_version\) \(17, sum by "
        r"\(namespace,turnout_version,tool,model\) \(label_replace\(increase\(calls_total\{"
        rf'namespace="shop",pod=~({LITERAL}),exported_pod="",exported_namespace="",'
        rf'task=({LITERAL})\}}\[900s\]\),"turnout_version","\$1","pod",{LITERAL}\)\)\)'
    )
    pods, label = literals_of(shape, text)
    assert label == value
    assert all(re.fullmatch(pods, f"{one}-0123456789-x", re.DOTALL) for one in agents)


@pytest.mark.parametrize(
    "changes", [{"by": ("tool)", "x")}, {"metric": "a{}"}, {"match_labels": {"a-b": "c"}}]
)
def test_what_is_no_name_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(MetricsUnavailable):
        grown_parts(asked(**changes), PROVIDER)


async def test_parts_come_by_version_and_label_and_a_missing_label_is_empty(server: Server) -> None:
    server.handler = Server.json(vector(row(), row("3", model="x", other="y")))
    for ask in (server.metrics().parts, server.metrics().beginnings):
        assert await ask("default", asked()) == {
            Part("shop", VERSION, ("refund", "")): 7.5,
            Part("shop", VERSION, ("refund", "x")): 3.0,
        }
    assert server.outcomes == ["ok", "ok"]
    assert json.dumps(server.asked[0].query["query"]).count("increase") == 1


@pytest.mark.parametrize(
    "answer",
    [
        vector(warnings=["store down"]),
        vector(3),
        vector({"metric": {"namespace": "shop"}, "value": [1, "2"]}),
        vector({"metric": 3, "value": [1, "2"]}),
        vector(row("NaN")),
        vector(row("-1")),
    ],
)
async def test_parts_that_cannot_be_trusted_are_unknown(server: Server, answer: Any) -> None:
    server.handler = Server.json(answer)
    with pytest.raises(MetricsUnavailable):
        await server.metrics().parts("default", asked())
    assert server.outcomes == ["error"]
