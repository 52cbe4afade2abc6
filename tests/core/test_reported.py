"""What a run reports: the same counts after the way there and back, and nothing else is read."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.core.suites.counts import Trials
from turnout.core.suites.reported import LETTERS, Reported, read_result
from turnout.core.suites.tally import Round

ids = st.lists(st.text("abcü1.:", min_size=1, max_size=4), min_size=1, max_size=4, unique=True)


@st.composite
def runs(draw: st.DrawFn) -> Reported:
    tasks = tuple(draw(ids))
    one = st.fixed_dictionaries(dict.fromkeys(tasks, st.sampled_from(list(LETTERS.values()))))
    rounds = draw(st.lists(st.builds(Round, one, one | st.just({})), max_size=4))
    reasons = draw(st.dictionaries(st.sampled_from(["TimedOut", "Refused"]), st.integers(0, 9)))
    tokens = draw(st.none() | st.integers(0, 10**9))
    return Reported(tasks, tuple(rounds), reasons, tokens, draw(st.integers(0, 10**6)))


@given(runs())
def test_rounds_are_read_back_as_they_were_told(run: Reported) -> None:
    assert read_result(json.loads(json.dumps(run.to_wire()))) == run


@given(runs())
def test_counts_are_the_sum_of_all_rounds(run: Reported) -> None:
    (read,) = read_result(json.loads(json.dumps(run.counted()))).rounds
    for name in run.tasks:
        passed = sum(one.candidate.get(name, Trials()).passed for one in run.rounds)
        errors = sum(one.baseline.get(name, Trials()).errors for one in run.rounds)
        assert read.candidate.get(name, Trials()).passed == passed
        assert read.baseline.get(name, Trials()).errors == errors


TWO: dict[str, Any] = {"tasks": ["a", "b"]}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({}, "tasks: Field required"),
        ({"tasks": []}, "tasks: Tuple should have at least 1 item"),
        ({"tasks": ["a", "a"]}, "tasks: one stands twice"),
        ({"tasks": ["a\u202eb"]}, "tasks: an id has characters that are not shown"),
        ({"tasks": [" "]}, "tasks: an id has characters that are not shown"),
        ({"tasks": ["x" * 201]}, "tasks.0: String should have at most 200 characters"),
        ({"tasks": [f"t{n}" for n in range(2001)]}, "tasks: Tuple should have at most 2000 items"),
        (TWO | {"rounds": [{"candidate": "p"}]}, "rounds: 1 tasks are told of, there are 2"),
        (TWO | {"rounds": [{"candidate": "pq"}]}, "rounds.0.candidate: String should match"),
        (TWO | {"rounds": [{"candidate": "pp"}] * 101}, "rounds: Tuple should have at most 100"),
        (TWO | {"counts": {"candidate": [[1, 0, 0]]}}, "counts: 1 tasks are told of"),
        (TWO | {"counts": {"candidate": [[1, 0], [1, 0]]}}, "counts.candidate.0.2: Field required"),
        (TWO | {"counts": {"candidate": [[-1, 0, 0]] * 2}}, "counts.candidate.0.0: Input should"),
        (TWO | {"counts": {"candidate": [[90, 9, 2]] * 2}}, "more than 100 trials"),
        (
            TWO | {"counts": {"candidate": [[1, 0, 0]] * 2}, "rounds": [{"candidate": "pp"}]},
            "counts: rounds are told as well",
        ),
        (TWO | {"reasons": {"a b": 1}}, "reasons.a b.[key]: String should match"),
        (TWO | {"tokens": -1}, "tokens: Input should be greater"),
        (TWO | {"seconds": "soon"}, "seconds: Input should be a valid integer"),
    ],
)
def test_what_is_no_result_is_refused_with_its_place(result: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_result(result)
