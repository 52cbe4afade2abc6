"""Looks and tallies that tests write."""

from collections.abc import Iterable

from turnout.core.looks import Counts, Window
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.tally import Tally, Terms, begin, follow

TERMS = Terms(margin=0.02)

Answers = tuple[float, float, float, float]
"""Good and bad answers of the candidate, good and bad answers of stable."""

GOLDEN: tuple[Answers, ...] = (
    (18, 2, 372, 8),
    (15, 5, 370, 10),
    (16, 4, 375, 5),
    (14, 6, 371, 9),
)


def look(answers: Answers, start: float = 0.0, seconds: float = 60.0) -> Window:
    good, bad, stable_good, stable_bad = answers
    return Window(
        start,
        start + seconds,
        Counts(good, good + bad),
        Counts(stable_good, stable_good + stable_bad),
    )


def looks(answers: Iterable[Answers], seconds: float = 60.0) -> list[Window]:
    return [look(one, number * seconds, seconds) for number, one in enumerate(answers)]


def tallied(
    answers: Iterable[Answers],
    terms: Terms = TERMS,
    rate: float = 0.95,
    seconds: float = 60.0,
) -> list[Tally]:
    """Give the tally after each look."""
    tally = begin(terms, Rate.known(rate))
    tallies = []
    for one in looks(answers, seconds):
        tally = follow(tally, one, terms)
        tallies.append(tally)
    return tallies
