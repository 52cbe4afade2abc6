"""What is seen of a simulated agent's stable version, minute by minute."""

from dataclasses import replace

from tests.support.service import MINUTE, Service
from turnout.core.baselines import plan_of
from turnout.core.clues import NO_CLUES, Clues, suspect_of
from turnout.core.gates import Blind
from turnout.core.watching import NO_PEERS, Peers, Plan, Watching, after, begin
from turnout.core.world import World


class Vigil:
    """Looks at the end of each whole minute in which somebody asked for it."""

    def __init__(self, service: Service) -> None:
        self.peers: Peers = NO_PEERS
        self.clues: Clues = NO_CLUES
        """What is found of the cause once somebody does worse."""
        self.watching: Watching | None = None
        self.looks = 0
        self._service = service
        self._minute = 0

    def seen(self, world: World, blind: Blind | None) -> World:
        """Add what was seen so far."""
        plan, minute = plan_of(world), int(world.now.timestamp() // MINUTE)
        if plan is None:
            self.watching, self._minute = None, minute
            return replace(world, clues=self.clues) if suspect_of(world.rollouts) else world
        if self.watching is None or self.watching.stable != plan.stable:
            self.watching, self._minute = begin(plan), minute
        for one in range(self._minute, minute):
            self._look(plan, one, blind)
        self._minute = minute
        clues = self.clues if self.watching.is_suspect else NO_CLUES
        return replace(world, watching=self.watching, peers=self.peers, clues=clues)

    def forget(self) -> None:
        """Lose what a restarted operator has not kept."""
        self.watching = None

    def _look(self, plan: Plan, minute: int, blind: Blind | None) -> None:
        since = minute * MINUTE
        answers = {
            name: blind
            or self._service.grown(since, since + MINUTE, one.name if one.is_cost else None)
            for one in plan.subjects
            for name in one.sources
        }
        assert self.watching is not None
        self.watching = after(self.watching, plan, answers)
        self.looks += 1
