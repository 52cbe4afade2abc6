"""Tallies as documents: what a checkpoint keeps, and reads back to the same bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.core.looks import Counts
from turnout.core.sequential.bets import Bets
from turnout.core.sequential.cost import CostTally, Drift, Spend
from turnout.core.sequential.guesses import SAFE_PRIOR, WORSE_PRIOR
from turnout.core.sequential.recent import Rate, Recent
from turnout.core.sequential.slump import Slump
from turnout.core.sequential.spending import Spending
from turnout.core.sequential.tally import Open, Tally


def written(tally: Tally) -> dict[str, Any]:
    """Write a tally as numbers in lists: under 2 kB of JSON, and no double loses a bit."""
    recent, waiting = tally.recent, tally.waiting
    document = {
        "worse": _bets(tally.worse),
        "safe": _bets(tally.safe),
        "below": None if tally.below is None else _bets(tally.below),
        "margin": tally.margin,
        "rate": [tally.rate.good, tally.rate.total],
        "recent": [
            recent.seconds,
            recent.requests,
            recent.weight,
            recent.candidate,
            recent.stable,
        ],
        "waiting": [waiting.seconds, waiting.stable.good, waiting.stable.total],
        "candidate": [tally.candidate.good, tally.candidate.total],
        "stable": [tally.stable.good, tally.stable.total],
        "slump": _slump(tally.slump),
        "noise": tally.noise,
    }
    return {key: value for key, value in document.items() if value is not None}


def read(document: Mapping[str, Any]) -> Tally:
    """Read what was written.

    Raises:
        KeyError, TypeError, ValueError: it is not what ``written`` gives.
    """
    seconds, *waiting = _numbers(document["waiting"])
    below, margin = document.get("below"), document.get("margin")
    return Tally(
        worse=_read_bets(document["worse"], WORSE_PRIOR),
        safe=_read_bets(document["safe"], SAFE_PRIOR),
        below=None if below is None else _read_bets(below, WORSE_PRIOR),
        margin=None if margin is None else float(margin),
        rate=Rate(*_numbers(document["rate"])),
        recent=Recent(*_numbers(document["recent"])),
        waiting=Open(seconds, Counts(*waiting)),
        candidate=Counts(*_numbers(document["candidate"])),
        stable=Counts(*_numbers(document["stable"])),
        slump=_read_slump(document["slump"]) if "slump" in document else Slump(),
        noise=float(document["noise"]),
    )


def _slump(slump: Slump) -> list[float]:
    usual, candidate = slump.usual, slump.candidate
    return [usual.good, usual.total, candidate.good, candidate.total, *_bets(slump.bets)]


def _read_slump(numbers: Sequence[Any]) -> Slump:
    good, total, candidate_good, candidate_total, *bets = _numbers(numbers)
    usual, candidate = Rate(good, total), Rate(candidate_good, candidate_total)
    return Slump(_read_bets(bets, WORSE_PRIOR), usual, candidate)


def written_spending(spending: Spending) -> dict[str, Any]:
    """Write a cost metric's evidence as numbers in lists: under 1 kB of JSON, no bit lost."""
    return {
        "drifts": [_drift(spending.drift.dearer), _drift(spending.drift.safe)],
        "trailing": [[one.cost, one.successes] for one in spending.drift.trailing],
        "times": [spending.seconds, spending.idle],
        "counts": [[one.good, one.total] for one in _counts(spending)],
    }


def read_spending(document: Mapping[str, Any]) -> Spending:
    """Read what was written.

    Raises:
        KeyError, TypeError, ValueError: it is not what ``written_spending`` gives.
    """
    dearer, safe = (_read_drift(one) for one in document["drifts"])
    trailing = tuple(Spend(*_numbers(one)) for one in document["trailing"])
    seconds, idle = _numbers(document["times"])
    mine, theirs, *others = (Counts(*_numbers(one)) for one in document["counts"])
    late_mine, late_theirs, all_mine, all_theirs = others
    return Spending(
        drift=CostTally(dearer, safe, trailing),
        seconds=seconds,
        open_candidate=mine,
        open_stable=theirs,
        idle=idle,
        late_candidate=late_mine,
        late_stable=late_theirs,
        candidate=all_mine,
        stable=all_theirs,
    )


def _counts(spending: Spending) -> tuple[Counts, ...]:
    now = (spending.open_candidate, spending.open_stable)
    late = (spending.late_candidate, spending.late_stable)
    return (*now, *late, spending.candidate, spending.stable)


def _drift(drift: Drift) -> list[float]:
    return [drift.looks, drift.total, drift.squares]


def _read_drift(numbers: Sequence[Any]) -> Drift:
    looks, total, squares = _numbers(numbers)
    return Drift(int(looks), total, squares)


def _bets(bets: Bets) -> list[float]:
    return [bets.log, *bets.weights]


def _read_bets(numbers: Sequence[Any], prior: Sequence[float]) -> Bets:
    log, *weights = _numbers(numbers)
    if len(weights) != len(prior):
        raise ValueError(f"{len(weights)} weights are not those of {len(prior)} guesses")
    return Bets(log, tuple(weights))


def _numbers(values: Sequence[Any]) -> list[float]:
    return [float(one) for one in values]
