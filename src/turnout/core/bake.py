"""The bake: a version that took every step is watched beside the one before, which keeps a share.

It comes before the promotion is recorded (ADR 10): stable stays who it is, with all its pods, and
whatever takes a candidate back takes this one back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from turnout.api.base import as_timedelta, seconds
from turnout.api.strategy import OnRegression
from turnout.core.ledger import NOTHING
from turnout.core.route import uses_route
from turnout.core.scale import FULL
from turnout.core.standing import Standing
from turnout.core.statistical import STEP_REQUESTS

BAKE: Final = "bake"
"""Name of the step, which no strategy lists."""


def top_weight(standing: Standing) -> int:
    """Give the candidate's weight after the last step: all, or what the holdback leaves.

    Nothing bakes where there is nothing to go back to or to compare with, on the way back to a
    version that was judged before, and where a person wants it out.
    """
    watch = standing.strategy.watch
    skips = standing.is_first or standing.undoes or standing.recovers or standing.promotes_fully
    if watch is None or skips or not uses_route(standing.world):
        return FULL
    return watch.weight


def bakes(standing: Standing) -> bool:
    """Claim that only the bake lies between the candidate and all the traffic."""
    top = top_weight(standing)
    return standing.index > len(standing.steps) and standing.weight == top < FULL


def bake_began(standing: Standing) -> bool:
    """Claim that the time of the bake counts: its weight was read back."""
    return bakes(standing) and standing.index > len(standing.steps) + 1


def bake_ends(standing: Standing, began: datetime | None = None) -> datetime:
    """Tell when a bake ends, by default the one under way."""
    watch = standing.strategy.watch
    return (began or standing.step_started) + as_timedelta(watch.bake if watch else "0s")


def bake_lasts(standing: Standing) -> bool:
    """Claim that the bake is under way and not over yet."""
    return bake_began(standing) and standing.now < bake_ends(standing)


def confirmed(standing: Standing) -> bool:
    """Claim that the gate allows all the traffic, in a bake by what was asked at its weight."""
    return standing.passed and (not bakes(standing) or _was_asked(standing))


def unconfirmed(standing: Standing) -> str:
    """Say what the end of a bake waits for."""
    if not standing.passed:
        return standing.evidence.lacking
    other = " and one to stable" if standing.gate.is_statistical else ""
    return f"{_least(standing)} requests to the candidate{other} at {standing.weight}%"


def limit_passed(standing: Standing) -> bool:
    """Claim that the gate's declared limit has passed; after a bake it runs anew.

    A bake is no part of it: what has passed in time is not inconclusive for being watched longer.
    """
    if not bakes(standing):
        return standing.out_of_time
    limit = as_timedelta(standing.gate.max_duration)
    return standing.now >= bake_ends(standing, standing.weight_changed) + limit


def _was_asked(standing: Standing) -> bool:
    """Claim that requests since the weight changed are enough, for every metric that decides.

    A bar is held by the candidate alone; evidence needs the other arm, too.
    """
    changed = standing.weight_changed.timestamp() + seconds(standing.gate.warmup)
    return all(
        _counts(standing, metric.name, changed)
        for metric in standing.gate.metrics
        if metric.action is not OnRegression.RECORD
    )


def _counts(standing: Standing, metric: str, changed: float) -> bool:
    windows = standing.evidence.ledger.get(metric, NOTHING).windows
    since = [one for one in windows if one.start >= changed]
    asked = sum(one.candidate.total for one in since)
    compared = not standing.gate.is_statistical or any(one.stable.total > 0 for one in since)
    return asked >= _least(standing) and compared


def _least(standing: Standing) -> int:
    gate = standing.gate
    return STEP_REQUESTS if gate.is_statistical else gate.least_requests
