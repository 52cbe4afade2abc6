"""Money for a success: a candidate that is dearer (GATES 2.7)."""

from itertools import product

import numpy as np
from scipy.special import log_ndtr

from benchmarks.gates.arrays import Floats
from benchmarks.gates.bench import Bench
from benchmarks.gates.metrics import CELLS
from benchmarks.gates.nulls import rolled_back
from benchmarks.gates.report import (
    Estimate,
    Section,
    Target,
    difference,
    minutes,
    percent,
    table,
)
from benchmarks.gates.rivals import first
from benchmarks.gates.run import Verdict
from benchmarks.gates.streams import Case, Stream
from turnout.core.sequential.cost import CostTally, Spend

VARIATION = 1.2
"""Standard deviation of a request's cost, in means."""
INCREASE = 0.15
ALPHA = 0.05
TRAILING, ENOUGH, TUNED_TO = 10, 15, 30.0


def run(bench: Bench) -> Section:
    """Run equal and dearer candidates."""
    rng = bench.rng(17)
    rows, apart = [], 0.0
    for more, (rps, weight) in product((0.0, 0.25, 0.50), CELLS):
        count = bench.fewer if more else bench.repetitions
        case = Case(0.97, rps=rps, weight=weight)
        stream = case.draw(rng, count)
        shape = 1 / VARIATION**2
        own = rng.gamma(np.maximum(shape * stream.requests1, 1e-12)) / shape * (1 + more)
        other = rng.gamma(np.maximum(shape * stream.requests0, 1e-12)) / shape
        own, other = (np.where(asked > 0, cost, 0.0) for asked, cost in _paid(stream, own, other))
        log_dearer, log_safe = _evidence(stream, own, other)
        followed = bench.followed(count)
        apart = max(apart, _apart(stream, (own, other), (log_dearer, log_safe), followed))
        outcome = rolled_back(first(log_dearer >= -np.log(ALPHA)), stream)
        at = minutes(outcome.median_minute(Verdict.ROLLED_BACK))
        safe = percent(float((log_safe >= -np.log(ALPHA)).any(axis=0).mean()))
        shown = f"{percent(outcome.share(Verdict.ROLLED_BACK))}@{at}"
        rows.append([f"+{100 * more:g} %, {rps:g} rps, {100 * weight:g} %", shown, safe])
    head = ["dearer by, rps, weight", "shown dearer %@min", "shown not 15 % dearer, %"]
    agrees = Target("twin", "costs: difference of log evidence", Estimate(apart), 1e-9)
    title = f"Cost per success ({bench.repetitions} repetitions where equal)"
    return Section(title, (table(head, rows),), (agrees,))


def _paid(stream: Stream, own: Floats, other: Floats) -> tuple[tuple[Floats, Floats], ...]:
    asked1, asked0 = stream.requests1.astype(float), stream.requests0.astype(float)
    return (asked1, own), (asked0, other)


def _evidence(stream: Stream, own: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Give log evidence that the candidate is dearer, and not 15 % dearer, look by look."""
    price = np.full(own.shape, np.nan)
    for look in range(1, stream.looks):
        past = slice(max(look - TRAILING, 0), look)
        spent, got = other[past].sum(axis=0), stream.good0[past].sum(axis=0)
        price[look] = np.divide(spent, got, out=np.full(spent.shape, np.nan), where=got > 0)
    known = np.isfinite(price) & (price > 0) & (stream.requests1 > 0)
    worth = np.where(known, own / np.where(known, price, 1.0), 0.0)
    good = np.where(known, stream.good1, 0.0)
    return _drift(worth - good, known), _drift((1 + INCREASE) * good - worth, known)


def _drift(values: Floats, known: Floats) -> Floats:
    """Asymptotic evidence that a sum drifts upward: Waudby-Smith et al., one-sided mixture."""
    looks = known.cumsum(axis=0).astype(float)
    total, squares = values.cumsum(axis=0), (values**2).cumsum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / looks - (total / looks) ** 2
        odds = -2 * np.log(2 * ALPHA)
        scale = TUNED_TO / (odds + np.log1p(odds))
        sum_ = total / np.sqrt(variance)
        spread = looks + scale
        log = 0.5 * np.log(4 * scale / spread) + sum_**2 / (2 * spread)
        log += log_ndtr(sum_ / np.sqrt(spread))
    evidence: Floats = np.where((looks >= ENOUGH) & (variance > 0), log, 0.0)
    return evidence


def _apart(
    stream: Stream,
    costs: tuple[Floats, Floats],
    logs: tuple[Floats, Floats],
    followed: int,
) -> float:
    """Follow some repetitions with the production gate; gives the largest difference."""
    apart = 0.0
    for one in range(followed):
        tally = CostTally()
        for look in range(stream.looks):
            own = Spend(float(costs[0][look, one]), float(stream.good1[look, one]))
            other = Spend(float(costs[1][look, one]), float(stream.good0[look, one]))
            tally = tally.after(own, other, INCREASE)
            theirs = tally.dearer.evidence(ALPHA), tally.safe.evidence(ALPHA)
            for mine, its in zip((logs[0][look, one], logs[1][look, one]), theirs, strict=True):
                apart = max(apart, difference(float(mine), its))
    return apart
