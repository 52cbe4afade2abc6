"""The rules that others' gates apply, as their documentation has them.

Each takes a stream and gives, by repetition, the look at which it rolls back; -1 for never.
"""

import numpy as np
from scipy.special import ndtr

from benchmarks.gates.arrays import Bools, Floats, Ints
from benchmarks.gates.streams import Stream
from benchmarks.gates.twin import FAIL_GRID, FAIL_PRIOR, FORGET

EVIDENCE = 20.0
ONE_SIDED = 1.6448536269514722
"""Standard errors of a one-sided test at 5 %."""


def first(hit: Bools) -> Ints:
    """Find the first look that is true in each repetition; -1 where none is."""
    return np.where(hit.any(axis=0), hit.argmax(axis=0), -1)


def _rate(good: Ints, requests: Ints) -> Floats:
    return np.divide(good, requests, out=np.ones(good.shape), where=requests > 0)


def threshold(stream: Stream, bar: float, limit: int = 3, every: int = 1) -> Ints:
    """Argo Rollouts: rolls back on the first failure beyond ``failureLimit``.

    A window without requests is skipped. ``every`` joins looks into one window.
    """
    windows = stream.every(every)
    asked = windows.requests1
    failed = (asked > 0) & (_rate(windows.good1, asked) < bar)
    at = first(failed.cumsum(axis=0) > limit)
    return np.where(at >= 0, (at + 1) * every - 1, -1)


def flagger(stream: Stream, bar: float = 0.99, limit: int = 5) -> Ints:
    """Flagger: so many failed checks in all; a check without data is a failed one."""
    asked = stream.requests1
    failed = (asked == 0) | (_rate(stream.good1, asked) < bar)
    return first(failed.cumsum(axis=0) >= limit)


def peeked_z(stream: Stream) -> Ints:
    """Two-proportion z-test on everything so far, at every look, one-sided 5 %."""
    n1, n0, rate1, rate0 = _so_far(stream)
    pooled = (rate1 * n1 + rate0 * n0) / np.maximum(n1 + n0, 1)
    spread = pooled * (1 - pooled) * (1 / np.maximum(n1, 1) + 1 / np.maximum(n0, 1))
    enough = (n1 > 0) & (n0 > 0) & (spread > 0)
    return first(enough & (rate0 - rate1 > ONE_SIDED * np.sqrt(spread)))


def _so_far(stream: Stream) -> tuple[Floats, Floats, Floats, Floats]:
    n1 = stream.requests1.cumsum(axis=0).astype(float)
    n0 = stream.requests0.cumsum(axis=0).astype(float)
    rate1 = np.divide(stream.good1.cumsum(axis=0), n1, out=np.zeros(n1.shape), where=n1 > 0)
    rate0 = np.divide(stream.good0.cumsum(axis=0), n0, out=np.zeros(n0.shape), where=n0 > 0)
    return n1, n0, rate1, rate0


def msprt(stream: Stream, scale: float = 0.05, least: int = 30) -> Ints:
    """Mixture SPRT of Johari et al. on everything so far, one-sided.

    Its normal approximation is not asked before the candidate has had ``least`` requests.
    """
    n1, n0, rate1, rate0 = _so_far(stream)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = rate1 * (1 - rate1) / n1 + rate0 * (1 - rate0) / n0
        both, gap = spread + scale**2, rate0 - rate1
        log = 0.5 * np.log(spread / both) + scale**2 * gap**2 / (2 * spread * both)
        log += np.log(2 * ndtr(scale * gap / np.sqrt(spread * both)))
    return first((n1 >= least) & (log >= np.log(EVIDENCE)))


def labels(stream: Stream) -> Ints:
    """Lindon and Malek: whose the failures are, given how many requests each arm had."""
    odds = np.exp(FAIL_GRID)[:, None]
    weights = np.repeat(FAIL_PRIOR[:, None], stream.repetitions, axis=1)
    keep = (1 - FORGET) ** stream.minutes
    log, at = np.zeros(stream.repetitions), np.full(stream.repetitions, -1)
    requests1, requests0 = stream.requests1, stream.requests0
    for look in range(stream.looks):
        n1, both = requests1[look], requests1[look] + requests0[look]
        share = -np.log1p(n1 * (odds - 1) / np.maximum(both, 1))
        bad1, bad0 = stream.counts[1, look], stream.counts[3, look]
        factors = bad1 * (np.log(odds) + share) + bad0 * share
        top = factors.max(axis=0)
        parts = weights * np.exp(factors - top)
        total = parts.sum(axis=0)
        log += np.log(total) + top
        weights = keep * parts / total + (1 - keep) * FAIL_PRIOR[:, None]
        at[(at < 0) & (log >= np.log(EVIDENCE))] = look
    return at
