"""Short looks: where nobody woke an Agent since all was well, only time and evidence are new.

A fleet of canaries is looked at every few seconds, and next to none of these looks finds anything
to do. Everything that bears on an Agent wakes it when it changes, so for one that was not woken the
world of before still holds, and is neither read nor worked through again. Not even where evidence
is written down: that changes nothing that anybody goes by.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from turnout.adapters.documents import AGENT, Ref
from turnout.core.decide import Outcome, decide_again
from turnout.core.gates import Blind
from turnout.core.looks import Readings
from turnout.core.world import Child, World
from turnout.runtime.apply import Hand
from turnout.runtime.kept import Kept
from turnout.runtime.memory import Memory
from turnout.runtime.observe import Observer
from turnout.runtime.store import Refs


@dataclass(frozen=True)
class Glance:
    """What came of a short look.

    Attributes:
        outcome: What is decided; None where everything has to be looked at.
        readings: What the provider was asked meanwhile: it is not asked twice.
        world: What was seen, where evidence is to be written down.
    """

    outcome: Outcome | None = None
    readings: Mapping[str, Readings | Blind] | None = None
    world: World | None = None


@dataclass(frozen=True)
class _Calm:
    """An Agent at which nothing was to be done: what was seen, and decided."""

    world: World
    outcome: Outcome


class Glances:
    """Looks in short at Agents that nobody woke since they were calm."""

    def __init__(self, observer: Observer, hand: Hand) -> None:
        self._observer = observer
        self._hand = hand
        self._calm: dict[Ref, _Calm] = {}
        self._wakes: Counter[Ref] = Counter()

    def stir(self, ref: Ref) -> None:
        """Hear that something happened that bears on an object: what was seen of it is old."""
        if ref.kind == AGENT:
            self._calm.pop(ref, None)
            self._wakes[ref] += 1

    def forget(self, ref: Ref) -> None:
        """Drop what is kept of an Agent that is gone."""
        self._calm.pop(ref, None)
        self._wakes.pop(ref, None)

    def wakes(self, ref: Ref) -> int:
        """Count how often an Agent was woken, to compare before and after a look."""
        return self._wakes[ref]

    async def look(self, ref: Ref, memory: Memory) -> Glance:
        """Look in short where that is enough."""
        calm = self._calm.get(ref)
        if calm is None or not self._observer.still_holds(calm.world):
            return Glance()
        world = await self._observer.look_again(calm.world, memory)
        stirred = self._calm.pop(ref, None) is not calm
        outcome = None if stirred else decide_again(world, calm.outcome)
        if outcome is not None:
            memory.ledger, memory.blind = outcome.ledger, outcome.blind
            if outcome.decision.actions:
                return Glance(outcome, world=world)
            self._calm[ref] = replace(calm, outcome=outcome)
        return Glance(outcome, world.readings)

    async def write_down(self, ref: Ref, glance: Glance) -> Refs:
        """Write evidence down where that is all there is to do; returns whom it bears on.

        The Agent is not among them: its record is as it was just decided, and nothing else is new.

        Raises:
            Conflict: The record is not what the decision was made on: look at everything.
        """
        if glance.world is None or glance.outcome is None:
            return frozenset()
        wakes, touched = self._wakes[ref], frozenset[Ref]()
        for action in glance.outcome.decision.actions:
            touched |= await self._hand.apply(action)
        if wakes == self._wakes[ref]:
            self._go_on(ref, glance.world, glance.outcome)
        return touched - {ref}

    def _go_on(self, ref: Ref, world: World, outcome: Outcome) -> None:
        rollouts = self._observer.rollouts(ref)
        if rollouts and rollouts[-1].status == outcome.course.status:
            course = replace(outcome.course, rollout=rollouts[-1])
            decision = replace(outcome.decision, actions=())
            seen = replace(world, rollouts=rollouts, readings={}, ledger={})
            self._calm[ref] = _Calm(seen, replace(outcome, course=course, decision=decision))

    def keep(self, ref: Ref, world: World, outcome: Outcome, memory: Memory) -> None:
        """Keep what a look saw, unless the next one must see everything again.

        What is not watched is read at each look: contents of versions without pods, and who holds
        a name that is needed.
        """
        unwatched = world.stored or world.foreign or _strangers(world)
        trouble = memory.refused or memory.forbidden or memory.doubted
        if outcome.is_calm and not unwatched and not trouble:
            children = {name: _unread(child) for name, child in world.children.items()}
            seen = replace(world, readings={}, ledger={}, children=children)
            self._calm[ref] = _Calm(seen, outcome)


def _unread(child: Child) -> Child:
    """Let go of what was decoded: a short look seldom looks into it."""
    document = child.document
    return replace(child, document=document.anew()) if isinstance(document, Kept) else child


def _strangers(world: World) -> bool:
    return any(world.ours(kind, name) is None for kind, name in world.children)
