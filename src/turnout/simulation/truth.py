"""What is really so in a simulated rollout, which the operator can only find out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Drop:
    """So much lower a share of good answers is, or so much dearer an answer, for a time.

    Attributes:
        points: Difference of the share, 0.05 for five points, or part by which a cost is higher;
            below zero it is better.
        since: Seconds after the rollout began.
        until: The same, when it is over.
        metric: The metric that it shows in; None for every one.
    """

    points: float
    since: float = 0.0
    until: float = math.inf
    metric: str | None = None

    def holds(self, metric: str, at: float) -> bool:
        """Claim that it shows in this metric then."""
        return self.metric in {None, metric} and self.since <= at < self.until


@dataclass(frozen=True)
class Outage:
    """A time without the metrics provider, in seconds after the rollout began."""

    since: float
    until: float


@dataclass(frozen=True)
class Truth:
    """What users get, minute by minute.

    Attributes:
        rate: Requests a second to the agent, both versions together.
        usual: Share of good answers of stable, in a metric that `stable` does not name.
        stable: The same by metric.
        worse: By how much the candidate is worse than stable; of those that hold at the same
            time the one that began last counts.
        incidents: By how much both versions are worse than usual; they add up.
        outages: When the metrics provider is away.
        people: Seconds after which people say yes where a step waits for them; None: never.
    """

    rate: float = 2.0
    usual: float = 0.97
    stable: Mapping[str, float] = field(default_factory=dict)
    worse: tuple[Drop, ...] = ()
    incidents: tuple[Drop, ...] = ()
    outages: tuple[Outage, ...] = ()
    people: float | None = None

    def stable_share(self, metric: str, at: float) -> float:
        """Share of good answers that stable gives, at so many seconds after the beginning."""
        lost = math.fsum(self._incidents(metric, at))
        return _share(self.stable.get(metric, self.usual) - lost)

    def candidate_share(self, metric: str, at: float) -> float:
        """Share of good answers that the candidate gives."""
        return _share(self.stable_share(metric, at) - self._worse(metric, at))

    def stable_cost(self, metric: str, at: float) -> float:
        """What an answer of stable costs on average, as a multiple of what it usually does."""
        return max(0.0, 1.0 + math.fsum(self._incidents(metric, at)))

    def candidate_cost(self, metric: str, at: float) -> float:
        """What an answer of the candidate costs on average, in the same unit."""
        return max(0.0, self.stable_cost(metric, at) * (1.0 + self._worse(metric, at)))

    def _worse(self, metric: str, at: float) -> float:
        drops = [one for one in self.worse if one.holds(metric, at)]
        return max(drops, key=lambda one: one.since, default=Drop(0.0)).points

    def _incidents(self, metric: str, at: float) -> Iterator[float]:
        return (one.points for one in self.incidents if one.holds(metric, at))

    def is_blind(self, at: float) -> bool:
        """Claim that the metrics provider is away then."""
        return any(one.since <= at < one.until for one in self.outages)

    def marks(self) -> Iterator[tuple[float, str]]:
        """Tell what changes when, in words; what is so from the beginning changes nothing."""
        for one in self.worse:
            yield one.since, f"the candidate is {_points(one)} than stable{_in(one)}"
            if one.until < math.inf:
                yield one.until, f"the candidate is as before{_in(one)}"
        for one in self.incidents:
            yield one.since, f"an incident: both versions are {_points(one)} than usual{_in(one)}"
            yield one.until, f"the incident is over{_in(one)}"
        for gap in self.outages:
            yield gap.since, "the metrics provider is away"
            yield gap.until, "the metrics provider is back"


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


def _points(drop: Drop) -> str:
    return f"{100 * abs(drop.points):g} points {'worse' if drop.points >= 0 else 'better'}"


def _in(drop: Drop) -> str:
    return f" in {drop.metric}" if drop.metric else ""
