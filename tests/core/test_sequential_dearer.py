"""A success that costs more than recorded is found, and what swings or is rare is no alarm."""

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from turnout.core.looks import Counts
from turnout.core.sequential.dearer import BLOCK_LOOKS, LEARNED, Dearer, Scatter
from turnout.core.sequential.drift import RECOVERED, SURE
from turnout.core.sequential.recent import Rate

PRICE = 0.024
RECORDED = Rate(PRICE * 2000.0, 2000.0)
HOUR = 60


def look(times: float, successes: float = 120.0) -> Counts:
    return Counts(PRICE * times * successes, successes)


def watched(*times: float, margin: float = 0.15, recorded: Rate = RECORDED) -> Dearer:
    known = Dearer()
    for one in times:
        known = known.after(look(one), recorded, margin, SURE)
    return known


def swinging(level: float, looks: int) -> list[float]:
    return [level * (4 / 3 if minute % 4 < 2 else 2 / 3) for minute in range(looks)]


def test_a_success_that_costs_more_is_found_and_its_end_too() -> None:
    quiet = swinging(1.0, 6 * HOUR)
    assert not watched(*quiet).is_worse
    dear = [*quiet, *swinging(1.6, HOUR)]
    assert watched(*dear).is_worse
    assert watched(*dear, *swinging(1.6, 5 * HOUR)).is_worse
    assert not watched(*dear, *swinging(1.0, HOUR)).is_worse


def test_what_costs_more_by_less_than_is_allowed_is_no_alarm() -> None:
    assert not watched(*swinging(1.0, 3 * HOUR), *swinging(1.12, 24 * HOUR)).is_suspect


def test_a_margin_below_that_of_rounded_prices_is_taken_to_be_that() -> None:
    assert not watched(*[1.0] * 300, *[1.04] * 600, margin=0.0).is_suspect


def test_nothing_is_concluded_before_the_scatter_is_known() -> None:
    known = watched(*[1.0] * (BLOCK_LOOKS * LEARNED - 1))
    assert known.is_learning
    assert not watched(*[9.0] * (BLOCK_LOOKS * LEARNED)).is_suspect
    assert not known.after(look(1.0), RECORDED, 0.15, SURE).is_learning


def test_one_dear_block_proves_no_more_than_three_standard_deviations() -> None:
    quiet = swinging(1.0, 6 * HOUR)
    assert watched(*quiet, *[1000.0] * BLOCK_LOOKS).worse.log < 5.0


def test_a_success_that_was_free_cannot_be_compared() -> None:
    assert not watched(*[5.0] * 600, recorded=Rate(0.0, 2000.0)).is_suspect
    assert not watched(*[5.0] * 600, recorded=Rate(0.0, 0.0)).is_suspect


def test_minutes_without_anything_tell_nothing_but_that() -> None:
    before = watched(*swinging(1.0, 2 * HOUR))
    after = before
    for _ in range(BLOCK_LOOKS):
        after = after.after(Counts(), RECORDED, 0.15, SURE)
    assert after.scatter == before.scatter
    assert after.asked < before.asked


def test_money_that_is_spent_without_a_success_is_dear() -> None:
    known = watched(*[1.0] * 600)
    for _ in range(HOUR):
        known = known.after(Counts(PRICE * 120.0, 0.0), RECORDED, 0.15, SURE)
    assert known.is_worse


def test_who_does_worse_after_a_restart_learns_how_costs_scatter_before_it_is_over() -> None:
    known = Dearer(is_worse=True)
    for times in swinging(1.0, 2 * HOUR):
        known = known.after(look(times), RECORDED, 0.15, SURE)
    assert not known.is_worse


def test_evidence_is_bounded_whatever_comes() -> None:
    known = watched(*[1.0] * 600)
    for _ in range(20 * BLOCK_LOOKS):
        known = known.after(look(99.0), RECORDED, 0.15, math.inf)
    assert known.worse.log <= SURE + 4.0
    for _ in range(20 * BLOCK_LOOKS):
        known = known.after(look(0.1), RECORDED, 0.15, math.inf)
    assert known.better == RECOVERED


def test_days_of_lumpy_costs_are_no_alarm() -> None:
    for seed in range(3):
        random, known = Random(seed), Dearer()
        for _ in range(2 * 24 * HOUR):
            spent = sum(random.lognormvariate(-0.5, 1.0) for _ in range(30))
            known = known.after(Counts(PRICE * spent, 30.0), RECORDED, 0.15, SURE)
            assert not known.is_worse


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=80), st.floats(0.0, 1e6))
def test_any_costs_leave_finite_numbers(times: list[float], successes: float) -> None:
    known = Dearer()
    for one in times:
        known = known.after(look(one, successes), RECORDED, 0.15, SURE)
    assert math.isfinite(known.worse.log)
    assert 0.0 <= known.better <= RECOVERED


def test_the_first_block_is_only_a_mean() -> None:
    first = Scatter().after(Rate(100.0, 100.0))
    assert (first.blocks, first.variance) == (1, 0.0)
    assert first.after(Rate(120.0, 100.0)).variance == 2.0 * 20.0 * 20.0 / 100.0
