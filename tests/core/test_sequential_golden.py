"""The gate's statistics against numbers that others computed, and against plain enumeration."""

import math
from itertools import product

import pytest
from scipy.stats import nchypergeom_fisher

from tests.core.sequential import GOLDEN, tallied
from turnout.core.sequential import guesses
from turnout.core.sequential import nearest as near
from turnout.core.sequential.bets import MOST, mixed, plain
from turnout.core.sequential.broken import Outcomes, broken, fisher, with_broken
from turnout.core.sequential.cost import CostTally, Drift, Spend, one_sided, sharpest
from turnout.core.sequential.guesses import SAFE_PRIOR, WORSE_PRIOR, Block
from turnout.core.sequential.nearest import nearest
from turnout.core.sequential.noise import Noise
from turnout.core.sequential.pairs import usual_margin
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.split import OFF, split_evidence

SIX_DIGITS = 1e-6


def test_four_looks_give_the_published_rate_and_evidence() -> None:
    tallies = tallied(GOLDEN)
    rates = [Rate.known(0.95), *(one.rate for one in tallies[:3])]
    assert [1 - one.failures for one in rates] == pytest.approx(
        [0.945545, 0.972916, 0.973177, 0.978419], abs=SIX_DIGITS
    )
    assert [one.worse.log for one in tallies] == pytest.approx(
        [0.574304, 5.541005, 11.028761, 19.435863], abs=SIX_DIGITS
    )
    assert [one.safe.log for one in tallies] == pytest.approx(
        [-0.424806, -1.958633, -2.552494, -2.917193], abs=SIX_DIGITS
    )


def test_the_nearest_pair_at_the_margin_is_the_published_one() -> None:
    stable = nearest(0.05, 0.05, 20, 380, 0.02)
    assert (1 - stable, 1 - stable - 0.02) == pytest.approx((0.950736603, 0.930736603), abs=1e-9)


@pytest.mark.parametrize("share", [1e-6, 0.01, 0.3, 0.97])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 1000), (500, 3), (0.25, 7.5)])
@pytest.mark.parametrize("margin", [0.005, 0.05, 0.6])
def test_the_nearest_pair_loses_less_than_its_neighbours(
    share: float, sizes: tuple[float, float], margin: float
) -> None:
    n1, n0 = sizes
    for fails in (share * 0.05, share, min(share + margin / 2, (1 + share) / 2)):
        stable = nearest(fails, share, n1, n0, margin)

        def lost(other: float, fails: float = fails) -> float:
            return n1 * _divergence(fails, other + margin) + n0 * _divergence(share, other)

        beside = (stable * (1 - 1e-4), stable * (1 + 1e-4))
        assert all(lost(stable) <= lost(other) + 1e-12 for other in beside if other < 1 - margin)


def test_a_pair_is_given_within_so_many_rounds_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = nearest(0.03, 0.05, 20, 380, 0.02)
    monkeypatch.setattr(near, "ROUNDS", 1)
    assert nearest(0.03, 0.05, 20, 380, 0.02) == pytest.approx(exact, rel=0.05)


def _divergence(share: float, other: float) -> float:
    return share * math.log(share / other) + (1 - share) * math.log((1 - share) / (1 - other))


def test_one_table_after_another_pays_as_the_published_plug_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """safestats: one success against one failure, guessed 2/3 and 1/3, pays 16/9."""
    monkeypatch.setattr(guesses, "WORSE", (4.0,))
    assert guesses.worse_gains(Block(0, 1, 1, 0), 1 / 3) == pytest.approx([math.log(16 / 9)])
    monkeypatch.setattr(guesses, "WORSE", (9.0,))
    assert guesses.worse_gains(Block(0, 1, 1, 0), 1 / 4) == pytest.approx(
        [2 * math.log(0.75 / 0.5)]
    )


OUTCOMES = [(n1, n0) for n1 in (1, 2, 5) for n0 in (1, 3, 6)]
SHARES = [0.01, 0.05, 0.2, 0.5, 0.9]


def _expected(n1: int, n0: int, p1: float, p0: float, gains: list[list[float]]) -> list[float]:
    """Expect of each guess what it pays, over all outcomes of two arms that fail so often."""
    chances = [
        _chance(n1, x, p1) * _chance(n0, y, p0) for x, y in product(range(n1 + 1), range(n0 + 1))
    ]
    return [
        math.fsum(
            chance * math.exp(paid[guess]) for chance, paid in zip(chances, gains, strict=True)
        )
        for guess in range(len(gains[0]))
    ]


def _chance(trials: int, failures: int, share: float) -> float:
    ways = math.comb(trials, failures)
    return float(ways * share**failures * (1 - share) ** (trials - failures))


def _blocks(n1: int, n0: int) -> list[Block]:
    return [Block(n1 - x, x, n0 - y, y) for x, y in product(range(n1 + 1), range(n0 + 1))]


@pytest.mark.parametrize(("n1", "n0"), OUTCOMES)
@pytest.mark.parametrize("rate", [0.003, 0.05, 0.4])
def test_no_guess_of_worse_wins_on_average_where_the_candidate_is_no_worse(
    n1: int, n0: int, rate: float
) -> None:
    gains = [guesses.worse_gains(block, rate) for block in _blocks(n1, n0)]
    for stable in SHARES:
        for candidate in (stable, stable * 0.9, stable / 4):
            assert max(_expected(n1, n0, candidate, stable, gains)) <= 1 + 1e-12


@pytest.mark.parametrize(("n1", "n0"), OUTCOMES)
@pytest.mark.parametrize("rate", [0.003, 0.05, 0.4])
@pytest.mark.parametrize("margin", [0.02, 0.1])
def test_no_guess_of_safe_wins_on_average_where_the_candidate_is_worse_by_the_margin(
    n1: int, n0: int, rate: float, margin: float
) -> None:
    gains = [guesses.safe_gains(block, rate, margin) for block in _blocks(n1, n0)]
    for stable in (0.0, *SHARES[:-1]):
        for candidate in (stable + margin, stable + 2 * margin, (1 + stable + margin) / 2):
            assert max(_expected(n1, n0, candidate, stable, gains)) <= 1 + 1e-12


@pytest.mark.parametrize("size", [1, 4, 9])
def test_no_guess_of_below_wins_on_average_where_the_minimum_is_reached(size: int) -> None:
    gains = [guesses.floor_gains(size - x, x, 0.2) for x in range(size + 1)]
    for share in (0.0, 0.1, 0.2):
        paid = [
            math.fsum(_chance(size, x, share) * math.exp(gains[x][guess]) for x in range(size + 1))
            for guess in range(len(gains[0]))
        ]
        assert max(paid) <= 1 + 1e-12


def test_the_promise_holds_for_mixed_requests_whose_average_keeps_to_the_hypothesis() -> None:
    """Two requests of each arm, of different difficulty; only their means are alike."""
    candidate, stable = (0.02, 0.38), (0.1, 0.3)
    for rate in (0.05, 0.2):
        total = dict.fromkeys(range(len(WORSE_PRIOR)), 0.0)
        for fails in product((0, 1), repeat=4):
            shares = (*candidate, *stable)
            chance = math.prod(
                share if bad else 1 - share for share, bad in zip(shares, fails, strict=True)
            )
            mine, theirs = sum(fails[:2]), sum(fails[2:])
            for guess, gain in enumerate(
                guesses.worse_gains(Block(2 - mine, mine, 2 - theirs, theirs), rate)
            ):
                total[guess] += chance * math.exp(gain)
        assert max(total.values()) <= 1 + 1e-12


def test_capital_is_spread_whole_at_first() -> None:
    assert math.fsum(WORSE_PRIOR) == pytest.approx(1, abs=1e-15)
    assert math.fsum(SAFE_PRIOR) == pytest.approx(1, abs=1e-15)


def test_evidence_beyond_a_double_is_written_as_a_large_number() -> None:
    assert plain(5000.0) == math.exp(MOST)
    assert mixed([5000.0, 0.0], [0.5, 0.5]) == pytest.approx(5000 + math.log(0.5))


@pytest.mark.parametrize(
    ("requests", "weight", "evidence"),
    [
        ((50, 950), 0.05, 0.2969721),
        ((30, 970), 0.05, 29.19389),
        ((15, 985), 0.05, 2247951),
        ((200, 800), 0.25, 181.8673),
    ],
)
def test_the_evidence_for_a_wrong_split_is_the_published_one(
    requests: tuple[float, float], weight: float, evidence: float
) -> None:
    log = split_evidence(*requests, weight)
    assert math.exp(log) == pytest.approx(evidence, rel=SIX_DIGITS)
    assert (log >= OFF) == (evidence >= 1000)


def test_the_odds_of_one_broken_task_are_the_published_ones() -> None:
    """Two trials a side with two failures in all, odds 2: 1/13, 8/13, 4/13."""
    chances = [fisher(Outcomes(2 - x, x), Outcomes(x, 2 - x), 2.0) for x in range(3)]
    assert chances == pytest.approx([1 / 13, 8 / 13, 4 / 13])
    ratio = fisher(Outcomes(0, 1), Outcomes(1, 0), 3.0) / fisher(
        Outcomes(0, 1), Outcomes(1, 0), 1.0
    )
    assert ratio == pytest.approx(3 / 2)


@pytest.mark.parametrize("odds", [1.0, 30.0])
def test_the_odds_of_a_broken_task_are_those_of_another_implementation(odds: float) -> None:
    trials, beside, failures = 10, 20, 7
    theirs = nchypergeom_fisher(trials + beside, failures, trials, odds)
    for bad in range(failures + 1):
        ours = fisher(
            Outcomes(trials - bad, bad), Outcomes(beside - failures + bad, failures - bad), odds
        )
        assert ours == pytest.approx(float(theirs.pmf(bad)), rel=1e-9)


def test_a_broken_task_speaks_after_three_trials() -> None:
    kept = Outcomes(20, 0)
    assert broken(Outcomes(0, 2), kept) == 1.0
    assert broken(Outcomes(0, 3), kept) > 10
    assert broken(Outcomes(3, 0), Outcomes(18, 2)) < 1.0
    whole = with_broken(0.0, [(Outcomes(0, 5), kept), (Outcomes(5, 0), kept)])
    assert whole > math.log(20)


def test_a_small_suite_has_a_wider_margin() -> None:
    assert (usual_margin(60), usual_margin(61)) == (0.10, 0.05)


def test_the_mixture_for_sums_is_the_published_one() -> None:
    assert sharpest(100, 0.05) == pytest.approx(12.60056, abs=5e-6)
    parameter = sharpest(100, 2 * 0.05)
    assert one_sided(10, 100, parameter) == pytest.approx(-0.06502391, abs=5e-9)
    assert one_sided(27.66071, 100, parameter) == pytest.approx(-math.log(0.05), abs=1e-6)


def test_a_sum_far_below_nothing_is_no_evidence_and_no_error() -> None:
    logs = [one_sided(total, 100.0, 1.0) for total in (-290.0, -301.0, -310.0, -1e6)]
    assert logs == sorted(logs, reverse=True)
    assert logs[-1] < logs[0] < -2


def _costs(factor: float, looks: int = 40) -> CostTally:
    tally = CostTally()
    for number in range(looks):
        wobble = 1 + 0.1 * (-1) ** number
        tally = tally.after(Spend(2.0 * factor * wobble, 10), Spend(20.0 * wobble, 100), 0.15)
    return tally


def test_a_dearer_candidate_is_shown_to_be_and_an_equal_one_is_safe() -> None:
    dear, equal = _costs(1.5), _costs(1.0)
    assert dear.dearer.evidence(0.05) > math.log(20) > dear.safe.evidence(0.05)
    assert equal.safe.evidence(0.05) > math.log(20) > equal.dearer.evidence(0.05)


def test_costs_say_nothing_before_fifteen_looks_and_without_any_scatter() -> None:
    assert _costs(3.0, looks=15).dearer.evidence(0.05) == 0.0
    assert Drift(looks=20, total=20.0, squares=20.0).evidence(0.05) == 0.0


def test_a_look_without_a_price_or_without_the_candidate_is_no_look_at_cost() -> None:
    nothing = Spend()
    tally = CostTally().after(Spend(1, 1), nothing, 0.15).after(Spend(1, 1), Spend(1, 1), 0.15)
    assert tally.dearer.looks == 0
    assert tally.after(nothing, Spend(1, 1), 0.15).dearer.looks == 0
    assert tally.after(Spend(1, 1), nothing, 0.15).dearer.looks == 1


def test_a_steady_drop_is_no_noise_and_a_scatter_is() -> None:
    steady = scattered = Noise()
    for number in range(30):
        steady = steady.after(Block(90, 10, 480, 20))
        bad = 10 * (number % 2)
        scattered = scattered.after(Block(100 - bad, bad, 475, 25))
    assert steady.factor == 1.0
    assert 4 < scattered.factor < 8


def test_blocks_in_which_all_fare_alike_or_one_arm_is_silent_say_nothing_of_noise() -> None:
    unchanged = Noise()
    for block in (Block(5, 0, 9, 0), Block(0, 5, 0, 9), Block(0, 0, 8, 1), Block(3, 1, 0, 0)):
        assert unchanged.after(block) == unchanged
    assert unchanged.after(Block(0.5, 0.5, 0, 0)) == unchanged
    assert unchanged.factor == 1.0
