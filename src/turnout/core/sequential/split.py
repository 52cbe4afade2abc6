"""Whether traffic is split as it was told to be: a candidate that dies before it counts."""

from __future__ import annotations

import math
from typing import Final

PRIOR: Final = 100.0
"""How sure the prior is of the split: as much as so many requests."""

OFF: Final = math.log(1000.0)
"""Logarithm of the evidence at which the split is off."""


def split_evidence(candidate: float, stable: float, weight: float) -> float:
    """Give the logarithm of the evidence that requests are not split by the weight.

    A sequential test of the sample ratio, valid at every look (Lindon & Malek 2022). Evidence of
    times with different weights multiplies: add the logarithms.

    Args:
        candidate: Requests to the candidate while the weight was in force.
        stable: Requests to stable in that time.
        weight: The candidate's share of the traffic, above 0 and below 1.
    """
    return (
        _log_beta(PRIOR * weight + candidate, PRIOR * (1.0 - weight) + stable)
        - _log_beta(PRIOR * weight, PRIOR * (1.0 - weight))
        - candidate * math.log(weight)
        - stable * math.log(1.0 - weight)
    )


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)
