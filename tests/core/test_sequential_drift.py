"""A stable version that does worse is found soon, and one that does not is left alone."""

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from turnout.core.looks import Counts
from turnout.core.sequential.drift import (
    PRIOR,
    RECOVERED,
    SCATTER_LOOKS,
    START,
    SURE,
    UNPROVED,
    Drift,
)
from turnout.core.sequential.guesses import floor_gains
from turnout.core.sequential.noise import Noise
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.slump import LEAST, most_failures

RECORDED = Rate(1900.0, 2000.0)
MARGIN = 0.02


def look(share: float, requests: float = 120.0) -> Counts:
    return Counts(requests * share, requests)


def watched(*shares: float, recorded: Rate = RECORDED) -> Drift:
    drift = Drift()
    for share in shares:
        drift = drift.after(look(share), recorded, MARGIN)
    return drift


def drawn(random: Random, share: float) -> Counts:
    return Counts(sum(random.random() < share for _ in range(120)), 120)


def test_ten_points_worse_are_found_in_minutes_and_their_end_too() -> None:
    quiet = [0.95] * 60
    assert not watched(*quiet).is_worse
    assert not watched(*quiet, *[0.85] * 3).is_worse
    assert watched(*quiet, *[0.85] * 15).is_worse
    assert watched(*quiet, *[0.85] * 15, *[0.95] * 3).is_worse
    assert not watched(*quiet, *[0.85] * 15, *[0.95] * 15).is_worse


def test_months_without_trouble_are_no_credit_to_what_breaks_after_them() -> None:
    fresh, old = watched(*[0.95] * 60), watched(*[0.95] * 3000)
    assert old.worse == fresh.worse == START
    assert watched(*[0.95] * 3000, *[0.85] * 15).is_worse


def test_a_day_of_chance_is_no_drift() -> None:
    for seed in range(5):
        random, drift = Random(seed), Drift()
        for _ in range(1440):
            drift = drift.after(drawn(random, 0.95), RECORDED, MARGIN)
            assert not drift.is_worse
        assert 1.0 <= drift.noise.factor < 1.3


def test_what_scatters_more_than_chance_needs_more_evidence() -> None:
    swinging = [0.99, 0.91] * 30
    steady, scattered = watched(*[0.95] * 60), watched(*swinging)
    assert scattered.noise.factor > 2.0
    assert scattered.after(look(0.85), RECORDED, MARGIN).worse.log < (
        steady.after(look(0.85), RECORDED, MARGIN).worse.log
    )


def test_until_scatter_is_known_it_is_taken_to_be_twice_that_of_chance() -> None:
    first = Drift().after(look(0.8), RECORDED, MARGIN).worse.log
    known = watched(*[0.95] * 60).after(look(0.8), RECORDED, MARGIN).worse.log
    assert UNPROVED == 2.0
    assert 1.5 < known / first < 2.5


def test_a_minute_without_requests_tells_nothing_but_that() -> None:
    before = watched(*[0.95] * 40, 0.8)
    after = before.after(Counts(), RECORDED, MARGIN)
    assert after.worse == before.worse
    assert after.asked < before.asked


def test_who_is_recorded_to_fail_always_cannot_do_worse() -> None:
    assert not watched(*[0.0] * 50, recorded=Rate(0.0, 100.0)).is_suspect


def test_more_metrics_ask_for_more_evidence_each() -> None:
    enough = next(many for many in range(1, 60) if watched(*[0.85] * many).is_worse)
    before = watched(*[0.85] * (enough - 1))
    assert before.is_suspect
    assert before.after(look(0.85), RECORDED, MARGIN).is_worse
    assert not before.after(look(0.85), RECORDED, MARGIN, SURE + math.log(20.0)).is_worse


def test_evidence_is_bounded_whatever_comes() -> None:
    drift = Drift()
    for _ in range(10):
        drift = drift.after(look(0.0, 1e6), RECORDED, MARGIN, math.inf)
    assert drift.worse.log <= SURE + 4.0
    for _ in range(50):
        drift = drift.after(look(1.0, 1e6), RECORDED, MARGIN)
    assert (drift.worse, drift.better) == (START, RECOVERED)


@given(total=st.integers(1, 60), spare=st.floats(0.0, 1.0))
def test_a_look_is_not_expected_to_win_while_no_more_fail_than_may(
    total: int, spare: float
) -> None:
    """By enumeration of all that a look may count, at every rate that is allowed."""
    rate = spare * most_failures(RECORDED, LEAST)
    start = Drift(noise=Noise(blocks=SCATTER_LOOKS))
    expected = 0.0
    for failed in range(total + 1):
        chance = math.comb(total, failed) * rate**failed * (1.0 - rate) ** (total - failed)
        gains = floor_gains(total - failed, failed, most_failures(RECORDED, LEAST))[1:]
        expected += chance * math.exp(start.worse.settled(gains, PRIOR, 60.0).log)
    assert expected <= 1.0 + 1e-9
