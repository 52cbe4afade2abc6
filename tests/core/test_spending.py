"""What a success costs, look by look."""

import json
import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.api.gate import OnRegression
from turnout.core.looks import Counts, Window
from turnout.core.sequential.findings import Finding, Metric
from turnout.core.sequential.record import read_spending, written_spending
from turnout.core.sequential.spending import (
    BLOCK,
    MOST,
    Spending,
    find_spending,
    follow_spending,
)
from turnout.core.sequential.tally import Terms
from turnout.core.sequential.verdicts import Policy
from turnout.core.sequential.words import amount, increase, money, said_of_cost

LIMIT = 0.15
COST = Metric("cost", Terms(margin=None), 1.0, OnRegression.HOLD)

Spent = tuple[float, float, float, float]
"""What the candidate spent and succeeded, what stable spent and succeeded."""


def spent(looks: Iterable[Spent], seconds: float = BLOCK) -> Spending:
    spending = Spending()
    for number, (cost, successes, stable_cost, stable_successes) in enumerate(looks):
        mine, theirs = Counts(cost, successes), Counts(stable_cost, stable_successes)
        window = Window(number * seconds, (number + 1) * seconds, mine, theirs)
        spending = follow_spending(spending, window, LIMIT)
    return spending


def wobbling(ratio: float, looks: int) -> list[Spent]:
    """Stable's success costs 2 cents, the candidate's so many times as much."""
    wobbles = (1.0 + 0.3 * math.sin(number) for number in range(looks))
    return [(0.2 * ratio * one, 10, 2.0 * one, 100) for one in wobbles]


def found(looks: Iterable[Spent]) -> Finding:
    return find_spending(COST, spent(looks), LIMIT)


@pytest.mark.parametrize(
    ("ratio", "looks", "worse", "safe", "exceeds"),
    [
        (1.5, 60, True, False, True),
        (1.0, 120, False, True, False),
        (0.8, 60, False, True, False),
        (1.5, 10, False, False, True),
    ],
)
def test_evidence_needs_looks_and_says_which_way(
    ratio: float, looks: int, *, worse: bool, safe: bool, exceeds: bool
) -> None:
    finding = found(wobbling(ratio, looks))
    assert (finding.worse >= math.log(20), finding.safe >= math.log(20)) == (worse, safe)
    assert finding.exceeds is exceeds
    assert finding.requests == 10 * looks


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.29])
def test_sums_that_never_vary_prove_nothing(ratio: float) -> None:
    finding = found([(0.024 * ratio * 10, 10, 2.4, 100)] * 60)
    assert (finding.worse, finding.safe) == (0.0, 0.0)


@pytest.mark.parametrize("price", [0.0, 5e-324, 1e-12])
def test_where_stable_spends_next_to_nothing_there_is_nothing_to_compare_with(
    price: float,
) -> None:
    finding = found([(1e6, 1, price, 1)] * 60)
    assert (finding.worse, finding.safe) == (0.0, 0.0)


def test_short_looks_are_put_together_until_they_stand_for_a_minute() -> None:
    looks = wobbling(1.3, 30)
    sixths: list[Spent] = [(a / 6, b / 6, c / 6, d / 6) for a, b, c, d in looks for _ in range(6)]
    short, long = spent(sixths, 10), spent(looks)
    assert short.drift.dearer.looks == long.drift.dearer.looks == 29
    assert math.isclose(short.drift.dearer.total, long.drift.dearer.total)


def test_an_open_look_waits() -> None:
    one: Spent = (1, 10, 10, 100)
    spending = spent([one] * 5, 10)
    assert (spending.seconds, spending.open_stable) == (50, Counts(50, 500))
    assert spending.drift.trailing == ()
    assert spending.candidate == Counts(5, 50)


def test_what_is_shown_fades_and_what_is_counted_does_not() -> None:
    spending = spent([(5, 10, 2, 100)] * 60 + [(0.2, 10, 2, 100)] * 60)
    assert spending.increase is not None
    assert spending.increase < 0.5
    assert spending.candidate.good == pytest.approx(312)


@pytest.mark.parametrize(
    ("look", "shown"),
    [
        ((0, 0, 2, 100), None),
        ((1, 10, 0, 0), None),
        ((1, 10, 0, 10), None),
        ((1, 0, 2, 100), MOST),
        ((1, 1, 2, 100), MOST),
        ((0.3, 10, 2, 100), 0.5),
        ((0, 10, 2, 100), -1.0),
    ],
)
def test_an_increase_is_told_where_stable_has_a_price(look: Spent, shown: float | None) -> None:
    assert spent([look]).increase == (shown if shown is None else pytest.approx(shown))


def test_how_long_the_candidate_was_idle_is_known() -> None:
    assert spent([(1, 1, 1, 1), (0, 0, 1, 1), (0, 0, 1, 1)], 10).idle == 20
    assert spent([(0, 0, 1, 1), (1, 0, 1, 1)], 10).idle == 0


amounts = st.floats(0, 1e6)


@given(st.lists(st.tuples(amounts, amounts, amounts, amounts), max_size=40), st.integers(5, 90))
def test_what_is_written_is_read_back_to_the_same_bits(looks: list[Spent], seconds: int) -> None:
    spending = spent(looks, seconds)
    finding = find_spending(COST, spending, LIMIT)
    assert not math.isnan(finding.worse + finding.safe)
    text = json.dumps(written_spending(spending), separators=(",", ":"))
    assert read_spending(json.loads(text)) == spending
    assert len(text) < 2000


def said(looks: Iterable[Spent]) -> str:
    return said_of_cost(found(looks), Policy())


def test_both_values_the_increase_its_limit_and_the_evidence_are_told() -> None:
    assert said([(0, 0, 2, 100)]) == (
        "cost: candidate and stable did not succeed in the same minutes yet"
    )
    assert said([(0.31, 10, 2.4, 100)]) == (
        "cost: cost per success $0.031 against $0.024 lately, +29 % (limit +15 %); evidence 1.0 "
        "that it is dearer, 1.0 that it is safe, of 10 successes (20 decides)"
    )
    assert said([(1, 0, 2, 100)]).startswith(
        "cost: candidate spends without a success lately, +999 % (limit +15 %); evidence"
    )


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "-"), (0, "$0.00"), (0.031, "$0.031"), (0.00042, "$0.00042"), (12.4, "$12.40")],
)
def test_amounts_are_told_with_two_digits_that_count(amount: float | None, text: str) -> None:
    assert money(amount) == text


@pytest.mark.parametrize(
    ("spent", "value", "text"),
    [
        ("cost", 0.031, "$0.031"),
        ("tokens", 812.4, "812"),
        ("steps", 4.2, "4.2"),
        ("steps", None, "-"),
    ],
)
def test_what_is_no_money_has_no_dollars(spent: str, value: float | None, text: str) -> None:
    assert amount(spent, value) == text


def test_what_a_success_took_is_called_by_its_name() -> None:
    finding = find_spending(COST, spent([(3100, 10, 24000, 100)]), LIMIT, "tokens")
    assert said_of_cost(finding, Policy()).startswith(
        "cost: tokens per success 310 against 240 lately, +29 % (limit +15 %)"
    )


def test_an_increase_may_be_none() -> None:
    assert (increase(0.294), increase(-0.1)) == ("+29 %", "-10 %")
