"""Suites: tasks read or refused with their place, the last run told, old runs cleared away."""

import json
from typing import Any

import pytest

from tests.support.run_life import TASKS, RunLife, run, suite, task
from turnout.api.evalrun import EvalPhase, EvalRun
from turnout.api.prompt import ConfigMapKeyRef
from turnout.core.plan import Remove
from turnout.core.runs.golden import Golden, read_golden, tasks_in
from turnout.core.suites.datasets import MOST_BYTES_TOGETHER
from turnout.core.world import Unread

SOURCE = {"configMapKeyRef": {"name": "golden", "key": "g.jsonl"}, "format": "JSONL"}
REF = ConfigMapKeyRef(name="golden", key="g.jsonl")


def ended(name: str, phase: str, minute: int, of: RunLife | None = None) -> EvalRun:
    status = {"phase": phase, "finishedAt": f"2026-01-01T00:{minute:02d}:00Z"}
    stored = run(name) if of is None else of.get("EvalRun", name)
    return EvalRun.model_validate(stored | {"status": status})


def conditions(life: RunLife) -> dict[str, tuple[str, str, str]]:
    found = life.suite
    assert found is not None
    return {
        one.type: (one.status.value, one.reason, one.message) for one in found.status.conditions
    }


def test_a_suite_that_can_be_read_says_how_many_tasks_it_has() -> None:
    life = RunLife()
    life.look_at_suite()
    found, golden = life.suite, life.golden
    assert found is not None
    assert isinstance(golden, Golden)
    assert (found.status.task_count, found.status.digest) == (len(TASKS), golden.digest)
    assert conditions(life)["Accepted"] == ("True", "Valid", "12 tasks")
    assert life.look_at_suite().actions == ()


def test_tasks_in_config_maps_come_after_those_in_the_suite() -> None:
    life = RunLife()
    life.store(suite(tasksFrom=[SOURCE]))
    life.texts = ['{"id":"more","input":"a","graders":[{"name":"a","exact":{"text":"b"}}]}']
    golden = life.golden
    assert isinstance(golden, Golden)
    assert [one.id for one in golden.tasks] == [*TASKS, "more"]
    assert [one.config_map for one in golden.files] == [None, "golden"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"id": "a"', ("key g.jsonl of ConfigMap golden", "line 1")),
        (
            '{"id":"task-0","input":"a","graders":[{"name":"a","exact":{"text":"b"}}]}',
            ("task-0 stands twice",),
        ),
        ("x" * (MOST_BYTES_TOGETHER + 1), ("at most", str(MOST_BYTES_TOGETHER))),
        (Unread("ConfigMap golden does not exist"), ("does not exist",)),
    ],
    ids=["json", "twice", "large", "missing"],
)
def test_tasks_that_cannot_be_used_are_told_with_their_place(
    text: str | Unread, words: tuple[str, ...]
) -> None:
    life = RunLife()
    life.store(suite(tasksFrom=[SOURCE]))
    life.texts = [text]
    life.look_at_suite()
    said = conditions(life)
    assert {said[name][0] for name in ("Accepted", "Ready")} == {"False"}
    assert said["Stalled"][0] == "True"
    assert all(word in said["Accepted"][2] for word in words)
    found = life.suite
    assert found is not None
    assert (found.status.digest, found.status.task_count) == (None, None)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "does not exist"),
        ({}, "has no key g.jsonl"),
        ({"data": {"other": "x"}}, "has no key g.jsonl"),
        ({"binaryData": {"g.jsonl": "eA=="}}, "is binary"),
    ],
)
def test_a_file_that_is_not_there_is_said(document: dict[str, Any] | None, words: str) -> None:
    found = tasks_in(REF, document)
    assert isinstance(found, Unread)
    assert words in found.message
    assert tasks_in(REF, {"data": {"g.jsonl": "x"}}) == "x"


def test_the_digest_is_of_the_tasks_and_not_of_where_they_are_kept() -> None:
    life = RunLife()
    inside = life.golden
    assert isinstance(inside, Golden)
    found = life.suite
    assert found is not None
    row = json.dumps(task(TASKS[0]))
    life.store(suite(tasks=[task(name) for name in TASKS[1:]], tasksFrom=[SOURCE]))
    moved = life.suite
    assert moved is not None
    outside = read_golden(moved, [row])
    assert isinstance(outside, Golden)
    assert outside.digest == inside.digest


def test_the_run_that_ended_last_is_told_and_stays_told() -> None:
    life = RunLife()
    life.look_at_suite([ended("a", "Failed", 2), ended("b", "Passed", 1), life.run])
    found = life.suite
    assert found is not None
    assert found.status.last_run is not None
    assert (found.status.last_run.name, found.status.last_run.verdict) == ("a", EvalPhase.FAILED)
    life.look_at_suite([ended("b", "Passed", 1)])
    again = life.suite
    assert again is not None
    assert again.status.last_run == found.status.last_run


def test_so_many_runs_of_each_outcome_are_kept() -> None:
    life = RunLife()
    life.store(suite(historyLimits={"successful": 1, "failed": 2}))
    ends = [(f"p{number}", "Passed", number) for number in range(3)]
    ends += [("f0", "Failed", 0), ("f1", "Inconclusive", 1), ("f2", "Error", 2)]
    for name, *_ in ends:
        life.store(run(name))
    runs = [ended(*one, of=life) for one in ends]
    outcome = life.look_at_suite([*runs, life.run])
    gone = {one.target.name for one in outcome.actions if isinstance(one, Remove)}
    assert gone == {"p0", "p1", "f0"}
    assert ("EvalRun", "by-hand") in life.objects
