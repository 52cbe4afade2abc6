"""Graders checked before a run, and an answer graded by all that its task has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from turnout.api.graders import (
    Contains,
    Exact,
    Grader,
    JsonPath,
    JsonSchema,
    Number,
    Regex,
    Rule,
    Trajectory,
)
from turnout.core.quoting import quoted
from turnout.errors import Invalid
from turnout.evals.graders import documents, texts
from turnout.evals.graders.answers import Answer, Grade, misused
from turnout.evals.graders.paths import steps
from turnout.evals.graders.trajectory import check_trajectory, trajectory


def check(task: str, graders: Sequence[Grader]) -> None:
    """Refuse graders that cannot grade, before any answer is asked for.

    Raises:
        Invalid: A grader is at fault, or there is none; the message names task and grader.
    """
    where = f"task {quoted(task, 80)}"
    names = [one.name for one in graders]
    if not names:
        raise misused(f"{where} has no grader")
    for one in graders:
        if names.count(one.name) > 1:
            raise misused(f"{where}: two graders are called {one.name}")
        try:
            _check(one.rule)
        except Invalid as error:
            raise misused(f"{where}, grader {one.name}: {error.message}") from None


def grade(graders: Sequence[Grader], answer: Answer) -> Grade:
    """Grade an answer: one that some grader fails has failed, whatever others cannot say."""
    grades = [(one.name, _grade(one.rule, answer)) for one in graders]
    for passed in (False, None):
        for name, said in grades:
            if said.passed is passed:
                return Grade(passed, f"{name}: {said.why}")
    return Grade(passed=True)


def _check(rule: Rule) -> None:
    match rule:
        case Regex():
            texts.expression(rule.pattern)
        case Contains():
            texts.check_contains(rule)
        case JsonPath():
            steps(rule.path)
        case JsonSchema():
            documents.validator(rule.document)
        case Number():
            steps(rule.path or "$")
        case Trajectory():
            check_trajectory(rule)
        case Exact():
            pass
        case _:
            assert_never(rule)


def _grade(rule: Rule, answer: Answer) -> Grade:
    match rule:
        case Exact():
            said = texts.exact(rule, answer)
        case Contains():
            said = texts.contains(rule, answer)
        case Regex():
            said = texts.regex(rule, answer)
        case JsonPath():
            said = documents.json_path(rule, answer)
        case JsonSchema():
            said = documents.json_schema(rule, answer)
        case Number():
            said = documents.number(rule, answer)
        case Trajectory():
            said = trajectory(rule, answer)
        case _:
            assert_never(rule)
    return said
