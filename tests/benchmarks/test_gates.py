import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu

from benchmarks.gates import mannwhitney, nulls, rivals
from benchmarks.gates.__main__ import main
from benchmarks.gates.bench import Bench
from benchmarks.gates.breaks import in_a_row
from benchmarks.gates.efficiency import Setting
from benchmarks.gates.learning import learned
from benchmarks.gates.projection import project
from benchmarks.gates.report import Estimate, Target, difference, mean, quantile, worst
from benchmarks.gates.run import Rule, Verdict, judge
from benchmarks.gates.sessions import Sessions
from benchmarks.gates.streams import Case, Stream
from benchmarks.gates.twin import Look, Terms, Twin

GOLDEN = (
    ((18, 2, 372, 8), 0.574304, -0.424806),
    ((15, 5, 370, 10), 5.541005, -1.958633),
    ((16, 4, 375, 5), 11.028761, -2.552494),
    ((14, 6, 371, 9), 19.435863, -2.917193),
)


def stream_of(*looks: tuple[int, int, int, int], minutes: float = 1.0) -> Stream:
    return Stream(np.array(looks).T[:, :, None], minutes)


def test_the_twin_gives_the_published_evidence() -> None:
    twin = Twin(Terms(0.02, 0.95), 1)
    for counts, log_fail, log_pass in GOLDEN:
        good1, bad1, good0, bad0 = np.array(counts, dtype=float)[:, None]
        twin.look(np.array([0]), Look(good1, bad1, good0, bad0), 1.0)
        assert twin.log_fail[0] == pytest.approx(log_fail, abs=5e-7)
        assert twin.log_pass[0] == pytest.approx(log_pass, abs=5e-7)


def test_a_look_without_candidate_requests_leaves_the_evidence_alone() -> None:
    twin = Twin(Terms(0.02, 0.95), 1)
    zero, many = np.zeros(1), np.full(1, 300.0)
    twin.look(np.array([0]), Look(zero, zero, many, zero), 1.0)
    assert (twin.log_fail[0], twin.log_pass[0], twin.drop[0]) == (0, 0, -math.inf)


def slope(at: float, own: float, other: float, sizes: tuple[int, int], margin: float) -> float:
    down = at - margin
    pull = sizes[0] * (down - own) / (down * (1 - down))
    return pull + sizes[1] * (at - other) / (at * (1 - at))


def test_the_nearest_null_is_the_root_of_the_distance_s_slope() -> None:
    rng = np.random.default_rng(3)
    for margin in (0.02, 0.05) * 25:
        other = float(rng.uniform(0.3, 0.999))
        own = float(rng.uniform(other - 0.5 * margin, min(other + margin, 0.9999)))
        n1, n0 = (int(one) for one in rng.integers(1, 900, 2))
        most = min(own + margin, 1 - 1e-12)
        expected = brentq(slope, other, most, args=(own, other, (n1, n0), margin), xtol=1e-15)
        one, two, candidate, stable = np.array([[own], [other], [n1], [n0]], dtype=float)
        [found] = project(one, two, candidate, stable, margin)
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("case", "noisy"),
    [
        (Case(0.97, 0.0, 2, 0.25), False),
        (Case(0.80, 0.05, 50, 0.05, incident=True), False),
        (Case(0.90, 0.90, 0.2, 0.05, minutes=1 / 6, looks=240), False),
        (Case(0.97, 0.02, 2, 0.25), True),
    ],
    ids=str,
)
def test_the_twin_agrees_with_the_production_gate(case: Case, *, noisy: bool) -> None:
    bench = Bench(seed=5, repetitions=6)
    rng = bench.rng(0)
    before = Sessions(5, 0.3).draw(rng, 0.97, (60, 60), (60, 6))
    terms = Terms(case.margin, case.stable, prior=learned(before) if noisy else None)
    judge(case.draw(rng, 6), bench.make(terms, 6), Rule.of(terms))
    assert len(bench.ledger.followed) == 6
    assert bench.ledger.verdicts == 0
    assert bench.ledger.apart < 1e-9


def test_the_production_gate_alone_gives_the_same_tables() -> None:
    by_twin, by_production = (
        str(nulls.run(Bench(seed=2, repetitions=3, production=one))) for one in (False, True)
    )
    assert by_twin == by_production


@pytest.mark.parametrize("production", [False, True])
def test_nothing_is_promoted_where_only_fails_are_asked_for(*, production: bool) -> None:
    bench = Bench(seed=1, repetitions=2, production=production)
    terms = Terms(0.02, 0.97, passes=False)
    stream = Case(0.97, -0.02, 50, 0.25, looks=20).draw(bench.rng(0), 2)
    outcome = judge(stream, bench.make(terms, 2), Rule.of(terms))
    assert outcome.share(Verdict.WAITING) == 1


def test_another_seed_gives_other_traffic_and_the_same_seed_the_same() -> None:
    first, again, other = (Case(0.9).draw(Bench(seed, 5).rng(1), 5).counts for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(
    ("value", "error", "goal", "least", "met"),
    [
        (0.05, 0.0, 0.05, False, True),
        (0.06, 0.005, 0.05, False, True),
        (0.0601, 0.005, 0.05, False, False),
        (0.96, 0.005, 0.97, True, True),
        (0.959, 0.005, 0.97, True, False),
        (math.nan, 0.0, 0.97, True, False),
    ],
)
def test_a_target_is_met_within_two_standard_errors(
    value: float, error: float, goal: float, *, least: bool, met: bool
) -> None:
    assert Target("G0", "", Estimate(value, error), goal, least).met is met


def test_the_worst_scenario_is_the_nearest_to_missing_its_goal() -> None:
    found = [("sure", Estimate(0.04, 0.001)), ("vague", Estimate(0.045, 0.01))]
    assert worst("G0", "figure", found, 0.05).what == "figure (worst: sure)"


def test_what_is_no_number_is_never_met_and_never_close() -> None:
    nan = Estimate(math.nan)
    found = [("bad", Estimate(9.0)), ("none", nan), ("good", Estimate(0.0))]
    assert worst("G0", "figure", found, 5.0).found is nan
    assert not worst("G0", "figure", found, 5.0).met
    assert difference(math.nan, 1.0) == math.inf


def test_estimates_know_their_errors() -> None:
    shares = mean(np.arange(400) < 100)
    assert shares.value == 0.25
    assert shares.error == pytest.approx(math.sqrt(0.25 * 0.75 / 400))
    median = quantile(np.arange(10_001.0), 0.5)
    assert median.value == pytest.approx(5000, abs=1)
    assert median.error == pytest.approx(50, abs=2)


@pytest.mark.parametrize(
    ("setting", "bound"),
    [((0.97, 0.02, 0.05), 554), ((0.97, 0.05, 0.25), 148), ((0.80, 0.30, 0.05), 14)],
)
def test_the_least_requests_to_show_a_drop_are_those_of_theory(
    setting: tuple[float, float, float], bound: float
) -> None:
    assert Setting(*setting).fail_bound() == pytest.approx(bound, abs=0.5)


@pytest.mark.parametrize(
    ("setting", "bound"),
    [((0.97, 0.02, 0.05), 630), ((0.97, 0.02, 0.25), 718), ((0.80, 0.05, 0.05), 446)],
)
def test_the_least_requests_to_show_safety_are_those_of_theory(
    setting: tuple[float, float, float], bound: float
) -> None:
    assert Setting(*setting).pass_bound() == pytest.approx(bound, abs=0.5)


def test_argo_rolls_back_on_the_fourth_failure_and_skips_minutes_without_requests() -> None:
    bad, empty, good = (9, 1, 50, 0), (0, 0, 50, 0), (10, 0, 50, 0)
    stream = stream_of(bad, empty, bad, good, bad, bad)
    assert rivals.threshold(stream, 0.95).tolist() == [5]
    assert rivals.threshold(stream_of(bad, bad, bad, good), 0.95).tolist() == [-1]


def test_flagger_counts_a_check_without_data_as_a_failed_one() -> None:
    empty = (0, 0, 50, 0)
    assert rivals.flagger(stream_of(*[empty] * 6)).tolist() == [4]


def test_mann_whitney_on_minutes_is_that_of_scipy() -> None:
    stream = Case(0.9, 0.04, 2, 0.25).draw(np.random.default_rng(1), 40)
    own = stream.good1 / np.maximum(stream.requests1, 1)
    other = stream.good0 / np.maximum(stream.requests0, 1)
    asked = stream.requests1 > 0
    expected = [
        mannwhitneyu(
            own[asked[:, one], one], other[:, one], alternative="less", method="asymptotic"
        ).pvalue
        < 0.02
        for one in range(40)
    ]
    assert (mannwhitney.once(stream) >= 0).tolist() == expected


def test_sessions_have_the_rate_and_the_correlation_that_they_are_given() -> None:
    drawn = Sessions(5, 0.3).draw(np.random.default_rng(1), 0.9, (500, 500), (200, 50))
    bad, asked = drawn.counts[1], drawn.requests1
    assert bad.sum() / asked.sum() == pytest.approx(0.1, abs=0.002)
    inflated = 1 + 4 * 0.3
    spread = (bad - 0.1 * asked).var() / (0.1 * 0.9 * asked.mean())
    assert spread == pytest.approx(inflated, rel=0.05)


def test_few_failures_in_a_row_are_enough_where_stable_seldom_fails() -> None:
    lines = [line.split() for line in in_a_row().splitlines()[2:]]
    assert lines[1] == ["0.97", "2", "2"]
    assert lines[-1] == ["0.50", "6", "9"]


def test_a_verdict_stays_and_ends_the_stream() -> None:
    terms = Terms(0.02, 0.97)
    stream = Case(0.97, 0.97, 50, 0.25).draw(np.random.default_rng(1), 4)
    outcome = judge(stream, Twin(terms, 4), Rule.of(terms))
    assert outcome.share(Verdict.ROLLED_BACK) == 1
    assert outcome.minute.tolist() == [1.0] * 4
    assert (outcome.requests == stream.requests1[0]).all()


def test_a_run_prints_and_writes_every_target_and_fails_where_one_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tables.txt"
    code = main(["--seed", "3", "--repetitions", "2", "--out", str(out)])
    printed = capsys.readouterr().out
    assert out.read_text() == printed
    board = printed.split("## Targets")[1].splitlines()
    names = {line.split()[0] for line in board if line.startswith(("G", "twin"))}
    assert names == {f"G{number}" for number in range(1, 12)} | {"twin"}
    [streams] = [line for line in board if "streams compared" in line]
    assert streams.endswith("MISSED")
    assert code == 1
