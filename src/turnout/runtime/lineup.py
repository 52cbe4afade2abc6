"""The queue of rollouts in this process: who runs, who waits, and whom a free place calls.

Only who leads asks, and between a turn and its taking nothing is awaited, so that two looks at the
same moment never take the same place. What is known here is seen again by every look, and all of
it is rebuilt from the cluster when a term begins.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from turnout.adapters.documents import AGENT, Document, Ref
from turnout.api.agent import Agent
from turnout.api.rollout import AgentRollout
from turnout.core.course import Course
from turnout.core.lineup import (
    UNCOUNTED,
    Limits,
    Place,
    Turn,
    Waiting,
    called,
    counts,
    in_order,
    place_of,
)
from turnout.core.world import World
from turnout.errors import Invalid
from turnout.runtime.parse import is_running, parse

JOINING: Final = timedelta(seconds=1)
"""Who came less long ago is not told its place: one change of a shared object calls many."""

RETOLD: Final = timedelta(seconds=30)
"""A place is told anew no more often, so that a queue that moves up is no storm of writes."""

GIVEN_UP: Final = 3 * RETOLD
"""Who did not ask for so long is passed over: whatever keeps it must not keep the others."""


@dataclass(frozen=True)
class _Entry:
    """One Agent in the queue.

    Attributes:
        since: When it began to wait.
        joined: When this process saw that first.
        asked: When it asked last.
        told: Its place as told last, and when.
    """

    since: datetime
    joined: datetime
    asked: datetime
    told: tuple[Place, datetime] | None = None


class Lineup:
    """Gives out turns, within the limits that an administrator set."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: set[Ref] = set()
        self._taken: set[Ref] = set()
        self._waiting: dict[Ref, _Entry] = {}
        self._freed = False

    def resume(
        self,
        agents: Mapping[Ref, Document | Invalid],
        rollouts: Mapping[Ref, Document | Invalid],
        now: datetime,
    ) -> None:
        """Take up the queue as an operator before left it in the cluster."""
        for ref, document in agents.items():
            agent = parse(Agent, document) if _is_queued(document) else None
            since = _told_since(agent) if isinstance(agent, Agent) else None
            if since is not None:
                self._waiting[ref] = _Entry(since, joined=since, asked=now)
        for document in rollouts.values():
            rollout = parse(AgentRollout, document) if is_running(document) else None
            if isinstance(rollout, AgentRollout) and counts(rollout):
                owner = Ref(AGENT, rollout.metadata.namespace, rollout.spec.agent)
                self._running |= {owner} & agents.keys()

    def turn(self, ref: Ref, world: World) -> Turn | None:
        """Tell whether it is an Agent's turn; None where there is no limit.

        An Agent whose rollout runs keeps its place for what supersedes that.
        """
        if not self._limits:
            return None
        had_one = ref in self._running | self._taken
        self._taken.discard(ref)
        if world.rollouts and counts(world.rollouts[-1]):
            self._running.add(ref)
            return Turn(may_begin=True, since=world.now)
        self._running.discard(ref)
        self._freed = self._freed or had_one
        entry = self._entry(ref, world)
        waiting, running = self._awake(world.now) | {ref: entry}, self._by_namespace()
        own = _as_waiting(ref, entry)
        ordered = in_order([_as_waiting(*one) for one in waiting.items()], running)
        if own in called(ordered, running, self._limits):
            return Turn(may_begin=True, since=entry.since)
        if world.now < entry.joined + JOINING:
            return Turn(may_begin=False, since=entry.since, again_at=entry.joined + JOINING)
        place, told_at = entry.told or (None, world.now)
        if place is None or world.now >= told_at + RETOLD:
            place, told_at = place_of(own, ordered, running, self._limits), world.now
            self._waiting[ref] = replace(entry, told=(place, told_at))
        return Turn(False, entry.since, place, told_at + RETOLD)

    def note(self, ref: Ref, course: Course, now: datetime) -> None:
        """Keep what was decided on a turn: a place taken, a place in the queue, or neither."""
        if not self._limits:
            return
        if course.turn is not None:
            entry = self._waiting.get(ref) or _Entry(course.turn.since, joined=now, asked=now)
            self._waiting[ref] = replace(entry, asked=now)
            return
        self._waiting.pop(ref, None)
        if course.start is not None and course.start.trigger not in UNCOUNTED:
            self._taken.add(ref)

    def leave(self, ref: Ref) -> None:
        """Forget an Agent that is gone, or whose rollout the API server refused to take."""
        self._waiting.pop(ref, None)
        self._freed = self._freed or ref in self._running | self._taken
        self._running.discard(ref)
        self._taken.discard(ref)

    def step_out(self, ref: Ref) -> None:
        """Let an Agent wait no longer that cannot be read; a rollout of its goes on running."""
        self._waiting.pop(ref, None)

    def calls(self, now: datetime) -> set[Ref]:
        """Name those whose turn it is since a place became free; nobody while none did."""
        if not self._freed:
            return set()
        self._freed = False
        running = self._by_namespace()
        waiting = {_as_waiting(ref, entry): ref for ref, entry in self._awake(now).items()}
        ordered = in_order(waiting, running)
        return {waiting[one] for one in called(ordered, running, self._limits)}

    def _entry(self, ref: Ref, world: World) -> _Entry:
        now = world.now
        return self._waiting.get(ref) or _Entry(_told_since(world.agent) or now, now, now)

    def _awake(self, now: datetime) -> dict[Ref, _Entry]:
        return {ref: one for ref, one in self._waiting.items() if now < one.asked + GIVEN_UP}

    def _by_namespace(self) -> Counter[str]:
        return Counter(ref.namespace for ref in self._running | self._taken)


def _is_queued(agent: Document | Invalid) -> bool:
    """Claim that an Agent waits, by its status alone: thousands are asked at a time."""
    if isinstance(agent, Invalid):
        return False
    rollout = (agent.get("status") or {}).get("rollout") or {}
    return bool(rollout.get("queue"))


def _as_waiting(ref: Ref, entry: _Entry) -> Waiting:
    return Waiting(entry.since, ref.namespace, ref.name)


def _told_since(agent: Agent) -> datetime | None:
    """Read since when an Agent waits, as its status tells."""
    told = agent.status.rollout
    return told.queue.since if told is not None and told.queue is not None else None
