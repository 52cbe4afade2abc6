"""Candidates that count less than their share: who is held, and who is held for nothing.

The null scenarios are those in which nothing is lost and yet the counts are not a plain draw by the
weight: tasks that are under way when a weight begins, callers who reach stable past the gateway.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.gates.arrays import Floats, Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.nulls import RPS, WEIGHTS
from benchmarks.gates.report import Estimate, Section, mean, minutes, percent, table, worst
from turnout.core.sequential.split import is_split_off

LOOKS = 60
FIRST = 5
"""Minutes at a weight before the split is looked at."""
LOST = (0.3, 0.6, 1.0)


def run(bench: Bench) -> Section:
    """Look every minute of an hour at one weight."""
    rng = bench.rng(12)
    rows: list[list[str]] = []
    wrong: list[tuple[str, Estimate]] = []
    late: list[tuple[str, Estimate]] = []
    for rps, weight in product(RPS, (*WEIGHTS, 0.5)):
        name = f"{rps:g} rps, {100 * weight:g} %"
        nulls = {
            "by the weight": _held(rng, bench.repetitions, rps, weight),
            "tasks of 30 s": _held(rng, bench.repetitions, rps, weight, Counting(task=0.5)),
            "8 % pass by": _held(rng, bench.repetitions, rps, weight, Counting(passing=0.08)),
        }
        wrong += [(f"{name}, {what}", mean(at >= 0)) for what, at in nulls.items()]
        found = [_held(rng, bench.fewer, rps, weight, Counting(lost)) for lost in LOST]
        if rps >= 2:
            late.append((name, mean(found[-1] < 0)))
        cells = [percent(float((at >= 0).mean())) for at in nulls.values()]
        cells += [f"{percent(float((at >= 0).mean()))}@{_median(at)}" for at in found]
        rows.append([name, *cells])
    head = ["held %, at median minute", "by the weight", "tasks of 30 s", "8 % pass by"]
    head += [f"{100 * lost:.0f} % lost" for lost in LOST]
    title = f"Traffic split ({bench.repetitions} repetitions)"
    goals = (
        worst("split", "held though nothing is lost", wrong, 0.002),
        worst("split", "everything lost and not held within the hour", late, 0.0),
    )
    return Section(title, (table(head, rows),), goals)


def _median(at: Ints) -> str:
    hit = at[at >= 0]
    return minutes(float(np.median(hit)) if hit.size else float("nan"))


@dataclass(frozen=True)
class Counting:
    """What becomes of requests before they are counted.

    Attributes:
        lost: Share of the candidate's that it never counts.
        task: Minutes that a task lasts, on average.
        passing: Requests past the gateway to stable, as a part of those that it sends there.
    """

    lost: float = 0.0
    task: float = 0.0
    passing: float = 0.0


PLAIN = Counting()


def _held(
    rng: np.random.Generator,
    repetitions: int,
    rps: float,
    weight: float,
    so: Counting = PLAIN,
) -> Ints:
    """Give the minute at which the split is off, -1 for never."""
    size = 60 * rps
    mine = size * weight * (1 - so.lost) * _counted_of_tasks(so.task)
    candidate = rng.poisson(mine[:, None], (LOOKS, repetitions)).cumsum(axis=0)
    theirs = size * (1 - weight) * (1 + so.passing)
    stable = rng.poisson(theirs, (LOOKS, repetitions)).cumsum(axis=0)
    pairs = zip(candidate.T.tolist(), stable.T.tolist(), strict=True)
    return np.array([_first(*one, weight) for one in pairs])


def _first(candidate: list[int], stable: list[int], weight: float) -> int:
    """Give the first minute at which the counts of one rollout, summed up, are off."""
    for minute in range(FIRST, LOOKS + 1):
        if is_split_off(candidate[minute - 1], stable[minute - 1], weight, 60.0 * minute):
            return minute
    return -1


def _counted_of_tasks(mean_minutes: float) -> Floats:
    """Give the share of a minute's tasks that is counted in it, after the weight began.

    Tasks last as long as chance has it; what began at the old weight is left out, which is worst.
    """
    if mean_minutes <= 0.0:
        return np.ones(LOOKS)
    ends = np.arange(LOOKS + 1) / mean_minutes
    counted: Floats = 1.0 + mean_minutes * np.diff(np.exp(-ends))
    return counted
