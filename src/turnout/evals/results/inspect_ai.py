"""Logs of Inspect AI in JSON (`--log-format json`); one that ended early is no result.

A task is a sample by id; its epochs are the trials. A sample passes where every scorer gives it
full marks: `C`, true, or 1. Partial marks fail; an error, a limit or a missing score leave it open.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pydantic import Field

from turnout.core.quoting import quoted
from turnout.core.suites.counts import Trials
from turnout.evals.results.bounds import Row, Trial, document, refused, shaped, tallied

_FULL: Final = 1.0
_MARKS: Final = {"C": True, "I": False, "P": False, "N": False}


class _Score(Row):
    value: Any


class _Sample(Row):
    id: int | str
    epoch: int
    scores: dict[str, _Score] | None = None
    error: dict[str, Any] | None = None
    limit: dict[str, Any] | None = None

    @property
    def passed(self) -> bool | None:
        """What became of it; without all scores that is open."""
        if self.error is not None or self.limit is not None or not self.scores:
            return None
        marks = [_mark(one.value) for one in self.scores.values()]
        return None if None in marks else all(marks)


class _Log(Row):
    status: str
    samples: tuple[_Sample, ...] | None = Field(default=None, strict=False)


def read(text: str) -> dict[str, Trials]:
    """Count the trials of each task.

    Raises:
        Invalid: It is no such log, the run did not end well, its samples are not in it, or an epoch
            of a sample stands twice.
    """
    log = shaped(_Log, document(text))
    if log.status != "success":
        raise refused(f"the run has not ended well: its status is {quoted(log.status, 40)}")
    if log.samples is None:
        raise refused("the log has no samples: write it with them")
    epochs = [(str(one.id), one.epoch) for one in log.samples]
    if len(set(epochs)) < len(epochs):
        raise refused("an epoch of a sample stands twice")
    return tallied([Trial(str(one.id), one.passed) for one in log.samples])


def _mark(value: object) -> bool | None:
    """Read a score: Inspect's letters, a truth or a number; of anything else nothing is known."""
    match value:
        case bool():
            return value
        case str():
            return _MARKS.get(value)
        case int() | float():
            return None if math.isnan(value) else value >= _FULL
        case _:
            return None
