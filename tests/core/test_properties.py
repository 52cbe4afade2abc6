"""What holds in every history, however people, pods, metrics and crashes mix."""

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.histories import (
    History,
    draw_history,
    histories,
    live,
    set_the_scene,
)
from tests.support.watched import Watched
from turnout.core.decide import decide
from turnout.core.rules import RULES
from turnout.core.steps import advance

DEFAULT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LONG = settings(DEFAULT, max_examples=2000)
SAMPLE = 300
AT_REST = {
    "at_rest",
    "begin",
    "frozen",
    "rejected",
    "retried",
    "superseded",
    "settling",
    "unresolved",
}


@DEFAULT
@given(histories(20))
def test_no_history_breaks_a_rule(history: History) -> None:
    live(history, Watched)


@pytest.mark.long
@LONG
@given(histories(60))
def test_no_long_history_breaks_a_rule(history: History) -> None:
    live(history, Watched)


def test_every_rule_decides_in_one_of_a_hundred_worlds() -> None:
    random = Random(20260101)
    decided: Counter[str] = Counter()
    for _ in range(SAMPLE):
        sim = set_the_scene(draw_history(random, length=0), Watched)
        decided[decide(sim.world()).decision.rule] += 1
    named = {rule.__name__ for rule in RULES} | {advance.__name__} | AT_REST
    rare = {rule: decided[rule] for rule in named if decided[rule] < SAMPLE / 100}
    assert not rare, f"{rare} of {SAMPLE}"
    assert set(decided) <= named
