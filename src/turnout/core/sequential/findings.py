"""What one metric says: its tallies boiled down for the decision, and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from turnout.api.strategy import OnRegression
from turnout.core.sequential.bets import mixed
from turnout.core.sequential.tally import Tally, Terms

MONEY: Final = "cost"
"""What a success costs, in dollars."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one metric says.

    Attributes:
        name: The metric.
        on_regression: What its Fail does.
        importance: Its part of the evidence of all together, in any unit.
        worse: Logarithm of the evidence that the candidate is worse than stable.
        safe: Logarithm of the evidence that it is not worse by the margin.
        margin: Largest drop that is acceptable; None while it is not chosen yet.
        drop: Measured drop, lately; None before both arms were asked.
        shares: Shares of good answers of candidate and stable, lately.
        requests: Requests to the candidate, in all.
        minimum: What the candidate itself must reach, if anything.
        proved_below: The candidate was shown to be below the minimum.
        spent: What of one success is compared, where that is an amount and no share: ``cost``,
            ``tokens``. ``drop`` and ``margin`` are then parts of stable's by which the candidate's
            is more.
    """

    name: str
    on_regression: OnRegression
    importance: float
    worse: float
    safe: float
    margin: float | None
    drop: float | None
    shares: tuple[float, float] | None
    requests: float
    minimum: float | None = None
    proved_below: bool = False
    spent: str = ""

    @property
    def is_below(self) -> bool:
        """Claim that the candidate is below the minimum as measured."""
        return (
            self.minimum is not None and self.shares is not None and self.shares[0] < self.minimum
        )

    @property
    def exceeds(self) -> bool:
        """Claim that what was measured is more than is acceptable: the drop, or the minimum."""
        if self.drop is None:
            return False
        over = self.margin is not None and self.drop > self.margin
        return over or (self.proved_below and self.is_below)


@dataclass(frozen=True, slots=True)
class Metric:
    """How a gate takes one metric."""

    name: str
    terms: Terms
    importance: float = 1.0
    on_regression: OnRegression = OnRegression.ROLLBACK


def find(metric: Metric, tallies: Sequence[Tally]) -> Finding:
    """Boil tallies down to a finding.

    Args:
        metric: How the gate takes it.
        tallies: One, or for a latency without a declared bound one for each of two bounds; their
            evidence is averaged.
    """
    first, even = tallies[0], [1.0 / len(tallies)] * len(tallies)
    drops = [one.recent.drop for one in tallies]
    known = [one for one in drops if one is not None]
    below = first.below
    return Finding(
        name=metric.name,
        on_regression=metric.on_regression,
        importance=metric.importance,
        worse=mixed([one.worse.log for one in tallies], even),
        safe=mixed([one.safe.log for one in tallies], even),
        margin=first.margin,
        drop=sum(known) / len(known) if known else None,
        shares=first.recent.shares,
        requests=first.candidate.total,
        minimum=metric.terms.minimum,
        proved_below=below is not None and below.log >= metric.terms.sure,
    )
