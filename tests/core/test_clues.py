"""Which tools are blamed, which model is called another one, and what that is in words."""

from hypothesis import given
from hypothesis import strategies as st

from turnout.api.drift import ModelChange, ToolTrouble
from turnout.core.clues import (
    CALLS,
    MOST_PARTS,
    MOST_TOLD,
    Clues,
    changed,
    failing,
    model_change,
    suspect_of,
)
from turnout.core.looks import Counts

USUAL = {"refund": Counts(990.0, 1000.0), "orders": Counts(1000.0, 1000.0)}
FINE = {"refund": Counts(99.0, 100.0), "orders": Counts(100.0, 100.0)}
BAD = {"refund": Counts(60.0, 100.0), "orders": Counts(100.0, 100.0)}


def names(found: tuple[ToolTrouble, ...]) -> list[str]:
    return [one.name for one in found]


def test_a_tool_that_fails_more_often_is_found_with_both_shares() -> None:
    (found,) = failing([BAD], USUAL)
    assert found == ToolTrouble(name="refund", recorded="1.0%", measured="40.0%")


def test_of_a_rollout_it_must_fail_in_both_versions() -> None:
    assert failing([BAD, FINE], USUAL) == ()
    (found,) = failing([BAD, {"refund": Counts(80.0, 100.0)}], USUAL)
    assert found.measured == "30.0%"


def test_the_worst_come_first_and_only_a_few_are_told() -> None:
    many = [f"tool-{number}" for number in range(5)]
    before = dict.fromkeys(many, Counts(100.0, 100.0))
    now = {name: Counts(70.0 - 10.0 * number, 100.0) for number, name in enumerate(many)}
    assert names(failing([now], before)) == ["tool-4", "tool-3", "tool-2"]
    assert MOST_TOLD == 3


def test_a_name_that_steers_a_terminal_is_told_without_that() -> None:
    name = f"a\x1b[2Jb{'x' * 100}"
    (found,) = failing([{name: Counts(0.0, 100.0)}], {name: Counts(100.0, 100.0)})
    assert "\x1b" not in found.name
    assert len(found.name) == 64


def test_what_is_called_rarely_says_nothing() -> None:
    few = CALLS - 1.0
    assert failing([{"refund": Counts(0.0, few)}], USUAL) == ()
    assert failing([{"refund": Counts(0.0, 100.0)}], {"refund": Counts(few, few)}) == ()
    assert failing([{"refund": Counts(0.0, 100.0)}], {}) == ()


@given(usual=st.integers(0, 1000), total=st.integers(20, 500), spare=st.floats(0.0, 1.0))
def test_who_fails_no_more_often_than_before_is_never_blamed(
    usual: int, total: int, spare: float
) -> None:
    before = Counts(1000.0 - usual, 1000.0)
    now = Counts(total - spare * total * usual / 1000.0, float(total))
    assert failing([{"refund": now}], {"refund": before}) == ()


def test_another_model_that_answers_most_is_found() -> None:
    assert changed({"x-1": 1000.0}, {"x-2": 90.0, "x-1": 10.0}) == ("x-1", "x-2")
    assert changed({"x-1": 1000.0}, {"x-2": 40.0, "x-1": 60.0}) is None


def test_models_that_answered_side_by_side_are_no_change() -> None:
    assert changed({"x-1": 600.0, "x-2": 400.0}, {"x-1": 40.0, "x-2": 60.0}) is None


def test_few_calls_tell_of_no_model() -> None:
    assert changed({"x-1": 1000.0}, {"x-2": CALLS - 1.0}) is None
    assert changed({"x-1": CALLS - 1.0}, {"x-2": 1000.0}) is None
    assert changed({}, {}) is None


def test_a_change_is_told_with_its_minute_where_that_is_known() -> None:
    known = model_change("x-1", "x-2", 1767271299.0)
    assert Clues(model=known).sentence == (
        "the model that answers is x-2 since 2026-01-01 12:41Z, x-1 before"
    )
    unknown = ModelChange(before="x-1", now="x-2")
    assert model_change("x-1", "x-2", None) == unknown
    assert Clues(model=unknown).sentence == "the model that answers is x-2, x-1 before"


def test_what_was_left_out_is_told() -> None:
    tools = (ToolTrouble(name="refund", recorded="1.0%", measured="40.0%"),)
    assert Clues(tools, is_cut=True).sentence == (
        "tool refund: 40.0% of its calls fail, 1.0% before "
        f"(of the {MOST_PARTS} tools that are called most)"
    )
    assert Clues(is_cut=True).sentence == ""


def test_nobody_is_suspect_before_there_is_a_rollout() -> None:
    assert suspect_of(()) is None
