"""The error budget: how much of what a promise allows to fail is used up, and how fast.

An objective of 99 % over 30 days allows one request of a hundred to fail; these are its budget.
The burn rate over a window is how many times as fast as that the budget is used up:

    burn = (failed / all) / (1 - target)

At 1 the budget lasts for just the objective's window. It is too fast where it is so over a long
window, so that it matters, and over a short one, so that it still goes on: multi-window,
multi-burn-rate alerts of the SRE workbook, chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from turnout.api.objectives import BudgetState, PauseOnBurn
from turnout.core.gates import Blind
from turnout.core.looks import Counts
from turnout.core.reasons import Reason

LEAST_REQUESTS: Final = 10
"""With fewer requests in a window its burn rate is not known: one failure would be half of them."""

NUMBERS: Final = (1.0, 2.0, 5.0)
"""What a burn rate is rounded to, times a power of ten."""

SLOWEST: Final = 0.1
"""A burn rate below it is told as 0."""

LARGEST: Final = 10_000.0
"""Largest burn rate that there is: everything fails of a promise of 99.99 %."""

REMAINING_STEP: Final = 0.05
"""What is left is told anew when it is so far from what was told."""

Spending: TypeAlias = Mapping[str, Counts | Blind]
"""Counts of the whole service by window, as the window is written: 5m. Of a window that is missing
nothing was read yet."""

_UNREAD: Final = Blind(Reason.PENDING, "nothing was read yet")


def unknown(window: str, counts: Counts | Blind | None) -> Blind | None:
    """Say why nothing is known of a window; None where something is."""
    if isinstance(counts, Blind):
        return counts
    if counts is None:
        return _UNREAD
    if counts.total < LEAST_REQUESTS:
        message = f"fewer than {LEAST_REQUESTS} requests in {window}"
        return Blind(Reason.TOO_FEW_REQUESTS, message)
    return None


def burn_rate(counts: Counts | Blind | None, target: float) -> float | None:
    """How many times as fast as allowed the budget is used up.

    Args:
        counts: Good and all requests of one window, where they are known.
        target: Promised share of good requests, above 0 and below 1.

    Returns:
        (1 - good/total) / (1 - target); None with fewer than `LEAST_REQUESTS`. More good than all,
        which extrapolated counters may give, counts as no failure.
    """
    if not isinstance(counts, Counts) or counts.total < LEAST_REQUESTS:
        return None
    failed = max(0.0, counts.total - counts.good)
    return failed / counts.total / (1 - target)


def remaining(counts: Counts | Blind | None, target: float, covered: float = 1.0) -> float | None:
    """Part of the budget that is left, from 1 down to 0; None where it is not known.

    The budget is for the whole window, so a service that is younger has used up only the part
    that its life is of the window:

        remaining = 1 - burn x covered

    Args:
        counts: Counts of the objective's own window.
        target: Promised share of good requests.
        covered: How much of the window the service has lived through, from 0 to 1.
    """
    rate = burn_rate(counts, target)
    return None if rate is None else min(1.0, max(0.0, 1 - rate * covered))


def budget_of(counts: Counts | Blind | None, target: float, covered: float = 1.0) -> float | None:
    """Failures that make up the whole budget; None where that is not known.

    A service that is younger than the window is taken to be asked as often for all of it.

    Args:
        counts: Counts of the objective's own window.
        target: Promised share of good requests.
        covered: How much of the window the service has lived through, from 0 to 1.
    """
    if not isinstance(counts, Counts) or counts.total < LEAST_REQUESTS or covered <= 0.0:
        return None
    return counts.total * (1 - target) / covered


def too_fast(
    rates: Mapping[str, float | None], paces: Iterable[PauseOnBurn]
) -> tuple[BudgetState, PauseOnBurn | None]:
    """Tell whether the budget is used up too fast, and at which pace.

    A pace is exceeded where every one of its windows is known to be that fast, and not exceeded
    where one is known to be slower. Where neither is so of some pace, and no other one is exceeded,
    it is unknown.
    """
    unknown = False
    for pace in paces:
        found = [rates.get(window) for window in pace.over]
        known = [one for one in found if one is not None]
        slower = any(one < float(pace.rate) for one in known)
        if len(known) == len(found) and not slower:
            return BudgetState.BURNING, pace
        unknown = unknown or not slower
    return BudgetState.UNKNOWN if unknown else BudgetState.WITHIN, None


def told_rate(rate: float, before: str | None = None) -> str:
    """Round a burn rate to 1, 2 or 5; what was told stays until it is half or twice of that."""
    if before is not None and _is_near(rate, float(before)):
        return before
    if rate < SLOWEST:
        return "0"
    exact = min(rate, LARGEST)
    sizes = (number * 10.0**power for power in range(-1, 5) for number in NUMBERS)
    return f"{min(sizes, key=lambda one: abs(math.log(exact / one))):g}"


def _is_near(rate: float, told: float) -> bool:
    return rate < 2 * SLOWEST if told == 0 else told / 2 <= rate <= told * 2


def told_share(share: float, before: str | None = None) -> str:
    """Write what is left in whole percent; what was told stays until it is 5 points off."""
    if before is not None and abs(share - float(before.removesuffix("%")) / 100) < REMAINING_STEP:
        return before
    return f"{100 * share:.0f}%"
