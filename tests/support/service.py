"""What all versions of a simulated agent have answered together, and what is known of it."""

from bisect import bisect_right
from collections.abc import Mapping

from turnout.api.base import seconds
from turnout.core.budget import Spending
from turnout.core.gates import Blind
from turnout.core.looks import Counts
from turnout.core.objectives import Pledge, pledges
from turnout.core.world import World

MINUTE = 60


class Service:
    """Counts answers since the beginning, and tells of them once a minute."""

    def __init__(self) -> None:
        self.history: list[tuple[float, Counts]] = [(0.0, Counts())]
        self.amounts: list[dict[str, float]] = [{}]
        """What each metric's first counter came to, for each moment of the history."""
        self._asked: tuple[tuple[Pledge, ...], float] = ((), 0.0)
        self._told: dict[str, Spending] = {}

    def answer(self, at: float, counts: Counts, amounts: Mapping[str, float]) -> None:
        """Note answers of one moment."""
        self.history.append((at, self.history[-1][1] + counts))
        known = self.amounts[-1]
        self.amounts.append(known | {one: known.get(one, 0.0) + amounts[one] for one in amounts})

    def grown(self, since: float, until: float, metric: str | None = None) -> Counts:
        """Count the answers between two moments; the good ones, or what a metric came to."""
        first, last = (self._index(moment) for moment in (since, until))
        (_, before), (_, after) = self.history[first], self.history[last]
        good = after.good - before.good
        if metric is not None:
            good = self.amounts[last].get(metric, 0.0) - self.amounts[first].get(metric, 0.0)
        return Counts(good, after.total - before.total)

    def spendings(self, world: World, blind: Blind | None) -> dict[str, Spending]:
        """Tell what was known at the last full minute."""
        asked, now = pledges(world), world.now.timestamp()
        if self._asked != (asked, now // MINUTE):
            self._asked = (asked, now // MINUTE)
            self._told = {
                one.objective.name: {
                    window: blind or self.grown(now - seconds(window), now)
                    for window in one.windows
                }
                for one in asked
            }
        return self._told

    def _index(self, moment: float) -> int:
        found = bisect_right(self.history, moment, key=lambda one: one[0])
        return max(0, found - 1)
