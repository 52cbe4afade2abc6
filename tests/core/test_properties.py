"""What holds in every history, however people, pods, metrics and crashes mix."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.histories import (
    SCENES,
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
from turnout.simulation.seen import CHILDREN

DEFAULT = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LONG = settings(DEFAULT, max_examples=2000, derandomize=False)
SAMPLE = 300
AT_REST = {
    "at_rest",
    "begin",
    "degraded",
    "budget_exhausted",
    "fallen_back",
    "flapping",
    "queued",
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
@pytest.mark.timeout(3600)
@LONG
@given(histories(60))
def test_no_long_history_breaks_a_rule(history: History) -> None:
    live(history, Watched)


@DEFAULT
@given(histories(0), st.randoms(use_true_random=False))
def test_no_object_with_missing_parts_makes_a_decision_fail(
    history: History, random: Random
) -> None:
    sim = set_the_scene(history, Watched)
    sim.settle()
    for key in [key for key in sorted(sim.objects) if key[0] in CHILDREN]:
        paths = [path for path in _paths(sim.objects[key]) if _may_be_missing(path)]
        if random.random() < 0.5:
            *way, last = random.choice(paths)
            part: Any = sim.objects[key]
            for step in way:
                part = part[step]
            del part[last]
    assert decide(sim.world()).decision.rule


def _paths(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List every place in a document."""
    if not isinstance(part, dict | list):
        return
    for step in part if isinstance(part, dict) else range(len(part)):
        yield (*way, step)
        yield from _paths(part[step], (*way, step))


def _may_be_missing(path: tuple[Any, ...]) -> bool:
    """Leave out what the API server always gives, and content, which is proved by its digest."""
    always = path[:1] == ("metadata",) and path[1:2] not in {("labels",), ("annotations",)}
    return not always and path[0] != "data"


def test_every_rule_decides_in_one_of_a_hundred_worlds() -> None:
    random = Random(20260101)
    decided: Counter[str] = Counter()
    for number in range(SAMPLE):
        scene = SCENES[number % len(SCENES)]
        sim = set_the_scene(replace(draw_history(random, length=0), scene=scene), Watched)
        decided[decide(sim.world()).decision.rule] += 1
    named = {rule.__name__ for rule in RULES} | {advance.__name__} | AT_REST
    rare = {rule: decided[rule] for rule in named if decided[rule] < SAMPLE / 100}
    assert not rare, f"{rare} of {SAMPLE}"
    assert set(decided) <= named
