"""Lengths of time and columns, as people read them."""

from datetime import timedelta

import pytest

from turnout.cli.rows import aligned
from turnout.cli.times import span

SPANS = [
    (timedelta(0), "0s"),
    (timedelta(seconds=-5), "0s"),
    (timedelta(seconds=59, milliseconds=900), "59s"),
    (timedelta(minutes=4, seconds=12), "4m12s"),
    (timedelta(hours=2), "2h"),
    (timedelta(hours=2, seconds=5), "2h"),
    (timedelta(days=1, hours=3), "1d3h"),
    (timedelta(days=41, hours=3), "41d"),
]


@pytest.mark.parametrize("length, text", SPANS)
def test_a_length_of_time_is_said_in_its_largest_units(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_cells_stand_under_one_another_and_no_line_ends_in_spaces() -> None:
    assert aligned([("A", "LONG"), ("wide", "x")], " ") == ["A    LONG", "wide x"]
