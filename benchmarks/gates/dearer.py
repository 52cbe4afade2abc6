"""How often a success is said to cost more that does not, and how soon one that does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from turnout.core.looks import Counts
from turnout.core.sequential.dearer import Dearer
from turnout.core.sequential.drift import SURE
from turnout.core.sequential.recent import Rate

WEEK: Final = 7 * 1440
DAY: Final = 1440
BEFORE: Final = 180
RECORDED: Final = 2000
MARGIN: Final = 0.15


@dataclass(frozen=True)
class Stream:
    """A stable version's minutes.

    Attributes:
        rate: Successes a second.
        sigma: Of the lognormal cost of one success, whose mean is 1.
        times: What a success costs after the first three hours.
        swing: Of the lognormal level of each half hour.
    """

    rate: float
    sigma: float
    times: float = 1.0
    swing: float = 0.0


def first_alarm(stream: Stream, looks: int, rng: np.random.Generator) -> int | None:
    """Tell at which minute it is said to cost more; None where it never is."""
    recorded = Rate(float(_costs(stream, RECORDED, rng)), float(RECORDED))
    level: Any = np.ones(looks)
    level[BEFORE:] = stream.times
    level *= np.repeat(np.exp(rng.normal(0.0, stream.swing, looks // 30 + 1)), 30)[:looks]
    known = Dearer()
    for minute, many in enumerate(rng.poisson(60.0 * stream.rate, looks)):
        spent = level[minute] * _costs(stream, many, rng)
        known = known.after(Counts(float(spent), float(many)), recorded, MARGIN, SURE)
        if known.is_worse:
            return minute
    return None


def _costs(stream: Stream, many: int, rng: np.random.Generator) -> float:
    return float(rng.lognormal(-0.5 * stream.sigma**2, stream.sigma, many).sum())


def delay(stream: Stream, streams: int, seed: int) -> float:
    """Tell after how many minutes it is seen, in the median."""
    rng = np.random.default_rng(seed)
    found = [first_alarm(stream, BEFORE + DAY, rng) for _ in range(streams)]
    return float(np.median([np.inf if one is None else one - BEFORE + 1 for one in found]))


def main(seed: int, streams: int) -> None:
    """Print the table."""
    for rate in (0.2, 2.0):
        for sigma in (0.5, 1.5):
            rng = np.random.default_rng(seed)
            quiet, swinging, margin = (
                sum(first_alarm(one, WEEK, rng) is not None for _ in range(streams))
                for one in (
                    Stream(rate, sigma),
                    Stream(rate, sigma, swing=0.1),
                    Stream(rate, sigma, times=1.0 + MARGIN),
                )
            )
            seen = [delay(Stream(rate, sigma, times=one), streams, seed) for one in (1.5, 2.0)]
            print(
                f"{rate:g}/s, sigma {sigma:g}: of {streams} weeks {quiet} false, {swinging} where "
                f"half hours swing by a tenth, {margin} at the margin; half as much again: "
                f"{seen[0]:.0f} min, double: {seen[1]:.0f} min"
            )


if __name__ == "__main__":
    main(seed=20261122, streams=20)
