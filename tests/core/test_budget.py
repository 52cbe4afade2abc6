"""The error budget: burn rates, what is left, and what is told of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.manifests import GATE, everything, kind, strategy
from tests.support.simulation import Simulation
from turnout.api.objectives import (
    SRE_WORKBOOK,
    BudgetState,
    ErrorBudget,
    NewRollouts,
    Objective,
    ObjectiveStatus,
    PauseOnBurn,
)
from turnout.api.strategy import RolloutStrategy
from turnout.core.budget import (
    LEAST_REQUESTS,
    Spending,
    burn_rate,
    remaining,
    told_rate,
    told_share,
    too_fast,
    unknown,
)
from turnout.core.gates import Blind
from turnout.core.looks import Counts
from turnout.core.objectives import PATIENCE, Pledge, kept, pledges
from turnout.core.reasons import Reason

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACE = PauseOnBurn(rate="10", over=("1h", "5m"))
PLEDGE = Pledge(
    Objective(name="answers", metric="tasks", target="99%", window="30d"),
    ErrorBudget(pause_on_burn=(PACE,)),
)
AWAY = Blind(Reason.METRICS_UNAVAILABLE, "default did not answer in 10s")


def counts(failed: float, total: float = 1000.0) -> Counts:
    return Counts(total - failed, total)


def spending(long: float = 0, hour: float = 0, short: float = 0) -> Spending:
    """Give failures of a thousand over each window."""
    return {"30d": counts(long), "1h": counts(hour), "5m": counts(short)}


def told(
    found: Mapping[str, Any], before: ObjectiveStatus | None = None, at: datetime = NOON
) -> ObjectiveStatus:
    return kept(PLEDGE, found, before, at)


@pytest.mark.parametrize(
    ("failed", "total", "target", "rate"),
    [
        (0, 1000, 0.99, 0.0),
        (10, 1000, 0.99, 1.0),
        (144, 1000, 0.99, 14.4),
        (6, 1000, 0.999, 6.0),
        (1000, 1000, 0.9, 10.0),
        (-3, 1000, 0.99, 0.0),
        (0, LEAST_REQUESTS, 0.99, 0.0),
    ],
)
def test_a_burn_rate_is_the_failed_share_over_the_allowed_one(
    failed: float, total: float, target: float, rate: float
) -> None:
    assert burn_rate(counts(failed, total), target) == pytest.approx(rate)


@pytest.mark.parametrize("nothing", [None, AWAY, counts(5, LEAST_REQUESTS - 1)])
def test_of_what_is_not_known_there_is_no_rate_and_nothing_is_left_or_lost(nothing: Any) -> None:
    assert burn_rate(nothing, 0.99) is None
    assert remaining(nothing, 0.99) is None
    assert unknown("5m", nothing) is not None


@pytest.mark.parametrize(
    ("failed", "covered", "left"),
    [(0, 1, 1.0), (5, 1, 0.5), (10, 1, 0.0), (100, 1, 0.0), (10, 0.1, 0.9), (500, 0.01, 0.5)],
)
def test_what_is_left_is_of_the_whole_windows_budget(
    failed: float, covered: float, left: float
) -> None:
    assert remaining(counts(failed), 0.99, covered) == pytest.approx(left)


@pytest.mark.parametrize(
    ("hour", "short", "state"),
    [
        (20.0, 20.0, BudgetState.BURNING),
        (10.0, 10.0, BudgetState.BURNING),
        (20.0, 9.9, BudgetState.WITHIN),
        (9.9, 20.0, BudgetState.WITHIN),
        (20.0, None, BudgetState.UNKNOWN),
        (None, 20.0, BudgetState.UNKNOWN),
        (None, None, BudgetState.UNKNOWN),
        (None, 1.0, BudgetState.WITHIN),
        (1.0, None, BudgetState.WITHIN),
    ],
)
def test_a_pace_is_exceeded_over_each_of_its_windows_or_not_at_all(
    hour: float | None, short: float | None, state: BudgetState
) -> None:
    found, pace = too_fast({"1h": hour, "5m": short}, (PACE,))
    assert found is state
    assert (pace is PACE) is (state is BudgetState.BURNING)


def test_the_usual_paces_are_those_of_the_sre_workbook() -> None:
    assert ErrorBudget().paces == SRE_WORKBOOK
    slow = {"1h": 1.0, "5m": 1.0, "6h": 7.0, "30m": 7.0}
    assert too_fast(slow, SRE_WORKBOOK) == (BudgetState.BURNING, SRE_WORKBOOK[1])
    assert too_fast(dict.fromkeys(slow, 5.9), SRE_WORKBOOK) == (BudgetState.WITHIN, None)


def test_where_nothing_is_too_fast_nothing_has_to_be_known() -> None:
    assert too_fast({}, ErrorBudget(pause_on_burn=()).paces) == (BudgetState.WITHIN, None)


RATES = st.none() | st.floats(0, 100)


@given(RATES, RATES, st.floats(0, 100))
def test_more_failures_never_end_a_burn(
    hour: float | None, short: float | None, more: float
) -> None:
    before, _ = too_fast({"1h": hour, "5m": short}, (PACE,))
    worse = None if hour is None else hour + more
    after, _ = too_fast({"1h": worse, "5m": short}, (PACE,))
    assert after is BudgetState.BURNING or before is not BudgetState.BURNING


@given(RATES, RATES)
def test_what_is_learned_besides_never_turns_a_burn_into_none(
    hour: float | None, short: float | None
) -> None:
    """Unknown is neither: whatever is known of both comes out of it, and nothing else does."""
    found, _ = too_fast({"1h": hour, "5m": short}, (PACE,))
    least, _ = too_fast({"1h": hour or 0.0, "5m": short or 0.0}, (PACE,))
    most, _ = too_fast(
        {"1h": 1e4 if hour is None else hour, "5m": 1e4 if short is None else short}, (PACE,)
    )
    assert found is (least if least is most else BudgetState.UNKNOWN)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.0, "0"),
        (0.09, "0"),
        (0.1, "0.1"),
        (0.8, "1"),
        (1.3, "1"),
        (3.0, "2"),
        (14.4, "20"),
        (60.0, "50"),
        (1e9, "10000"),
    ],
)
def test_a_rate_is_told_as_1_2_or_5(rate: float, said: str) -> None:
    assert told_rate(rate) == said


@given(st.floats(0, 10_000), st.floats(0, 10_000))
def test_a_rate_that_was_told_stays_until_it_is_half_or_twice_of_that(
    first: float, second: float
) -> None:
    said = told_rate(first)
    again = told_rate(second, said)
    value = float(said)
    near = second < 0.2 if value == 0 else value / 2 <= second <= value * 2
    assert (again == said) if near else (again == told_rate(second))


@pytest.mark.parametrize(
    ("share", "before", "said"),
    [(1.0, None, "100%"), (0.714, None, "71%"), (0.67, "71%", "71%"), (0.65, "71%", "65%")],
)
def test_what_is_left_is_told_anew_when_it_is_five_points_off(
    share: float, before: str | None, said: str
) -> None:
    assert told_share(share, before) == said


def test_a_budget_that_lasts_is_told_with_what_is_left_and_every_rate() -> None:
    status = told(spending(long=3, hour=8))
    assert (status.state, status.remaining) == (BudgetState.WITHIN, "70%")
    assert {one.over: one.rate for one in status.burn_rates} == {"30d": "0.2", "1h": "1", "5m": "0"}
    assert status.message == "answers: 70% of the error budget of 30d left"


def test_a_burn_is_told_with_objective_windows_rates_and_limit() -> None:
    status = told(spending(hour=200, short=500))
    assert status.state is BudgetState.BURNING
    for part in ("answers", "99% in 30d", "20 times over 1h", "50 times over 5m", "10 is too much"):
        assert part in status.message


def test_what_cannot_be_read_neither_burns_nor_is_fine() -> None:
    status = told(dict.fromkeys(("30d", "1h", "5m"), AWAY))
    assert (status.state, status.remaining) == (BudgetState.UNKNOWN, None)
    assert status.message == "answers: default did not answer in 10s"
    assert told({}).message == "answers: nothing was read yet"


def test_what_burned_burns_on_until_it_is_known_to_be_over() -> None:
    burning = told(spending(hour=200, short=500))
    later = told(dict.fromkeys(("30d", "1h", "5m"), AWAY), burning, NOON + PATIENCE)
    assert (later.state, later.since) == (BudgetState.BURNING, NOON)
    assert "default did not answer" in later.message
    over = told(spending(hour=200), later, NOON + PATIENCE + MINUTE)
    assert (over.state, over.since) == (BudgetState.WITHIN, NOON + PATIENCE + MINUTE)


def test_a_burn_that_is_over_is_over_where_what_is_left_is_not_known() -> None:
    burning = told(spending(hour=200, short=500))
    after = told({**spending(), "30d": AWAY}, burning, NOON + MINUTE)
    assert after.state is BudgetState.UNKNOWN


def test_numbers_alone_are_told_every_two_minutes_at_most() -> None:
    first = told(spending(long=1, hour=8))
    worse = spending(long=4, hour=8)
    assert told(worse, first, NOON + MINUTE) is first
    later = told(worse, first, NOON + PATIENCE)
    assert (later.remaining, later.told_at, later.since) == ("60%", NOON + PATIENCE, NOON)


def test_a_change_of_state_is_told_at_once() -> None:
    first = told(spending(long=1))
    assert told(spending(hour=200, short=500), first, NOON + MINUTE).told_at == NOON + MINUTE


def test_numbers_that_waver_are_never_told_again() -> None:
    first = told(spending(long=3, hour=8, short=8))
    for minute, failed in enumerate((6, 12, 7, 18, 9), start=1):
        again = told(spending(long=3, hour=failed, short=failed), first, NOON + 5 * minute * MINUTE)
        assert again is first


def test_a_young_agent_has_used_up_only_its_part_of_the_window() -> None:
    young = Pledge(PLEDGE.objective, PLEDGE.budget, NOON - timedelta(days=3))
    assert kept(young, spending(long=20), None, NOON).remaining == "80%"
    assert kept(young, spending(long=20), None, NOON + timedelta(days=60)).remaining == "0%"


def test_a_window_is_asked_for_once_however_often_it_is_named() -> None:
    twice = PauseOnBurn(rate="2", over=("30d", "5m"))
    pledge = Pledge(PLEDGE.objective, ErrorBudget(pause_on_burn=(PACE, twice)))
    assert pledge.windows == ("30d", "1h", "5m")


FREEZING = Pledge(PLEDGE.objective, ErrorBudget(pause_on_burn=(PACE,), freeze_below="10%"))


@pytest.mark.parametrize(
    ("failed", "before", "after"),
    [
        (9.1, NewRollouts.FREE, NewRollouts.FROZEN),
        (8.9, NewRollouts.FROZEN, NewRollouts.FREE),
        (None, NewRollouts.FROZEN, NewRollouts.FROZEN),
        (None, NewRollouts.FREE, NewRollouts.FREE),
    ],
)
def test_new_rollouts_are_frozen_by_what_is_left_and_stay_so_while_that_is_not_known(
    failed: float | None, before: NewRollouts, after: NewRollouts
) -> None:
    known = told(spending()).model_copy(update={"new_rollouts": before})
    found = dict.fromkeys(("30d", "1h", "5m"), AWAY) if failed is None else spending(long=failed)
    status = kept(FREEZING, found, known, NOON + PATIENCE)
    assert (status.new_rollouts, status.since) == (after, NOON + PATIENCE if not failed else NOON)
    assert kept(FREEZING, found, None, NOON).new_rollouts is (
        NewRollouts.FROZEN if failed == 9.1 else NewRollouts.FREE
    )


def test_an_agent_that_names_a_strategy_is_held_to_the_budget_of_its_gate() -> None:
    sim = Simulation(everything(objectives=[{"name": "a", "metric": "tasks", "target": "99%"}]))
    world = sim.world()
    assert [one.budget.paces for one in pledges(world)] == [SRE_WORKBOOK]
    gate = {**GATE, "errorBudget": {"freezeBelow": "10%"}}
    named = kind("RolloutStrategy", "careful", {"strategy": strategy(), "gate": gate})
    sources = replace(world.sources, strategy=RolloutStrategy.model_validate(named))
    (pledge,) = pledges(replace(world, sources=sources))
    assert pledge.budget.freeze_below == "10%"
