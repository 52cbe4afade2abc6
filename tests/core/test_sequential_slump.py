"""Both arms fall: told apart from a candidate that is worse, and from stable alone."""

import json

import pytest

from turnout.core.looks import Counts, Window
from turnout.core.sequential.record import read, written
from turnout.core.sequential.slump import Slump
from turnout.core.sequential.tally import Tally, Terms, begin, follow

TERMS = Terms(0.02)
USUAL = 0.97


def _look(tally: Tally, stable: float, candidate: float, asked: float = 30.0) -> Tally:
    """Take in a minute with 100 requests to stable and fewer to the candidate."""
    arms = Counts(candidate * asked, asked), Counts(stable * 100.0, 100.0)
    return follow(tally, Window(0.0, 60.0, *arms), TERMS)


def _usual(looks: int = 20, asked: float = 30.0) -> Tally:
    tally = begin(TERMS)
    for _ in range(looks):
        tally = _look(tally, USUAL, USUAL, asked)
    return tally


def _is_shared(tally: Tally) -> bool:
    return tally.slump.is_shared(tally.margin)


def _after(stable: float, candidate: float) -> Tally:
    """Let both arms do so for three minutes after they did as usual."""
    tally = _usual()
    for _ in range(3):
        tally = _look(tally, stable, candidate)
    return tally


@pytest.mark.parametrize("candidate", [0.67, 0.60], ids=["alike", "the candidate further"])
def test_it_is_an_incident_where_both_do_worse_than_stable_used_to(candidate: float) -> None:
    assert _is_shared(_after(0.67, candidate))


@pytest.mark.parametrize(
    ("stable", "candidate"),
    [(USUAL, USUAL), (0.67, USUAL), (USUAL, 0.67), (0.95, 0.95)],
    ids=["nobody falls", "stable alone", "the candidate alone", "by less than matters"],
)
def test_it_is_none_where_one_arm_or_neither_does(stable: float, candidate: float) -> None:
    assert not _is_shared(_after(stable, candidate))


def test_its_end_is_seen_within_three_looks() -> None:
    tally = _usual()
    for _ in range(10):
        tally = _look(tally, 0.67, 0.67)
    assert _is_shared(tally)
    for _ in range(3):
        tally = _look(tally, USUAL, USUAL)
    assert not _is_shared(tally)


@pytest.mark.parametrize(
    "tally",
    [begin(TERMS), _usual(asked=0.5)],
    ids=["nothing is usual yet", "the candidate was hardly asked"],
)
def test_nothing_is_said_without_anything_to_go_by(tally: Tally) -> None:
    for _ in range(3):
        tally = _look(tally, 0.5, 0.5, asked=0.5)
    assert not _is_shared(tally)


def test_what_always_fails_cannot_fall() -> None:
    slump = Slump()
    for _ in range(10):
        slump = slump.after(Counts(0.0, 30.0), Counts(0.0, 100.0), 60.0, 0.02)
    assert not slump.is_shared(0.02)


def test_a_checkpoint_of_before_goes_on_with_nothing_usual() -> None:
    document = json.loads(json.dumps(written(_usual())))
    assert read(document) == _usual()
    del document["slump"]
    assert read(document).slump == Slump()
