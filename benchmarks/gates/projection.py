"""The null that is hardest to tell from an alternative, for thousands of looks at once."""

import numpy as np

from benchmarks.gates.arrays import Bools, Floats

STEPS = 80
SETTLED = 1e-14


def project(own: Floats, other: Floats, n1: Floats, n0: Floats, margin: float) -> Floats:
    """Find the stable rate B at which (B - margin, B) is nearest to the alternative (own, other).

    It is the root of n1 (B - margin - own) / ((B - margin)(1 - B + margin)) +
    n0 (B - other) / (B (1 - B)), which grows with B. Newton's steps, kept inside a bracket.
    """
    low, high = np.broadcast_arrays(other, np.minimum(own + margin, 1 - 1e-15))
    low, high = low.copy(), np.maximum(high, low)
    weight1, weight0 = n1 / (own * (1 - own)), n0 / (other * (1 - other))
    at = (weight1 * (own + margin) + weight0 * other) / (weight1 + weight0)
    at = np.clip(at, low, np.minimum(high, (1 + other) / 2))
    for _ in range(STEPS):
        value, slope = _score(at, own, other, (n1, n0), margin)
        above: Bools = value > 0
        np.copyto(high, at, where=above)
        np.copyto(low, at, where=~above)
        step = at - value / slope
        astray: Bools = (step < low - SETTLED) | (step > high + SETTLED)
        step = np.where(astray, (low + high) / 2, np.clip(step, low, high))
        moved = np.abs(step - at).max(initial=0.0)
        at = step
        if moved < SETTLED:
            break
    return at


def _score(
    at: Floats, own: Floats, other: Floats, sizes: tuple[Floats, Floats], margin: float
) -> tuple[Floats, Floats]:
    """Slope and curvature of the distance at B."""
    n1, n0 = sizes
    down = at - margin
    spread1, spread0 = down * (1 - down), at * (1 - at)
    pull1, pull0 = (down - own) / spread1, (at - other) / spread0
    value = n1 * pull1 + n0 * pull0
    slope = n1 * (1 - pull1 * (1 - 2 * down)) / spread1 + n0 * (1 - pull0 * (1 - 2 * at)) / spread0
    return value, slope
