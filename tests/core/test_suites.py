"""Verdicts on suites of evaluation tasks: golden numbers, plain enumeration, and tables."""

import math
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.api.rollout_status import Verdict
from turnout.core.sequential.broken import Outcomes
from turnout.core.sequential.pairs import STAKES, Pairs, Winnings, beside, recorded
from turnout.core.suites import counts
from turnout.core.suites.counts import Counts, Groups, Rate, Task, Trials
from turnout.core.suites.tally import Round, Tally
from turnout.core.suites.verdict import Judgement, Reason, Suite, replay

PASSED, FAILED, BROKE = Trials(passed=1), Trials(failed=1), Trials(errors=1)
FIFTY = tuple(f"task-{number:02}" for number in range(50))
RECORD = dict.fromkeys(FIFTY, Trials(17, 3))


def all_of(trials: Trials, suite: tuple[str, ...] = FIFTY, **others: Trials) -> dict[str, Trials]:
    return dict.fromkeys(suite, trials) | {k.replace("_", "-"): v for k, v in others.items()}


def rounds(count: int, candidate: Counts, baseline: Counts | None = None) -> list[Round]:
    return [Round(candidate, {} if baseline is None else baseline)] * count


def ruled(judgement: Judgement) -> tuple[Verdict, Reason, bool]:
    return judgement.ruling.verdict, judgement.ruling.reason, judgement.is_over


@pytest.mark.parametrize(
    ("pairs", "worse", "safe"),
    [
        ((10, 2, 238), 7.81714, 1.36016),
        ((20, 10, 220), 2.42583, 0.57396),
        ((12, 12, 226), 0.38713, 8.52615),
        ((4, 4, 242), 0.53975, 115.72475),
        ((2, 14, 234), 0.12605, 137096.66),
    ],
)
def test_trials_run_pair_by_pair_give_the_published_evidence(
    pairs: tuple[int, int, int], worse: float, safe: float
) -> None:
    """Each pair is a task of its own, so nothing speaks of a broken one before three trials."""
    regressed, improved, tied = pairs
    own = [FAILED] * regressed + [PASSED] * (improved + tied)
    other = [PASSED] * regressed + [FAILED] * improved + [PASSED] * tied
    names = tuple(str(number) for number in range(len(own)))
    both = Round(dict(zip(names, own, strict=True)), dict(zip(names, other, strict=True)))
    tally = Suite(names, margin=0.05).begun().after(both)
    found = tally.winnings.evidence()
    assert math.exp(found[0]) == pytest.approx(worse, abs=5e-6)
    assert math.exp(found[1]) == pytest.approx(safe, rel=1e-6, abs=5e-6)
    assert math.exp(tally.worse) == pytest.approx(0.7 * worse + 0.3, abs=5e-6)


@pytest.mark.parametrize("own", [(2, 1), (1, 2), (0, 3), (4, 0), (2, 2)])
@pytest.mark.parametrize("other", [(3, 0), (1, 2), (2, 2), (0, 2), (1, 0)])
def test_counts_pay_the_mean_over_all_ways_to_pair_their_trials(
    own: tuple[int, int], other: tuple[int, int]
) -> None:
    mine, theirs = [1] * own[0] + [0] * own[1], [1] * other[0] + [0] * other[1]
    size = min(len(mine), len(theirs))
    ways = [
        tuple(zip(some, others, strict=True))
        for some in permutations(mine, size)
        for others in permutations(theirs, size)
    ]
    paid = [
        Pairs(way.count((0, 1)), way.count((1, 0)), size - sum(a != b for a, b in way)).gains(0.1)
        for way in ways
    ]
    found = beside(Outcomes(*own), Outcomes(*other), 0.1)
    for side in (0, 1):
        for stake, gain in enumerate(found[side]):
            mean = math.fsum(math.exp(one[side][stake]) for one in paid) / len(paid)
            assert math.exp(gain) == pytest.approx(mean)


@pytest.mark.parametrize("trials", [(1, 1), (3, 3), (4, 2), (2, 5)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.93])
def test_no_stake_wins_on_average_where_its_hypothesis_holds(
    trials: tuple[int, int], share: float
) -> None:
    own, other = trials
    gains = [0.0] * len(STAKES), [0.0] * (len(STAKES) - 1)
    margin = 0.08
    for mine, theirs in product(range(own + 1), range(other + 1)):
        paid = beside(Outcomes(own - mine, mine), Outcomes(other - theirs, theirs), margin)
        for side, drop in ((0, 0.0), (1, margin)):
            chance = _chance(own, mine, 1 - share + drop) * _chance(other, theirs, 1 - share)
            for stake, gain in enumerate(paid[side]):
                gains[side][stake] += chance * math.exp(gain)
    assert max(gains[0] + gains[1]) <= 1 + 1e-12


def _chance(trials: int, failures: int, share: float) -> float:
    return float(math.comb(trials, failures) * share**failures * (1 - share) ** (trials - failures))


def test_trials_against_a_record_pay_as_pairs_do_where_the_record_is_sure() -> None:
    won = Winnings().after(recorded(Outcomes(6, 3), 1.0, 0.05))
    won = won.after(recorded(Outcomes(1, 0), 0.0, 0.05))
    pairs = Winnings().after(Pairs(regressed=3, improved=1, tied=6).gains(0.05))
    assert won.evidence() == pytest.approx(pairs.evidence())


def test_an_equal_candidate_passes_against_a_record_after_some_rounds() -> None:
    own = [all_of(PASSED) | dict.fromkeys(FIFTY[7 * n : 7 * n + 7], FAILED) for n in range(7)]
    judgement = replay(Suite(FIFTY), [Round(one) for one in own], RECORD)
    assert ruled(judgement) == (Verdict.PASS, Reason.SAFE, True)
    assert judgement.trials == 3
    assert judgement.candidate is not None
    assert judgement.candidate.value == pytest.approx(0.86)
    assert judgement.candidate.high == pytest.approx(0.906064614)
    assert judgement.candidate.low == pytest.approx(0.813935386)
    assert judgement.baseline == Rate(0.85, 0.85, 0.85)
    assert judgement.safe >= math.log(20) > judgement.worse


def test_a_candidate_with_broken_tasks_fails_by_their_names() -> None:
    own = all_of(PASSED) | dict.fromkeys(FIFTY[10:20], FAILED)
    judgement = replay(Suite(FIFTY), rounds(10, own, all_of(PASSED)))
    assert ruled(judgement) == (Verdict.FAIL, Reason.REGRESSED, True)
    assert judgement.trials == 2
    assert judgement.groups.regressed == judgement.ruling.blamed == FIFTY[10:20]
    assert judgement.groups.improved == ()
    assert len(judgement.groups.tied) == 40


def test_one_broken_task_of_many_is_found_where_each_is_tried_four_times() -> None:
    own, sure = all_of(PASSED, task_07=FAILED), dict.fromkeys(FIFTY, Trials(20, 0))
    judgement = replay(Suite(FIFTY, fewest=4), rounds(4, own), sure)
    assert judgement.ruling.verdict is Verdict.FAIL
    assert judgement.ruling.blamed == ("task-07",)
    assert replay(Suite(FIFTY, fewest=2), rounds(4, own), sure).ruling.verdict is Verdict.PASS


def _after(trials: list[Round], record: Counts | None = None) -> Tally:
    tally = Suite(FIFTY).begun(record)
    for one in trials:
        tally = tally.after(one)
    return tally


def test_one_failure_of_a_task_that_must_pass_blocks_at_once() -> None:
    suite = Suite(FIFTY, must_pass=frozenset({"task-03"}))
    judgement = replay(suite, rounds(1, all_of(PASSED, task_03=FAILED), all_of(PASSED)))
    assert ruled(judgement) == (Verdict.FAIL, Reason.REQUIRED_FAILED, True)
    assert judgement.ruling.blamed == judgement.groups.regressed == ("task-03",)


def test_a_task_that_must_pass_and_only_met_errors_neither_fails_nor_lets_pass() -> None:
    suite = Suite(FIFTY, must_pass=frozenset({"task-03"}))
    judgement = replay(suite, rounds(10, all_of(PASSED, task_03=BROKE), all_of(PASSED)))
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.UNEVEN_ERRORS, True)
    both = all_of(PASSED, task_03=BROKE)
    judgement = replay(suite, rounds(10, both, both))
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.TOO_FEW_TRIALS, True)
    assert judgement.ruling.blamed == ("task-03",)


def test_no_verdict_on_the_mean_comes_before_the_fewest_trials() -> None:
    judgement = replay(Suite(FIFTY, fewest=3), rounds(2, all_of(FAILED), all_of(PASSED)))
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.TOO_FEW_TRIALS, False)
    assert judgement.worse > math.log(20)


def test_nothing_is_missing_before_the_first_round() -> None:
    assert ruled(replay(Suite(FIFTY), [])) == (Verdict.CONTINUE, Reason.TOO_FEW_TRIALS, False)


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_a_task_that_one_version_lacks_is_named_and_ends_the_run(side: str) -> None:
    whole, part = all_of(PASSED), all_of(PASSED, FIFTY[1:])
    trials = Round(part, whole) if side == "candidate" else Round(whole, part)
    judgement = replay(Suite(FIFTY), [trials, trials])
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.MISSING_TASKS, True)
    assert judgement.ruling.blamed == ("task-00",)
    assert judgement.trials <= 1


def test_a_suite_without_tasks_says_nothing() -> None:
    assert ruled(replay(Suite(()), [Round({})])) == (Verdict.CONTINUE, Reason.MISSING_TASKS, True)


def test_trials_of_tasks_that_are_not_of_the_suite_are_left_aside() -> None:
    extra = all_of(PASSED) | {"other": FAILED}
    tally = _after([Round(extra, extra)])
    assert set(tally.tasks) == set(FIFTY)


def test_a_record_of_few_trials_stands_for_nothing() -> None:
    thin = RECORD | {"task-11": Trials(18, 1), "task-12": Trials(0, 0, 30)}
    judgement = replay(Suite(FIFTY), rounds(1, all_of(PASSED)), thin)
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.THIN_BASELINE, True)
    assert judgement.ruling.blamed == ("task-11", "task-12")
    assert math.isfinite(_after(rounds(1, all_of(PASSED)), thin).safe)


def test_where_errors_are_many_there_is_no_verdict_but_further_rounds() -> None:
    broke = all_of(PASSED) | dict.fromkeys(FIFTY[:10], BROKE)
    judgement = replay(Suite(FIFTY), rounds(3, broke), RECORD)
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.TOO_MANY_ERRORS, False)
    assert judgement.ruling.blamed == FIFTY[:10]
    assert ruled(replay(Suite(FIFTY), rounds(20, broke), RECORD))[2] is True


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_errors_of_one_version_alone_leave_nothing_to_compare(side: str) -> None:
    met = all_of(PASSED) | dict.fromkeys(FIFTY[:6], BROKE)
    trials = Round(met, all_of(PASSED)) if side == "candidate" else Round(all_of(PASSED), met)
    judgement = replay(Suite(FIFTY, ceiling=0.2), rounds(2, trials.candidate, trials.baseline))
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.UNEVEN_ERRORS, False)
    assert judgement.ruling.blamed == FIFTY[:6]


def test_a_run_without_a_verdict_ends_with_its_last_round() -> None:
    suite = Suite(FIFTY[:4], margin=0.05, most=3)
    trials = rounds(9, all_of(PASSED, FIFTY[:4]), all_of(PASSED, FIFTY[:4]))
    assert ruled(replay(suite, trials[:2])) == (Verdict.CONTINUE, Reason.TOO_FEW_TRIALS, False)
    judgement = replay(suite, trials)
    assert ruled(judgement) == (Verdict.CONTINUE, Reason.INCONCLUSIVE, True)
    assert judgement.trials == 3


def test_improved_tasks_are_told_apart_from_tied_ones() -> None:
    tasks = [
        Task("better", Trials(3, 0), Trials(0, 3)),
        Task("worse", Trials(0, 5), Trials(5, 0)),
        Task("worst", Trials(0, 9), Trials(9, 0)),
        Task("flaky", Trials(7, 3), Trials(17, 3)),
        Task("unknown"),
        Task("required", Trials(9, 1), Trials(5, 5), must_pass=True),
    ]
    assert counts.grouped(tasks) == Groups(
        ("required", "worst", "worse"), ("better",), ("flaky", "unknown")
    )


def test_a_pass_rate_is_the_mean_of_tasks_and_its_interval_stands_on_their_differences() -> None:
    assert counts.pass_rate([Trials(), BROKE]) is None
    assert counts.pass_rate([Trials(1, 3)]) == Rate(0.25, 0.0, 1.0)
    rate = counts.pass_rate([Trials(10, 0), Trials(0, 1), Trials(1, 1), BROKE])
    assert rate == Rate(0.5, 0.0, 1.0)
    narrow = counts.pass_rate([Trials(3, 1), Trials(1, 1)] * 8)
    assert narrow is not None
    assert narrow.high - narrow.value == pytest.approx(1.959964 * 0.129099 / 4, rel=1e-5)


def test_reliability_is_the_chance_of_passes_in_a_row() -> None:
    trials = [Trials(10, 0), Trials(5, 5), Trials(2, 0)]
    assert counts.reliability(trials, 1) == pytest.approx((1 + 0.5 + 1) / 3)
    assert counts.reliability(trials, 3) == pytest.approx((1 + 10 / 120) / 2)
    assert counts.reliability(trials, 11) is None


SOME = st.builds(Trials, *(st.integers(min_value=0, max_value=most) for most in (3, 3, 1)))
PARTS = st.lists(st.dictionaries(st.sampled_from(FIFTY[:5]), SOME), max_size=6)


@settings(max_examples=40)
@given(own=PARTS, other=PARTS, is_recorded=st.booleans())
def test_replaying_rounds_gives_the_same_bits_and_a_verdict_ends_them(
    *, own: list[dict[str, Trials]], other: list[Counts], is_recorded: bool
) -> None:
    suite = Suite(FIFTY[:5], must_pass=frozenset(FIFTY[:1]), most=6)
    record = dict.fromkeys(FIFTY[:5], Trials(18, 4)) if is_recorded else None
    trials = [Round(*both) for both in zip(own, other, strict=False)]
    whole = replay(suite, trials, record)
    turned = [Round(dict(sorted(a.items())), b) for a, b in zip(own, other, strict=False)]
    assert whole == replay(suite, turned, record)
    assert whole.is_over or whole.ruling.verdict is Verdict.CONTINUE
    for count in range(len(trials)):
        if replay(suite, trials[:count], record).is_over:
            assert replay(suite, trials[:count], record) == whole
    assert sorted(whole.groups.regressed + whole.groups.improved + whole.groups.tied) == list(
        FIFTY[:5]
    )
