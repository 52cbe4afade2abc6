"""How many of many: counts drawn from a generator with a seed."""

from __future__ import annotations

import math
from random import Random
from typing import Final

MANY: Final = 500.0
"""From here on a count of arrivals is drawn as from the normal law: nobody sees the difference."""

HALF: Final = 0.5
FAR: Final = 1e15
"""More tries than anybody makes."""


def arrivals(random: Random, mean: float) -> int:
    """Draw how many come where each comes for itself (Poisson)."""
    if mean >= MANY:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    came, passed = 0, random.expovariate(1.0)
    while passed < mean:
        came += 1
        passed += random.expovariate(1.0)
    return came


def successes(random: Random, tries: int, share: float) -> int:
    """Draw how many of some tries succeed, each with the same chance (binomial).

    The rarer of the two outcomes is jumped to from one to the next, so that its number is the cost.
    """
    if share > HALF:
        return tries - successes(random, tries, 1.0 - share)
    if share <= 0.0:
        return 0
    log_of_rest = math.log1p(-share)
    found, at = 0, _gap(random, log_of_rest)
    while at <= tries:
        found += 1
        at += _gap(random, log_of_rest)
    return found


def spending(random: Random, answers: int, mean: float) -> float:
    """Draw what some answers cost together, each widely scattered about the mean (exponential)."""
    return random.gammavariate(answers, mean) if answers and mean > 0 else 0.0


def _gap(random: Random, log_of_rest: float) -> int:
    """Draw how many tries it takes to the next success, that one included (geometric)."""
    return 1 + int(min(math.log(1.0 - random.random()) / log_of_rest, FAR))
