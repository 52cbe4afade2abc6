"""Mann and Whitney's test on the success rates of minutes, as canary judges use it."""

import numpy as np
from scipy.special import ndtri

from benchmarks.gates.arrays import Bools, Floats, Ints
from benchmarks.gates.rivals import first
from benchmarks.gates.streams import Stream

FIRST_MINUTE = 5


def peeked(stream: Stream) -> Ints:
    """Test every minute from the fifth on, one-sided 5 %."""
    late = np.arange(stream.looks)[:, None] >= FIRST_MINUTE - 1
    return first(late & _lower(stream, 0.95))


def once(stream: Stream) -> Ints:
    """Test at the last minute only, at 98 %."""
    last = np.arange(stream.looks)[:, None] == stream.looks - 1
    return first(last & _lower(stream, 0.98))


def _lower(stream: Stream, confidence: float) -> Bools:
    """Tell at each look whether the candidate's rates so far rank significantly lower."""
    own, own_there = _rates(stream.good1, stream.requests1)
    other, other_there = _rates(stream.good0, stream.requests0)
    sizes = own_there.cumsum(axis=0).astype(float), other_there.cumsum(axis=0).astype(float)
    wins, ties = np.zeros(own.shape), np.zeros(own.shape)
    for look in range(stream.looks):
        wins[look] = _above(other[: look + 1], own[look]) + _above(other[look], own[:look])
        ties[look] = _ties(own, other, look)
    count, ties = wins.cumsum(axis=0), ties.cumsum(axis=0)
    both = sizes[0] + sizes[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = sizes[0] * sizes[1] / 12 * (both + 1 - ties / (both * (both - 1)))
        z = (count - sizes[0] * sizes[1] / 2 - 0.5) / np.sqrt(spread)
    lower: Bools = (spread > 0) & (z > ndtri(confidence))
    return lower


def _rates(good: Ints, requests: Ints) -> tuple[Floats, Bools]:
    """Give the rate of each minute, NaN in one without requests."""
    there: Bools = requests > 0
    return np.divide(good, requests, out=np.full(good.shape, np.nan), where=there), there


def _above(high: Floats, low: Floats) -> Floats:
    """Count pairs in which the first is higher, ties as half; NaN is no pair."""
    pairs: Floats = (high > low).sum(axis=0) + 0.5 * (high == low).sum(axis=0)
    return pairs


def _ties(own: Floats, other: Floats, look: int) -> Floats:
    """Growth of the sum of t^3 - t over tied groups when this look's two rates join."""
    grown = np.zeros(own.shape[1])
    for rate, until in ((own[look], look), (other[look], look + 1)):
        equal = (own[:until] == rate).sum(axis=0) + (other[:look] == rate).sum(axis=0)
        grown += 3.0 * equal * (equal + 1)
    return grown
