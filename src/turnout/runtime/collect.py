"""Collection: what was made for an Agent goes after the Agent was deleted, and never otherwise.

Serving objects have no owner, so that losing the operator, its chart or its CRDs stops nobody's
traffic. What becomes of them is decided in `core.collection`, stage by stage, and before each
stage the guards are asked again.
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Ref
from turnout.adapters.ports import Clock
from turnout.api.agent import DeletionPolicy
from turnout.core.collection import Left, next_stage
from turnout.core.naming import is_ours
from turnout.errors import Invalid
from turnout.runtime import parse
from turnout.runtime.apply import Hand, name_of
from turnout.runtime.guards import Guards
from turnout.runtime.store import Store

logger = structlog.stdlib.get_logger(__name__)

_COLLECTED = (kinds.HTTP_ROUTE, kinds.SERVICE, kinds.DEPLOYMENT, kinds.CONFIG_MAP)


class Collector:
    """Removes, or gives up, what deleted Agents left."""

    def __init__(self, store: Store, guards: Guards, hand: Hand, clock: Clock) -> None:
        self._store = store
        self._guards = guards
        self._hand = hand
        self._clock = clock
        self._orphans: set[Ref] = set()
        self._idle_since: dict[Ref, float] = {}

    @property
    def orphans(self) -> int:
        """Count the Agents that are gone and whose objects stay because a guard says so."""
        self._orphans = {one for one in self._orphans if self._store.get(one) is None}
        return len(self._orphans)

    async def collect(self, agent: Ref) -> timedelta | None:
        """Carry out the next stage of an Agent's collection if every guard allows it.

        Returns when to look again, None to leave it to events.

        Raises:
            Transient: A guard could not be asked: nothing was removed, again later.
            Conflict: An object changed meanwhile: again soon.
        """
        left = self._left(agent)
        if not left.children:
            self._forget(agent)
            return None
        refusal = await self._guards.refusal(agent, left)
        if refusal is not None:
            if agent not in self._orphans:
                logger.warning("orphaned", agent=str(agent), message=refusal.message)
            self._orphans.add(agent)
            return refusal.again_in
        self._orphans.discard(agent)
        stage = next_stage(left)
        for action in stage.actions:
            await self._hand.apply(action)
            done = type(action).__name__
            logger.info("collected", agent=str(agent), action=done, object=name_of(action))
        return stage.again_in

    def _forget(self, agent: Ref) -> None:
        self._orphans.discard(agent)
        self._idle_since.pop(agent, None)
        self._guards.forget(agent)
        self._store.forget(agent)

    def _left(self, agent: Ref) -> Left:
        children = {
            (ref.kind.kind, ref.name): parse.child(document)
            for kind in _COLLECTED
            for ref, document in self._store.children(agent, kind).items()
            if not isinstance(document, Invalid) and is_ours(document["metadata"], agent.name)
        }
        pods = parse.pods(self._store.children(agent, kinds.POD).values())
        ready = frozenset(one.version for one in pods if one.ready)
        left = Left(agent.namespace, agent.name, children, self._policy(agent), ready)
        return replace(left, idle=self._idle(agent, left))

    def _policy(self, agent: Ref) -> DeletionPolicy | None:
        """Read the policy of the Agent as seen last; a word that is not known keeps stable."""
        last = self._store.last(agent)
        if last is None or isinstance(last, Invalid):
            return None
        policy = last["spec"].get("deletionPolicy", DeletionPolicy.DELETE)
        return DeletionPolicy.DELETE if policy == DeletionPolicy.DELETE else DeletionPolicy.ORPHAN

    def _idle(self, agent: Ref, left: Left) -> float:
        """Tell for how long nothing has led traffic to what is to go, as far as is known."""
        now = self._clock.now().timestamp()
        if left.leads():
            self._idle_since.pop(agent, None)
            return 0.0
        return now - self._idle_since.setdefault(agent, now)
