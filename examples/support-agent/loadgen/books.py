"""The books: one line a request, and what they come to."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

_SUCCESS = "success"
_OK = range(200, 300)


@dataclass(frozen=True)
class Line:
    """What came of one request.

    Attributes:
        number: Which one, from 0.
        at: When it was sent, in seconds since 1970.
        seconds: Until its answer was read to the end.
        status: HTTP status; None where there was no answer.
        version: Who answered, by `x-agent-version`.
        outcome: How the task ended, by the answer.
        reason: Why so, by the answer.
        error: Why there is no whole answer.
    """

    number: int
    at: float
    seconds: float
    status: int | None = None
    version: str | None = None
    outcome: str | None = None
    reason: str | None = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        """No whole answer, or one that is an HTTP error."""
        return self.error is not None or self.status not in _OK

    @property
    def bad(self) -> bool:
        """A whole answer to a task that did not succeed."""
        return not self.failed and self.outcome != _SUCCESS

    @property
    def answered_at(self) -> float:
        """In seconds since 1970."""
        return self.at + self.seconds


class Books:
    """Keeps every line, and writes each at once for those who watch."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.lines: list[Line] = []
        self.unsent = 0
        self._file = file

    def enter(self, line: Line) -> None:
        """Take a line in."""
        self.lines.append(line)
        if self._file is not None:
            self._file.write(json.dumps(dataclasses.asdict(line)) + "\n")
            self._file.flush()

    def summary(self) -> dict[str, Any]:
        """Everything counted, whole and by answering version."""
        lines = self.lines
        versions = sorted({line.version for line in lines if line.version is not None})
        return {
            "startedAt": min((line.at for line in lines), default=None),
            "endedAt": max((line.answered_at for line in lines), default=None),
            "requests": len(lines),
            "unsent": self.unsent,
            "failed": sum(line.failed for line in lines),
            "bad": sum(line.bad for line in lines),
            "failures": dict(Counter(_failure(line) for line in lines if line.failed)),
            "seconds": _quantiles([line.seconds for line in lines if not line.failed]),
            "versions": {
                version: _version(line for line in lines if line.version == version)
                for version in versions
            },
        }


def _version(lines: Iterable[Line]) -> dict[str, Any]:
    own = sorted(lines, key=lambda line: line.answered_at)
    return {
        "requests": len(own),
        "failed": sum(line.failed for line in own),
        "bad": sum(line.bad for line in own),
        "outcomes": dict(Counter(line.outcome for line in own if line.outcome is not None)),
        "reasons": dict(Counter(line.reason for line in own if line.bad)),
        "firstAnswerAt": own[0].answered_at,
        "lastAnswerAt": own[-1].answered_at,
        "firstBadAt": next((line.answered_at for line in own if line.bad), None),
    }


def _failure(line: Line) -> str:
    return line.error or f"Status{line.status}"


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    if not ordered:
        return {}
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    last = len(ordered) - 1
    return {name: round(ordered[round(share * last)], 4) for name, share in at.items()}
