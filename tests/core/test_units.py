"""What one count of a metric stands for, and what a gate does that wants another."""

from typing import Any

import pytest

from tests.core.test_statistical import gate
from tests.support.manifests import metric
from turnout.api.metric import MetricTemplate, Unit
from turnout.core.profiles import options_of
from turnout.core.units import miscounted, unit_of
from turnout.core.world import Unread

PROFILED = {"templateRef": None, "profile": "OpenTelemetryGenAI"}


def templates(unit: str | None) -> dict[str, MetricTemplate]:
    made = metric("t")
    made["spec"]["unit"] = unit
    return {"t": MetricTemplate.model_validate(made)}


@pytest.mark.parametrize(
    ("changes", "matched", "unit"),
    [
        (PROFILED, "Outcome", Unit.TASK),
        (PROFILED, "Operation", Unit.CALL),
        (PROFILED, None, None),
        ({"templateRef": None, "profile": "Envoy"}, "ByPod", Unit.REQUEST),
        ({}, None, Unit.SESSION),
        ({"templateRef": {"name": "gone"}}, None, None),
    ],
)
def test_a_template_or_what_matched_of_a_profile_says_what_is_counted(
    changes: dict[str, Any], matched: str | None, unit: Unit | None
) -> None:
    [asked] = gate(tasks=changes).metrics
    assert unit_of(asked, matched, templates("Session")) is unit


def refusal(count_by: str | None, unit: str | None, **changes: Any) -> str | None:
    asked = gate(tasks=changes, countBy=count_by)
    return miscounted(asked, asked.metrics[0], templates(unit))


def test_a_gate_that_counts_sessions_refuses_a_template_of_anything_else() -> None:
    assert refusal("Session", "Session") is None
    assert refusal(None, "Call") is None
    assert refusal("Session", "Request") == (
        "countBy is Session, and MetricTemplate t counts by Request: name a counter that grows "
        "once a session, with unit: Session"
    )
    silent = refusal("Session", None)
    assert silent is not None
    assert "MetricTemplate t does not say what it counts" in silent


def test_of_a_profile_only_series_of_that_unit_are_read() -> None:
    [asked] = gate(tasks=PROFILED).metrics
    assert [one.name for one in options_of(asked, Unit.TASK)] == ["Outcome", "InvokeAgent"]
    assert refusal("Task", None, **PROFILED) is None
    assert refusal("Session", None, **PROFILED) == (
        "countBy is Session, and profile OpenTelemetryGenAI has series by Call, Task: name a "
        "MetricTemplate of your own counter with unit: Session"
    )


@pytest.mark.parametrize("changes", [{"type": "Custom"}, {"type": "Latency", "slowerThan": "2s"}])
def test_only_a_success_rate_is_asked_what_it_counts(changes: dict[str, Any]) -> None:
    assert refusal("Session", None, **changes) is None


def test_what_cannot_be_read_says_nothing_of_what_it_counts() -> None:
    [asked] = gate().metrics
    assert unit_of(asked, None, {"t": Unread("broken")}) is None
