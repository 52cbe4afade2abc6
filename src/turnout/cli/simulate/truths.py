"""Truths as a person states them on the command line: 97%, 5pts@12m, 10pts@20m+10m, 30m+5m."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

from turnout.api.base import seconds
from turnout.cli.options import Told
from turnout.core.quoting import quoted
from turnout.errors import Invalid
from turnout.simulation.truth import Drop, Outage, Truth

_DURATION: Final = r"(?=[0-9])(?:[0-9]{1,5}h)?(?:[0-9]{1,5}m)?(?:[0-9]{1,5}s)?"
_METRIC: Final = r"(?:(?P<metric>[a-z0-9]([-a-z0-9]*[a-z0-9])?)=)?"
_NUMBER: Final = r"[0-9]{1,3}(?:\.[0-9]{1,4})?"

_SHARE: Final = re.compile(rf"{_METRIC}(?P<number>{_NUMBER})%")
_DROP: Final = re.compile(
    rf"{_METRIC}(?P<number>-?{_NUMBER})(?:pts?|%)"
    rf"(?:@(?P<since>{_DURATION}))?(?:\+(?P<length>{_DURATION}))?"
)
_LENGTH: Final = re.compile(_DURATION)
_GAP: Final = re.compile(rf"(?P<since>{_DURATION})\+(?P<length>{_DURATION})")

USUAL: Final = 0.97
"""Share of good answers of stable where nothing is said."""

FASTEST: Final = 10_000.0
"""Most requests a second: the agent's users are counted one by one."""


def truth_of(told: Told, metrics: Iterable[str]) -> Truth:
    """Understand what is said about the metrics of a gate.

    Raises:
        Invalid: something cannot be understood, with the option, the word and how to write it.
    """
    if not 0 < told.rate <= FASTEST:
        raise Invalid(
            "InvalidTruth", f"--rps: {told.rate:g} is not above 0 and at most {FASTEST:g}"
        )
    known = tuple(metrics)
    shares = dict(_share(one, known) for one in told.stable or ())
    usual = shares.pop(None, USUAL)
    return Truth(
        rate=told.rate,
        usual=usual,
        stable={name: share for name, share in shares.items() if name is not None},
        worse=tuple(_drop("--worse", "5pts, or 5pts@12m", one, known) for one in told.worse or ()),
        incidents=tuple(_incident(one, known) for one in told.incident or ()),
        outages=tuple(_outage(one) for one in told.outage or ()),
        people=None if told.people is None else length_of("--people", told.people),
    )


def length_of(option: str, word: str) -> float:
    """Understand a length of time, in seconds.

    Raises:
        Invalid: it is none.
    """
    mend = "a time above 0, as 90s, 20m or 1h30m"
    length = seconds(_matched(option, mend, _LENGTH, word)[0])
    if length <= 0:
        raise _not_understood(option, mend, word)
    return length


def _share(word: str, metrics: Sequence[str]) -> tuple[str | None, float]:
    found = _matched("--stable", "97%, or latency=95%", _SHARE, word)
    share = float(found["number"]) / 100
    if share > 1:
        raise Invalid("InvalidTruth", f"--stable: {quoted(word)} is more than 100%")
    return _metric("--stable", found["metric"], metrics), share


def _drop(option: str, mend: str, word: str, metrics: Sequence[str]) -> Drop:
    found = _matched(option, mend, _DROP, word)
    since = seconds(found["since"] or "0s")
    until = since + seconds(found["length"]) if found["length"] else inf
    metric = _metric(option, found["metric"], metrics)
    return Drop(float(found["number"]) / 100, since, until, metric)


def _incident(word: str, metrics: Sequence[str]) -> Drop:
    mend = "10pts@20m+10m: how much, from when on, for how long"
    drop = _drop("--incident", mend, word, metrics)
    if drop.until == inf:
        raise _not_understood("--incident", mend, word)
    return drop


def _outage(word: str) -> Outage:
    found = _matched("--outage", "30m+5m: from when on, for how long", _GAP, word)
    since = seconds(found["since"])
    return Outage(since, since + seconds(found["length"]))


def _matched(option: str, mend: str, pattern: re.Pattern[str], word: str) -> re.Match[str]:
    found = pattern.fullmatch(word.strip())
    if found is None:
        raise _not_understood(option, mend, word)
    return found


def _not_understood(option: str, mend: str, word: str) -> Invalid:
    return Invalid("InvalidTruth", f"{option}: {quoted(word)} is not understood; write {mend}")


def _metric(option: str, name: str | None, metrics: Sequence[str]) -> str | None:
    if name is not None and name not in metrics:
        said = f"the gate has no metric {quoted(name)}; it has {', '.join(metrics)}"
        raise Invalid("InvalidTruth", f"{option}: {said}")
    return name
