"""How much more looks differ from each other than independent requests would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.gates.arrays import Floats, Ints

if TYPE_CHECKING:
    from benchmarks.gates.twin import Look

MOST = 50.0


class Noise:
    """The noise factor of many rollouts: 1 for independent requests, never below."""

    def __init__(self, sums: Floats) -> None:
        self.sums = sums
        """Squared residuals, residuals, variances and looks, by repetition."""

    @classmethod
    def unknown(cls, repetitions: int) -> Noise:
        """Begin without a look."""
        return cls(np.zeros((4, repetitions)))

    def factor(self, rows: Ints) -> Floats:
        """Give the factor by which the logarithm of what a look pays is divided."""
        squares, gaps, spreads, looks = self.sums[:, rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.clip((squares - gaps**2 / spreads) / (looks - 1), 1.0, MOST)
        factor: Floats = np.where(looks >= 2, found, 1.0)
        return factor

    def look(self, rows: Ints, look: Look) -> None:
        """Take one look's counts; one in which all or none failed tells nothing."""
        n1, n0 = look.good1 + look.bad1, look.good0 + look.bad0
        bad, both = look.bad1 + look.bad0, n1 + n0
        tells = (n1 > 0) & (n0 > 0) & (bad > 0) & (bad < both)
        n1, n0, bad, both, rows = n1[tells], n0[tells], bad[tells], both[tells], rows[tells]
        gap = look.bad1[tells] - n1 * bad / both
        spread = n1 * n0 * bad * (both - bad) / (both**2 * (both - 1))
        self.sums[:, rows] += np.array([gap**2 / spread, gap, spread, np.ones_like(gap)])
