"""Plain JSON Lines: a trial a line, or a task a line.

A trial: ``{"id": "refund", "passed": true}``; ``passed`` is null where an error left it open.
A task: ``{"id": "refund", "passed": 4, "trials": 5, "errors": 1}``; errors are no trials.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from turnout.core.suites.counts import Trials
from turnout.evals.results.bounds import Row, Trial, bounded, document, refused, shaped, tallied

_Number = Annotated[int, Field(ge=0)]


class _Trial(Row):
    id: str
    passed: bool | None


class _Task(Row):
    id: str
    passed: _Number
    trials: _Number
    errors: _Number = 0


def read(text: str) -> dict[str, Trials]:
    """Count the trials of each task.

    Raises:
        Invalid: A line is neither a trial nor a task, lines differ in kind, or a task stands twice.
    """
    rows = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    parsed = [(f"line {number}", document(line, f"line {number}")) for number, line in rows]
    counted = [isinstance(row, dict) and "trials" in row for _, row in parsed]
    if any(counted) and not all(counted):
        place = parsed[counted.index(not counted[0])][0]
        raise refused(f"{place}: trials and whole tasks are mixed")
    return _tasks(parsed) if any(counted) else tallied([_trial(*row) for row in parsed])


def _trial(place: str, row: Any) -> Trial:
    trial = shaped(_Trial, row, f"{place}: ")
    return Trial(trial.id, trial.passed)


def _tasks(rows: list[tuple[str, Any]]) -> dict[str, Trials]:
    counts: dict[str, Trials] = {}
    for place, row in rows:
        task = shaped(_Task, row, f"{place}: ")
        if task.passed > task.trials:
            raise refused(f"{place}: {task.passed} of {task.trials} trials passed")
        if task.id in counts:
            raise refused(f"{place}: the task stands twice")
        counts[task.id] = Trials(task.passed, task.trials - task.passed, task.errors)
    return bounded(counts)
