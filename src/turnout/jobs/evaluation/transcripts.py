"""What was asked and answered, a line of JSON a trial, for people who look into a run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from turnout.core.quoting import quoted
from turnout.core.suites.counts import Trials
from turnout.evals.graders.answers import Answer, Call
from turnout.jobs.evaluation.runner import Progress

MOST_BYTES: Final = 16 * 1024 * 1024
"""Transcripts of one run at most; a node keeps little more of a container's log."""

LONGEST_ANSWER: Final = 4000
LONGEST_ARGUMENTS: Final = 1000
MOST_CALLS: Final = 32

_CREDENTIAL: Final = re.compile(
    r"(?i:\bbearer\s+)[\w.~+/-]{8,}=*"
    r"|\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
)
"""What credentials look like, wherever they come from."""


class Transcripts:
    """Writes what became of trials: bounded, and without what looks like a credential."""

    def __init__(self, write: Callable[[str], object], without: Callable[[str], str]) -> None:
        """Take where lines go, and what leaves the task's own secrets out of a text."""
        self._write = write
        self._without = without
        self._left = MOST_BYTES

    def keep(self, version: str, number: int, trial: Progress) -> None:
        """Write one trial, if there is room."""
        if self._left <= 0:
            return
        line = json.dumps(self._told(version, number, trial), ensure_ascii=False) + "\n"
        self._left -= len(line.encode("utf-8", "replace"))
        self._write(line if self._left > 0 else '{"transcripts": "the rest is left out"}\n')

    def _told(self, version: str, number: int, trial: Progress) -> dict[str, Any]:
        outcome = trial.last
        told = {
            "task": outcome.task,
            "version": version,
            "round": number,
            "outcome": _WORDS[outcome.trial],
            "reason": outcome.reason,
            "why": self._shown(outcome.why, LONGEST_ANSWER),
            **self._answered(trial.answer),
        }
        return {key: value for key, value in told.items() if value not in ("", None)}

    def _answered(self, answer: Answer | None) -> dict[str, Any]:
        if answer is None:
            return {}
        calls = None if answer.calls is None else [self._call(one) for one in answer.calls]
        return {
            "answer": self._shown(answer.text, LONGEST_ANSWER),
            "calls": None if calls is None else calls[:MOST_CALLS],
            "callsLeftOut": max(0, len(calls or ()) - MOST_CALLS) or None,
        }

    def _call(self, call: Call) -> dict[str, str]:
        arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
        return {"tool": quoted(call.tool), "arguments": self._shown(arguments, LONGEST_ARGUMENTS)}

    def _shown(self, text: str, limit: int) -> str:
        return quoted(_CREDENTIAL.sub("[credential]", self._without(text)), limit)


_WORDS: Final = {Trials(passed=1): "passed", Trials(failed=1): "failed", Trials(errors=1): "error"}
