"""What all versions of a simulated agent have answered together, and what is known of it."""

from bisect import bisect_right

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
        self._asked: tuple[tuple[Pledge, ...], float] = ((), 0.0)
        self._told: dict[str, Spending] = {}

    def answer(self, at: float, counts: Counts) -> None:
        """Note answers of one moment."""
        self.history.append((at, self.history[-1][1] + counts))

    def spendings(self, world: World, blind: Blind | None) -> dict[str, Spending]:
        """Tell what was known at the last full minute."""
        asked, now = pledges(world), world.now.timestamp()
        if self._asked != (asked, now // MINUTE):
            self._asked = (asked, now // MINUTE)
            self._told = {
                one.objective.name: {
                    window: blind or self._counted(now - seconds(window), now)
                    for window in one.windows
                }
                for one in asked
            }
        return self._told

    def _counted(self, since: float, until: float) -> Counts:
        first, last = (self._at(moment) for moment in (since, until))
        return Counts(last.good - first.good, last.total - first.total)

    def _at(self, moment: float) -> Counts:
        found = bisect_right(self.history, moment, key=lambda one: one[0])
        return self.history[max(0, found - 1)][1]
