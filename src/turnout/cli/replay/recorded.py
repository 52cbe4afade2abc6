"""Looks of the past, out of a file with one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from turnout.cli.files import called, text_of
from turnout.cli.replay.gatefile import GateFile
from turnout.core.looks import MOST, Counts, Window
from turnout.core.quoting import quoted
from turnout.errors import Invalid

FIRST_SECONDS: Final = 60.0
"""Length of a look that stands alone; else a stream's first is as long as its second."""

SLACK: Final = 1.0
"""So many more good requests than requests are a scrape that came between two counters."""


@dataclass(frozen=True, slots=True)
class Look:
    """One line.

    Attributes:
        stream: What it belongs to: one rollout.
        at: When the look was, as it was written.
        moment: The same in unix seconds.
        metric: What was counted.
        candidate: What the candidate answered since the look before.
        stable: What stable answered since then.
    """

    stream: str
    at: str
    moment: float
    metric: str
    candidate: Counts
    stable: Counts

    @property
    def series(self) -> tuple[str, str]:
        """What it is the next look of."""
        return self.stream, self.metric

    def line(self) -> str:
        """Write it as a line that can be read again."""
        arms = {"stable": self.stable, "candidate": self.candidate}
        counts = {arm: {"good": one.good, "total": one.total} for arm, one in arms.items()}
        document = {"stream": self.stream, "at": self.at, "metric": self.metric, **counts}
        return json.dumps(document, ensure_ascii=False) + "\n"


def read_looks(path: str, gate: GateFile) -> list[Look]:
    """Read looks, in time order within each stream.

    Raises:
        Invalid: a line cannot be used, with its number, its field and what is wrong.
    """
    looks: list[Look] = []
    newest: dict[tuple[str, str], float] = {}
    for number, line in enumerate(text_of(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            look = _look(line, gate)
            _in_order(look, newest)
        except (TypeError, ValueError) as error:
            place = f"{called(path)}, line {number}"
            raise Invalid("InvalidLook", f"{place}: {error}") from None
        looks.append(look)
    return looks


def windows(looks: Sequence[Look]) -> Iterator[tuple[Look, Window]]:
    """Give each look with its time: since the look before it of the same stream and metric."""
    firsts: dict[tuple[str, str], Look] = {}
    lengths: dict[tuple[str, str], float] = {}
    for look in looks:
        first = firsts.setdefault(look.series, look)
        if look is not first:
            lengths.setdefault(look.series, look.moment - first.moment)
    before: dict[tuple[str, str], float] = {}
    for look in looks:
        key = look.series
        start = before.get(key, look.moment - lengths.get(key, FIRST_SECONDS))
        yield look, Window(start, look.moment, look.candidate, look.stable)
        before[key] = look.moment


def _in_order(look: Look, newest: dict[tuple[str, str], float]) -> None:
    before = newest.get(look.series)
    if before is not None and look.moment <= before:
        raise ValueError(
            f"at: {quoted(look.at)} is not after the look before it of {quoted(look.metric)} in "
            f"stream {quoted(look.stream)}"
        )
    newest[look.series] = look.moment


def _look(line: str, gate: GateFile) -> Look:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise TypeError("a look is an object")
    at, metric = _text(document, "at"), _text(document, "metric")
    if metric not in gate.metrics:
        raise ValueError(f"metric: {_unjudged(metric, gate)}")
    return Look(
        _text(document, "stream"),
        at,
        _moment(at),
        metric,
        _counts(document, "candidate"),
        _counts(document, "stable"),
    )


def _unjudged(metric: str, gate: GateFile) -> str:
    if metric in gate.uncounted:
        return f"{quoted(metric)} cannot be replayed: {gate.uncounted[metric]}"
    return f"the gate has no metric {quoted(metric)}; it has {', '.join(gate.metrics) or 'none'}"


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: a text is required")
    return value


def _moment(at: str) -> float:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"at: {quoted(at)} is no time as 2026-01-02T03:04:05Z")
    return moment.timestamp()


def _counts(document: Mapping[str, Any], arm: str) -> Counts:
    value = document.get(arm)
    if not isinstance(value, dict):
        raise TypeError(f'{arm}: counts as {{"good": 16, "total": 20}} are required')
    good, total = _count(value, arm, "good"), _count(value, arm, "total")
    if good > total + SLACK:
        raise ValueError(f"{arm}: {good:g} good of {total:g} in total cannot be")
    return Counts(min(good, total), total)


def _count(value: Mapping[str, Any], arm: str, name: str) -> float:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= MOST:
        raise ValueError(f"{arm}.{name}: a number of requests from 0 to 1e12 is required")
    return float(number)
