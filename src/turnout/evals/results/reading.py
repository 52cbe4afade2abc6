"""One result file read by the format that it is said to have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from turnout.core.suites.counts import Trials
from turnout.evals.results import deepeval, inspect_ai, jsonl, junit, promptfoo, ragas
from turnout.evals.results.bounds import text_of
from turnout.evals.results.formats import Format


@dataclass(frozen=True)
class Reading:
    """How a result file is read.

    Attributes:
        format: What it is said to be.
        thresholds: Least score that passes, by metric, where the format knows no pass.
    """

    format: Format
    thresholds: Mapping[str, float] = field(default_factory=dict)


_Read: TypeAlias = Callable[[str], dict[str, Trials]]


def read(content: bytes, how: Reading) -> dict[str, Trials]:
    """Count the trials of each task.

    Raises:
        Invalid: The file cannot be read as what it is said to be; the message says where and why in
            our own words.
    """
    readers: Mapping[Format, _Read] = {
        Format.JUNIT: junit.read,
        Format.PROMPTFOO: promptfoo.read,
        Format.DEEPEVAL: deepeval.read,
        Format.RAGAS: partial(ragas.read, thresholds=how.thresholds),
        Format.INSPECT_AI: inspect_ai.read,
        Format.JSONL: jsonl.read,
    }
    return readers[how.format](text_of(content))
