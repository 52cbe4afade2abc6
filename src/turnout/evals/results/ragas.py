"""Scores of Ragas: a JSON list or JSON Lines of rows with a column a metric.

Ragas knows no pass, so each metric that counts is named with the least score that passes. A row
whose score is missing, null or NaN, as Ragas writes what it could not score, is an error, never 0.
A task is a row's `id`, without one a digest of its `user_input`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from turnout.core.quoting import quoted
from turnout.core.suites.counts import Trials
from turnout.evals.results.bounds import Trial, document, refused, tallied


def read(text: str, thresholds: Mapping[str, float]) -> dict[str, Trials]:
    """Count the trials of each task.

    Args:
        text: The file.
        thresholds: Least score that passes, by metric; all must pass.

    Raises:
        Invalid: It is no such file, no metric is named, or no row has one that is.
    """
    if not thresholds:
        raise refused("scores pass by thresholds, and none is given")
    rows = _rows(text)
    absent = next((name for name in thresholds if not any(name in row for row in rows)), None)
    if absent is not None:
        raise refused(f"no row has the metric {quoted(absent, 80)}")
    return tallied(
        [Trial(_id(row, place), _passed(row, thresholds)) for place, row in enumerate(rows)]
    )


def _rows(text: str) -> list[dict[str, Any]]:
    if text.lstrip().startswith("["):
        rows = document(text)
    else:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        rows = [document(line, f"line {number}") for number, line in lines]
    wrong = next((place for place, row in enumerate(rows) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise refused(f"row {wrong} is no object")
    return list(rows)


def _id(row: Mapping[str, Any], place: int) -> str:
    name, asked = row.get("id"), row.get("user_input")
    if isinstance(name, str):
        return name
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if isinstance(asked, str):
        return f"input-{hashlib.sha256(asked.encode(errors='replace')).hexdigest()[:12]}"
    raise refused(f"row {place} has neither an id nor a user_input")


def _passed(row: Mapping[str, Any], thresholds: Mapping[str, float]) -> bool | None:
    scores = {name: row.get(name) for name in thresholds}
    known = {
        name: score
        for name, score in scores.items()
        if isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
    }
    if len(known) < len(thresholds):
        return None
    return all(known[name] >= least for name, least in thresholds.items())
