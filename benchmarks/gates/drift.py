"""How often a stable version is said to do worse that does not, and how soon one that does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from turnout.core.looks import Counts
from turnout.core.sequential.drift import Drift
from turnout.core.sequential.recent import Rate

WEEK: Final = 7 * 1440
DAY: Final = 1440
HOUR: Final = 60
RECORDED: Final = 2000
MARGIN: Final = 0.02


@dataclass(frozen=True)
class Stream:
    """A stable version's minutes.

    Attributes:
        share: Share of good answers, as recorded and without drift.
        rate: Requests a second.
        drop: By how much that falls after the first hour.
        spread: Width of the beta distribution that each minute's share is drawn from; 0 for none.
    """

    share: float
    rate: float
    drop: float = 0.0
    spread: float = 0.0


def first_alarm(stream: Stream, looks: int, rng: np.random.Generator) -> int | None:
    """Tell at which minute it is said to do worse; None where it never is."""
    good = int(rng.binomial(RECORDED, stream.share))
    recorded, drift = Rate(float(good), float(RECORDED)), Drift()
    shares: Any = np.full(looks, stream.share)
    shares[HOUR:] -= stream.drop
    if stream.spread:
        shares = rng.beta(shares / stream.spread, (1.0 - shares) / stream.spread)
    totals = rng.poisson(60.0 * stream.rate, looks)
    for minute, (many, fine) in enumerate(zip(totals, rng.binomial(totals, shares), strict=True)):
        drift = drift.after(Counts(float(fine), float(many)), recorded, MARGIN)
        if drift.is_worse:
            return minute
    return None


def false_alarms(stream: Stream, looks: int, streams: int, seed: int) -> int:
    """Count the streams without drift that are said to do worse."""
    rng = np.random.default_rng(seed)
    return sum(first_alarm(stream, looks, rng) is not None for _ in range(streams))


def delays(stream: Stream, streams: int, seed: int) -> list[float]:
    """Tell how many minutes after the fall it is seen."""
    rng, looks = np.random.default_rng(seed), HOUR + DAY
    found = (first_alarm(stream, looks, rng) for _ in range(streams))
    return [float("inf") if one is None else one - HOUR + 1.0 for one in found]


def main(seed: int, streams: int) -> None:
    """Print both tables."""
    for share in (0.99, 0.95, 0.88):
        for rate in (2.0, 5.0):
            quiet = false_alarms(Stream(share, rate), WEEK, streams, seed)
            swinging = false_alarms(Stream(share, rate, spread=0.005), WEEK, streams, seed)
            worst = false_alarms(Stream(share - 0.03, rate), WEEK, streams, seed)
            seen = delays(Stream(share, rate, drop=0.10), 4 * streams, seed)
            slight = delays(Stream(share, rate, drop=0.06), streams, seed)
            middle, late, six = np.median(seen), np.quantile(seen, 0.95), np.median(slight)
            print(
                f"{share:.0%} at {rate:g}/s: of {streams} weeks {quiet} false, {swinging} where "
                f"minutes scatter, {worst} at the margin; 10 points worse: {middle:.0f} min, "
                f"p95 {late:.0f}; 6 points: {six:.0f} min"
            )


if __name__ == "__main__":
    main(seed=20261122, streams=50)
