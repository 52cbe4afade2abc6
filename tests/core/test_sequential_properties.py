"""What holds of a tally whatever is counted."""

import json
import math
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.sequential import GOLDEN, TERMS, Answers, look, looks, tallied
from turnout.core.sequential.noise import Noise
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.record import read, written
from turnout.core.sequential.tally import (
    WAIT_SECONDS,
    Open,
    Tally,
    Terms,
    begin,
    follow,
    usual_margin,
)

counts = st.one_of(
    st.integers(0, 500).map(float), st.floats(0, 1e4, allow_nan=False, allow_subnormal=False)
)
answers = st.tuples(counts, counts, counts, counts)
many = st.lists(answers, max_size=12)
quiet = st.tuples(st.just(0.0), st.just(0.0), counts, counts)
terms = st.sampled_from(
    [TERMS, Terms(0.3), Terms(None), Terms(0.02, 0.01, 0.8), Terms(None, minimum=0.99)]
)


def _tally(given: list[Answers], terms: Terms, noise: float = 1.0) -> Tally:
    tally = begin(terms, noise=noise)
    for one in looks(given):
        tally = follow(tally, one, terms)
    return tally


@given(many, terms)
def test_evidence_is_always_a_number_and_capital_is_always_whole(
    given: list[Answers], terms: Terms
) -> None:
    tally = _tally(given, terms)
    bets = [one for one in (tally.worse, tally.safe, tally.below) if one is not None]
    assert all(math.isfinite(one.log) and one.evidence >= 0 for one in bets)
    assert all(math.fsum(one.weights) == pytest.approx(1) for one in bets)
    assert tally.safe.log <= terms.sure + 1
    assert 0 < tally.rate.failures < 1
    assert tally.recent.drop is None or -1.0001 <= tally.recent.drop <= 1.0001


@given(many, terms, st.lists(quiet, min_size=1, max_size=8), st.floats(1, 4000))
def test_looks_without_a_request_to_the_candidate_change_no_evidence(
    given: list[Answers], terms: Terms, silence: list[Answers], seconds: float
) -> None:
    before = _tally(given, terms)
    after = before
    for number, one in enumerate(silence):
        after = follow(after, look(one, 1e6 + number * seconds, seconds), terms)
    assert (after.worse, after.safe, after.below) == (before.worse, before.safe, before.below)
    assert (after.rate, after.recent) == (before.rate, before.recent)
    assert after.candidate == before.candidate


@given(many, answers, answers)
def test_what_is_staked_on_a_block_does_not_depend_on_the_block(
    given: list[Answers], one: Answers, other: Answers
) -> None:
    """The stakes are stable's rate and the weights: both are fixed when a block opens."""
    tally = _tally(given, TERMS)
    waited = [follow(tally, look((0.0, 0.0, *each[2:])), TERMS) for each in (one, other)]
    assert waited[0].rate == waited[1].rate == tally.rate
    assert waited[0].worse.weights == waited[1].worse.weights == tally.worse.weights


@given(many, terms)
def test_a_tally_comes_back_from_json_to_the_same_bits_and_goes_on_alike(
    given: list[Answers], terms: Terms
) -> None:
    straight = begin(terms, noise=1.7)
    replayed = straight
    for one in looks(given):
        straight = follow(straight, one, terms)
        text = json.dumps(written(replayed))
        replayed = follow(read(json.loads(text)), one, terms)
        assert len(text) < 2000
    assert replayed == straight


@given(many, terms)
def test_the_same_looks_give_the_same_bits_again(given: list[Answers], terms: Terms) -> None:
    assert _tally(given, terms) == _tally(given, terms)


def test_a_record_without_its_parts_is_refused() -> None:
    whole = written(begin(TERMS))
    for name in ("worse", "safe", "rate", "waiting", "candidate"):
        with pytest.raises(KeyError):
            read({key: value for key, value in whole.items() if key != name})
    spoils: tuple[dict[str, Any], ...] = (
        {"waiting": []},
        {"rate": 7},
        {"safe": [0.0, 1.0]},
        {"worse": ["x"]},
    )
    for spoiled in spoils:
        with pytest.raises((TypeError, ValueError)):
            read(whole | spoiled)


def test_ten_seconds_a_look_or_a_minute_come_to_nearly_the_same() -> None:
    """The part of the capital that is spread anew is for a minute, not for a look."""
    minutes = tallied([(27, 3, 87, 3)] * 10)[-1]
    ten_seconds = tallied([(4.5, 0.5, 14.5, 0.5)] * 60, seconds=10.0)[-1]
    assert ten_seconds.worse.log == pytest.approx(minutes.worse.log, rel=0.05)
    assert ten_seconds.rate.good == pytest.approx(minutes.rate.good, rel=0.15)


def test_stable_waits_for_the_candidate_and_stands_for_three_minutes_at_most() -> None:
    waiting = Open()
    sizes = []
    for number in range(40):
        waiting = waiting.longer(look((0, 0, 9, 1), number * 10.0, 10.0))
        sizes.append(waiting.stable.total)
    assert sizes[17] == pytest.approx(180)
    assert sizes[18:] == pytest.approx([180] * 22)
    assert waiting.seconds == 400 > WAIT_SECONDS


def test_a_look_of_no_length_does_not_divide_by_nothing() -> None:
    assert Open().longer(look((0, 0, 9, 1), seconds=0.0)).stable.total == 10


def test_what_waited_is_staked_with_the_first_request_to_the_candidate() -> None:
    waited = tallied([(0, 0, 90, 10), (0, 2, 90, 10)])[-1]
    at_once = tallied([(0, 2, 180, 20)], seconds=120.0)[-1]
    assert waited.worse == at_once.worse
    assert waited.waiting == Open()


def test_a_candidate_alone_is_compared_with_nothing() -> None:
    terms = Terms(0.02, minimum=0.9)
    alone = tallied([(2, 8, 0, 0)] * 5, terms)[-1]
    assert alone.worse == begin(terms).worse
    assert alone.recent.drop is None
    assert alone.recent.shares is None
    assert alone.below is not None
    assert alone.below.log > terms.sure


def test_a_total_break_is_found_with_the_second_request() -> None:
    looks = [(0.0, 0.0, 10.0, 0.0)] * 3 + [(0.0, 1.0, 10.0, 0.0)] * 2
    tallies = tallied(looks, rate=0.97, seconds=10.0)
    assert tallies[-2].worse.log < TERMS.sure <= tallies[-1].worse.log


def test_noise_that_was_learned_before_dampens_what_is_won() -> None:
    loud = Noise(squares=60 * 4.0, deviation=0.0, variance=100.0, blocks=61)
    assert loud.factor == pytest.approx(4.0)
    won, dampened = _tally(list(GOLDEN), TERMS), _tally(list(GOLDEN), TERMS, loud.factor)
    assert 0 < dampened.worse.log < won.worse.log / 2


@pytest.mark.parametrize(
    ("share", "margin"), [(0.99, 0.02), (0.95, 0.02), (0.9, 0.03), (0.88, 0.03), (0.5, 0.05)]
)
def test_a_margin_that_nobody_declared_suits_stable(share: float, margin: float) -> None:
    assert usual_margin(share) == margin


def test_an_undeclared_margin_is_fixed_once_stable_answered_fifty_and_stays() -> None:
    few, enough, later = tallied([(5, 0, 36, 4), (5, 0, 36, 4), (5, 0, 0, 400)], Terms(margin=None))
    assert (few.margin, few.safe.log) == (None, 0.0)
    assert (enough.margin, enough.safe.log) == (0.03, 0.0)
    assert later.margin == 0.03
    assert later.safe.log != 0.0


def _false_verdicts(stable: float, drop: float, seed: int) -> tuple[int, int]:
    """Count streams of 200 that were ever shown to be worse, and to be safe."""
    numbers = random.Random(seed)

    def answered(size: int, share: float) -> tuple[float, float]:
        good = sum(numbers.random() < share for _ in range(size))
        return float(good), float(size - good)

    worse = safe = 0
    for _ in range(200):
        streams = [(*answered(20, stable - drop), *answered(60, stable)) for _ in range(40)]
        tallies = tallied(streams, rate=stable)
        worse += any(one.worse.log >= TERMS.sure for one in tallies)
        safe += any(one.safe.log >= TERMS.sure for one in tallies)
    return worse, safe


def test_of_two_hundred_equal_versions_few_are_taken_for_worse() -> None:
    worse, safe = _false_verdicts(0.97, 0.0, seed=5)
    assert worse <= 10
    assert safe >= 120


def test_of_two_hundred_versions_at_the_margin_few_are_taken_for_safe() -> None:
    worse, safe = _false_verdicts(0.97, 0.02, seed=6)
    assert safe <= 10
    assert worse >= 60


def test_an_incident_of_both_arms_is_no_regression() -> None:
    incident = [(29.0, 1.0, 87.0, 3.0)] * 5 + [(15.0, 15.0, 45.0, 45.0)] * 10
    tallies = tallied(incident, rate=0.97)
    assert max(one.worse.log for one in tallies) < math.log(3)
    drop = tallies[-1].recent.drop
    assert drop is not None
    assert abs(drop) < 1e-9


def test_recent_shares_are_of_the_same_requests_whatever_the_weights() -> None:
    """A dip of both arms while the weight is high is no drop, as pooled shares would have it."""
    tally = tallied([(5, 0, 95, 0)] * 10 + [(45, 5, 45, 5)] * 5)[-1]
    assert tally.recent.shares is not None
    candidate, stable = tally.recent.shares
    assert candidate == pytest.approx(stable)
    assert tally.candidate.good / tally.candidate.total < tally.stable.good / tally.stable.total


def test_begun_with_another_history_the_rate_finds_stable() -> None:
    wrong = tallied([(26, 4, 77, 13)] * 15, rate=0.99)[-1]
    assert wrong.rate.failures == pytest.approx(13 / 90, rel=0.06)
    assert Rate.known(0.99).failures == pytest.approx(0.015, rel=0.02)
    assert replace(wrong, rate=Rate.known(0.5)).rate.failures == pytest.approx(0.5)
