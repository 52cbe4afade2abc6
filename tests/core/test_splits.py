"""Whether the arms count as many requests as their weights say."""

from math import comb, exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_statistical import gate
from turnout.api.metric import Unit
from turnout.core.ledger import Entry, Ledger
from turnout.core.looks import Counts, Window
from turnout.core.sequential.split import OFF, is_split_off, split_evidence
from turnout.core.splits import Split, counted_at

REQUESTS = 40


@given(weight=st.floats(0.02, 0.98), slack=st.floats(0.0, 2.0), where=st.floats(0.0, 1.0))
def test_under_every_split_that_is_allowed_the_evidence_is_one_on_average_at_most(
    weight: float, slack: float, where: float
) -> None:
    odds = weight / (1 - weight)
    truth = odds / (1 + slack) + where * odds * ((1 + slack) - 1 / (1 + slack))
    share = truth / (1 + truth)
    average = sum(
        comb(REQUESTS, n)
        * share**n
        * (1 - share) ** (REQUESTS - n)
        * exp(split_evidence(n, REQUESTS - n, weight, slack))
        for n in range(REQUESTS + 1)
    )
    assert average <= 1 + 1e-9


@given(weight=st.floats(0.02, 0.98), counts=st.tuples(st.integers(0, 500), st.integers(0, 500)))
def test_slack_never_adds_evidence(weight: float, counts: tuple[int, int]) -> None:
    exact, slack = (split_evidence(*counts, weight, one) for one in (0.0, 0.5))
    assert slack <= exact + 1e-9


@pytest.mark.parametrize(
    ("candidate", "stable", "seconds", "off"),
    [
        (0, 180, 300, True),  # all is lost
        (0, 20, 300, False),  # too little to tell
        (250, 750, 300, False),
        (200, 750, 300, False),  # the first minute may be of the weight before
        (2000, 9000, 1800, True),  # half an hour of it may not
        (750, 250, 300, True),
        (50, 0, 300, True),
    ],
)
def test_what_is_off_at_a_quarter_of_the_traffic(
    candidate: float, stable: float, seconds: float, *, off: bool
) -> None:
    assert is_split_off(candidate, stable, 0.25, seconds) is off


def ledger(start: float, end: float, candidate: float, stable: float, **more: Any) -> Ledger:
    window = Window(start, end, Counts(candidate, candidate), Counts(stable, stable))
    return {"tasks": Entry((window,), **more)}


def test_what_was_counted_at_this_weight_is_compared_once_it_lasts() -> None:
    asked = gate()
    [split] = counted_at(asked, ledger(100, 400, 200, 800), 100.0, 25)
    assert split == Split("tasks", 25, 200.0, 800.0, is_off=False)
    assert split.said == "20.0% of 1000 requests are the candidate's, its weight is 25%"
    assert counted_at(asked, ledger(90, 400, 200, 800), 100.0, 25) == []
    assert counted_at(asked, ledger(100, 390, 200, 800), 100.0, 25) == []
    assert counted_at(asked, ledger(100, 400, 0, 0), 100.0, 25) == []
    assert counted_at(asked, {}, 100.0, 25) == []


def test_a_short_gate_is_compared_as_soon_as_its_weight_may_rise() -> None:
    asked = gate(minDuration="1m")
    assert counted_at(asked, ledger(100, 160, 200, 800), 100.0, 25)


@pytest.mark.parametrize(
    "metric",
    [
        {"type": "Custom"},
        {"type": "Latency", "slowerThan": "2s"},
        {"onRegression": "Record"},
    ],
)
def test_only_a_success_rate_that_decides_counts_what_a_gateway_splits(
    metric: dict[str, Any],
) -> None:
    asked = gate("tasks", "other", tasks=metric)
    assert counted_at(asked, ledger(100, 400, 200, 800), 100.0, 25) == []


@pytest.mark.parametrize(
    ("unit", "compared"),
    [(None, 1), (Unit.TASK, 1), (Unit.REQUEST, 1), (Unit.CALL, 0), (Unit.SESSION, 0)],
)
def test_calls_and_sessions_are_not_what_a_gateway_splits(unit: Unit | None, compared: int) -> None:
    known = ledger(100, 400, 200, 800, unit=unit)
    assert len(counted_at(gate(), known, 100.0, 25)) == compared


def test_the_message_names_the_arm_that_counts_too_little() -> None:
    low, high = (Split("tasks", 25, one, 750.0, is_off=True).message for one in (10.0, 500.0))
    assert low == (
        "tasks: the traffic split is off: 1.3% of 760 requests are the candidate's, its weight is "
        "25%; the candidate fails before it counts, or callers reach stable past the gateway "
        "(gate.onSplitOff: Record goes on all the same)"
    )
    assert "stable fails before it counts" in high
    assert OFF > 0
