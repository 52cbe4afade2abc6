"""Failures beyond those that stable would have had, and what part of a budget they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.manifests import GATE
from turnout.api.base import difference
from turnout.api.gate import Gate
from turnout.api.objectives import Objective
from turnout.core.budget import budget_of
from turnout.core.excess import BLOCK, Excess, excess_of
from turnout.core.gates import Blind
from turnout.core.looks import Counts, Window
from turnout.core.reasons import Reason
from turnout.core.spend import counted_by


def window(candidate: tuple[float, float], stable: tuple[float, float], at: float = 0.0) -> Window:
    return Window(at, at + 10.0, Counts(*candidate), Counts(*stable))


def excess(*windows: Window) -> Excess:
    found = Excess()
    for one in windows:
        found = found.with_window(one)
    return found


def test_failures_are_held_against_those_of_stable_at_the_same_time() -> None:
    found = excess(window((8.0, 10.0), (95.0, 100.0)))
    assert found.failures == pytest.approx(2.0 - 0.5)
    assert found.block is None, "stable was asked often enough to close the block"


def test_what_both_suffer_is_no_excess_and_fewer_failures_are_below_none() -> None:
    assert excess(window((5.0, 10.0), (50.0, 100.0))).failures == pytest.approx(0.0)
    assert excess(window((10.0, 10.0), (50.0, 100.0))).failures == pytest.approx(-5.0)


def test_without_a_request_to_stable_nothing_is_known_yet() -> None:
    alone = excess(window((0.0, 10.0), (0.0, 0.0)))
    assert alone.failures == 0.0
    later = alone.with_window(window((10.0, 10.0), (10.0, 10.0), at=10.0))
    assert later.failures == pytest.approx(10.0)
    assert later.block is not None
    assert (later.block.start, later.block.end) == (0.0, 20.0)


def test_times_that_are_far_apart_are_not_compared() -> None:
    incident = window((5.0, 10.0), (50.0, 100.0))
    calm = window((100.0, 100.0), (10.0, 10.0), at=10.0)
    assert excess(incident, calm).failures == pytest.approx(0.0)


SHARES = st.floats(0.0, 1.0)
ARMS = st.tuples(st.floats(0.0, 200.0), SHARES)


@given(st.lists(st.tuples(ARMS, ARMS), max_size=20))
def test_what_was_written_down_goes_on_as_if_nothing_had_happened(
    looks: list[tuple[tuple[float, float], tuple[float, float]]],
) -> None:
    windows = [
        window((asked * good, asked), (served * well, served), at=10.0 * number)
        for number, ((asked, good), (served, well)) in enumerate(looks)
    ]
    kept, restored = Excess(), Excess()
    for one in windows:
        kept, restored = kept.with_window(one), restored.with_window(one)
        restored = excess_of(float(difference(restored.failures)), restored.block)
    assert restored.failures == pytest.approx(kept.failures, abs=1e-7)
    assert kept.block is None or kept.block.stable.total < BLOCK


@given(st.lists(SHARES, min_size=1, max_size=20))
def test_a_candidate_like_stable_has_no_excess_however_the_provider_does(good: list[float]) -> None:
    same = [window((20.0 * one, 20.0), (60.0 * one, 60.0)) for one in good]
    assert excess(*same).failures == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("number", "text"), [(1.5, "1.5"), (-0.25, "-0.25"), (-1e-12, "0"), (1e12, "1000000000000")]
)
def test_a_difference_is_written_to_nine_decimals(number: float, text: str) -> None:
    assert difference(number) == text


def test_a_budget_is_for_all_of_its_window_however_young_the_service() -> None:
    assert budget_of(Counts(0.0, 1000.0), 0.99) == pytest.approx(10.0)
    assert budget_of(Counts(0.0, 1000.0), 0.99, covered=0.1) == pytest.approx(100.0)


@pytest.mark.parametrize("counts", [None, Blind(Reason.PENDING, "later"), Counts(9.0, 9.0)])
def test_a_budget_that_is_not_known_is_none(counts: Counts | Blind | None) -> None:
    assert budget_of(counts, 0.99) is None
    assert budget_of(Counts(90.0, 100.0), 0.99, covered=0.0) is None


OBJECTIVE = {"name": "speed", "metric": "seconds", "target": "99%", "slowerThan": "2s"}


def gate(provider: str = "default", **metric: Any) -> Gate:
    latency = {"type": "Latency", "templateRef": {"name": "seconds"}, "slowerThan": "2000ms"}
    document = {
        "mode": "Threshold",
        "onInconclusive": "Hold",
        "provider": provider,
        "metrics": [GATE["metrics"][0] | latency | metric],
    }
    return Gate.model_validate(document)


def test_a_metric_counts_for_an_objective_where_it_reads_the_same() -> None:
    assert counted_by(Objective.model_validate(OBJECTIVE), gate()) is not None


@pytest.mark.parametrize(
    "other",
    [
        gate(provider="other"),
        gate(slowerThan="3s"),
        gate(templateRef={"name": "others"}),
        gate(type="SuccessRate", slowerThan=None),
        gate(templateRef=None, profile="Envoy"),
    ],
)
def test_a_metric_that_reads_anything_else_does_not_count(other: Gate) -> None:
    assert counted_by(Objective.model_validate(OBJECTIVE), other) is None


def test_a_cost_counts_for_no_objective() -> None:
    objective = Objective.model_validate(OBJECTIVE | {"slowerThan": None})
    cost: dict[str, Any] = {
        "type": "CostPerSuccess",
        "maxIncrease": "5%",
        "slowerThan": None,
        "minimum": None,
    }
    assert counted_by(objective, gate(**cost)) is None
    assert counted_by(objective, gate()) is not None
