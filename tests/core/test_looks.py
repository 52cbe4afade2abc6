"""From raw counter samples to windows."""

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.core.looks import (
    ArmRole,
    Cadence,
    Counts,
    Member,
    Readings,
    Says,
    Series,
    Window,
    close_windows,
)

CADENCE = Cadence(interval=10, scrape=2)
CANDIDATE = Member(ArmRole.CANDIDATE, created=0)
STABLE = Member(ArmRole.STABLE, created=0)
MEMBERS = {"new": CANDIDATE, "old": STABLE}


def counter(pod: str, *samples: tuple[float, float]) -> Series:
    return Series(pod, tuple(samples))


def both(*series: Series) -> Readings:
    """Every request is good."""
    return Readings(series, series)


def steady(pod: str, until: float, rate: float = 1.0, every: float = 2.0) -> Series:
    times = [every * number for number in range(int(until / every) + 1)]
    return Series(pod, tuple((at, at * rate) for at in times))


def test_a_window_ends_at_a_multiple_of_the_interval_and_counts_both_arms() -> None:
    windows = close_windows(both(steady("new", 24), steady("old", 24, 3)), MEMBERS, 0, 24, CADENCE)
    assert [(one.start, one.end) for one in windows] == [(0, 10), (10, 20)]
    assert windows[0].candidate == Counts(10, 10)
    assert windows[1].stable == Counts(30, 30)


def test_the_first_window_begins_where_evidence_begins() -> None:
    (window,) = close_windows(both(steady("new", 14)), MEMBERS, 6.5, 14, CADENCE)
    assert (window.start, window.end, window.candidate.total) == (6.5, 10, 4)


def test_a_window_stays_open_until_every_series_has_moved_on() -> None:
    readings = both(steady("new", 12), steady("old", 10))
    assert close_windows(readings, MEMBERS, 0, 11.5, CADENCE) == ()
    assert len(close_windows(readings, MEMBERS, 0, 12, CADENCE)) == 1, "a scrape later it closes"


def test_a_window_closes_at_once_when_every_series_has_moved_on() -> None:
    readings = both(steady("new", 12), steady("old", 12))
    assert len(close_windows(readings, MEMBERS, 0, 10.5, CADENCE)) == 1


def test_a_window_without_a_fresh_sample_of_the_candidate_is_not_closed() -> None:
    readings = both(steady("new", 4), steady("old", 40))
    assert close_windows(readings, MEMBERS, 0, 40, CADENCE) == ()


def test_a_gap_becomes_one_longer_window_in_which_nothing_is_lost() -> None:
    before = [(float(at), float(at)) for at in range(0, 14, 2)]
    after = [(float(at), float(at)) for at in range(60, 74, 2)]
    windows = close_windows(both(Series("new", (*before, *after))), MEMBERS, 0, 74, CADENCE)
    assert [(one.start, one.end) for one in windows] == [(0, 10), (10, 60), (60, 70)]
    assert sum(one.candidate.total for one in windows) == 70


def test_a_counter_that_starts_again_loses_nothing() -> None:
    series = counter("new", (0, 100), (4, 108), (6, 2), (10, 6), (12, 7))
    (window,) = close_windows(both(series), MEMBERS, 0, 12, CADENCE)
    assert window.candidate.total == 8 + 2 + 4


@pytest.mark.parametrize(
    ("created", "seen_before", "expected"),
    [(5, False, 7.0), (-100, True, 7.0), (-100, False, 3.0)],
    ids=["a pod younger than the window", "a pod scraped before", "an old pod never scraped"],
)
def test_a_series_that_appears_begins_at_zero_unless_its_past_is_unknown(
    *, created: float, seen_before: bool, expected: float
) -> None:
    fresh = counter("new", (6, 4), (10, 7), (12, 7))
    other = (counter("new", (-2, 0), (10, 0), (12, 0)),) if seen_before else ()
    members = {"new": Member(ArmRole.CANDIDATE, created)}
    (window,) = close_windows(both(fresh, *other), members, 0, 12, CADENCE)
    assert window.candidate.total == expected


def test_good_requests_are_never_more_than_all() -> None:
    readings = Readings((steady("new", 12, 2),), (steady("new", 12, 1),))
    (window,) = close_windows(readings, MEMBERS, 0, 12, CADENCE)
    assert window.candidate == Counts(10, 10)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300])
def test_a_sample_that_is_no_count_is_no_sample(value: float) -> None:
    series = counter("new", (0, 0), (4, value), (10, 5), (12, 5))
    (window,) = close_windows(both(series), MEMBERS, 0, 12, CADENCE)
    assert window.candidate.total == 5


def test_samples_of_unknown_pods_are_not_counted() -> None:
    readings = both(steady("new", 12), steady("stranger", 12, 100))
    (window,) = close_windows(readings, MEMBERS, 0, 12, CADENCE)
    assert (window.candidate.total, window.stable.total) == (10, 0)


def test_an_arm_that_was_not_asked_has_no_share() -> None:
    assert Counts().share is None
    assert (Counts(1, 2) + Counts(2, 2)).share == 0.75


@st.composite
def counters(draw: st.DrawFn, pod: str) -> Series:
    """A counter with gaps, late starts, restarts and fractions of requests."""
    steps = draw(st.lists(st.integers(1, 9), min_size=1, max_size=60))
    times = list(accumulate(steps))
    values, value = [], 0.0
    for _ in times:
        grown = draw(st.floats(0, 50, allow_nan=False))
        value = grown if draw(st.integers(0, 19)) == 0 else value + grown
        values.append(value)
    return Series(pod, tuple(zip(map(float, times), values, strict=True)))


@given(counters("new"), counters("old"), st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_closing_look_by_look_gives_the_same_as_closing_in_one_go(
    new: Series, old: Series, pauses: list[int]
) -> None:
    end = float(sum(pauses))
    one_by_one: list[Window] = []
    for now in map(float, accumulate(pauses)):
        seen = [Series(one.pod, tuple(s for s in one.samples if s[0] <= now)) for one in (new, old)]
        since = one_by_one[-1].end if one_by_one else 0.0
        one_by_one += close_windows(both(*seen), MEMBERS, since, now, CADENCE)
    whole = [Series(one.pod, tuple(s for s in one.samples if s[0] <= end)) for one in (new, old)]
    at_once = close_windows(both(*whole), MEMBERS, 0.0, end, CADENCE)
    assert [(one.start, one.end) for one in one_by_one] == [(one.start, one.end) for one in at_once]
    for mine, theirs in zip(one_by_one, at_once, strict=True):
        assert mine.candidate.total == pytest.approx(theirs.candidate.total, abs=1e-9)
        assert mine.stable.total == pytest.approx(theirs.stable.total, abs=1e-9)


def test_bad_ones_among_all_leave_the_good_ones() -> None:
    bad, total = steady("new", 24, 0.2), steady("new", 24)
    windows = close_windows(Readings((bad,), (total,), Says.BAD), MEMBERS, 0, 24, CADENCE)
    assert [one.candidate for one in windows] == [Counts(8, 10), Counts(8, 10)]
    assert Readings((), (), Says.BAD).counts(3, 2) == Counts(0, 2), "scraped a moment apart"


def test_no_bad_ones_are_all_good() -> None:
    (window,) = close_windows(Readings((), (steady("new", 14),), Says.BAD), MEMBERS, 0, 14, CADENCE)
    assert window.candidate == Counts(10, 10)


def test_an_amount_is_no_part_of_what_it_was_spent_for() -> None:
    cost, tasks = steady("new", 24, 0.25), steady("new", 24, 0.1)
    windows = close_windows(Readings((cost,), (tasks,), Says.AMOUNT), MEMBERS, 0, 24, CADENCE)
    assert [one.candidate for one in windows] == [Counts(2.5, 1), Counts(2.5, 1)]


def test_who_spends_without_a_success_is_seen() -> None:
    costs = Readings((steady("new", 24),), (), Says.AMOUNT)
    windows = close_windows(costs, MEMBERS, 0, 24, CADENCE)
    assert [one.candidate for one in windows] == [Counts(10, 0), Counts(10, 0)]


@pytest.mark.parametrize(
    ("now", "closed", "due"),
    [
        (10.5, 10.0, 20.5),
        (10.0, 0.0, 10.5),
        (10.5, 0.0, 12.0),
        (10.5, None, 12.0),
        (12.0, 0.0, 20.5),
        (19.9, 10.0, 20.5),
        (20.5, 20.0, 30.5),
    ],
    ids=[
        "its window is closed: the next one",
        "samples come shortly after the end",
        "they had not come: a scrape after the end they must have",
        "no window was ever closed",
        "they did not come at all",
        "just before the next end",
        "closed as soon as it can be",
    ],
)
def test_a_look_is_due_when_samples_come_and_again_when_they_must_have(
    *, now: float, closed: float | None, due: float
) -> None:
    assert Cadence(interval=10, scrape=2, lag=0.5).next_look(now, closed) == due


@pytest.mark.parametrize("lag", [2.0, 5.0, math.inf])
@pytest.mark.parametrize(("now", "due"), [(10.0, 12.0), (11.9, 12.0), (12.0, 22.0)])
def test_nothing_waits_longer_than_a_scrape_interval(now: float, due: float, lag: float) -> None:
    cadence = Cadence(interval=10, scrape=2, lag=lag)
    assert (cadence.next_look(now, None), cadence.next_look(now, 0.0)) == (due, due)


@given(st.floats(0, 100), st.sampled_from([0.5, 2.0, 15.0]), st.floats(0, 20), st.integers(-1, 12))
def test_a_look_is_due_after_now_and_none_was_between(
    now: float, scrape: float, lag: float, windows: int
) -> None:
    cadence = Cadence(10, scrape, lag)
    due = cadence.next_look(now, None if windows < 0 else 10.0 * windows)
    assert now < due <= now + 10
    assert cadence.last_look(now) <= now
    assert cadence.last_look(due + 1e-6) >= due - 1e-6
