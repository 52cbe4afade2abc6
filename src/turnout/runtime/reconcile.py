"""Reconcile: observe -> decide -> apply, for one object at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Kind, Ref, version_of
from turnout.adapters.references import content_refs
from turnout.api.agent import Agent
from turnout.core import naming
from turnout.core.decide import Outcome, decide
from turnout.core.gates import Blind
from turnout.core.kill import order_of
from turnout.core.looks import Readings
from turnout.core.patch import merge_patch
from turnout.core.plan import Action, Announcement, Apply, Create, Decision, Record, Target
from turnout.core.reasons import Reason
from turnout.core.world import Unread, World
from turnout.errors import Conflict, Forbidden, Invalid
from turnout.runtime.apply import Hand, name_of, pressing, ref_to
from turnout.runtime.calm import Glances
from turnout.runtime.collect import Collector
from turnout.runtime.evaluations import EVALUATED, Evaluated, Evaluations
from turnout.runtime.lineup import Lineup
from turnout.runtime.memory import Memory
from turnout.runtime.observe import Observer
from turnout.runtime.parse import parse
from turnout.runtime.relations import references_of
from turnout.runtime.reports import Reports
from turnout.runtime.sources import SOURCES, Source, Sources
from turnout.runtime.store import Store

logger = structlog.stdlib.get_logger(__name__)


class Audience(Protocol):
    """Who hears of what the reconciler does."""

    def wake(self, refs: Iterable[Ref]) -> None:
        """Hear of objects that a change bears on."""
        ...

    def tell(self, announcement: Announcement, regarding: Document) -> None:
        """Hear what is worth an Event."""
        ...

    def notice(self, ref: Ref, outcome: Outcome) -> None:
        """Hear of each decision, for metrics."""
        ...

    def forget(self, ref: Ref) -> None:
        """Hear that an Agent is gone."""
        ...


AT_ONCE = timedelta(0)
REFUSED_RECHECK = timedelta(seconds=5)
"""What the API server refused is tried again this often: a quota or a right may come."""

CONFLICT_RECHECK = timedelta(seconds=5)
"""A foreign object that holds our name is not watched, so it is looked at this often."""


_LOOKED_AFTER: Final[Mapping[Kind, type[Source | Evaluated]]] = {**SOURCES, **EVALUATED}


@dataclass(frozen=True)
class Crew:
    """Who carries out what the reconciler decides.

    Attributes:
        hand: Writes.
        collector: Cleans up after deleted Agents.
        lineup: Says whose turn it is to begin a rollout.
        sources: Looks after what may be kept outside the cluster.
        evaluations: Looks after suites and their runs.
    """

    hand: Hand
    collector: Collector
    lineup: Lineup
    sources: Sources
    evaluations: Evaluations


class Reconciler:
    """Takes one key after another from the queue and makes it so."""

    def __init__(
        self,
        store: Store,
        observer: Observer,
        crew: Crew,
        audience: Audience,
    ) -> None:
        self._store = store
        self._observer = observer
        self._reports = Reports(store, observer.now, observer.sightings)
        self._hand, self._collector, self._lineup = crew.hand, crew.collector, crew.lineup
        self._sources, self._evaluations = crew.sources, crew.evaluations
        self._audience = audience
        self._memories: dict[Ref, Memory] = {}
        self._glances = Glances(observer, crew.hand)

    async def reconcile(self, ref: Ref) -> timedelta | None:
        """Look at one object; returns when to look again, None to leave it to events.

        Raises:
            Conflict: The world moved on meanwhile: again soon.
            Transient: The API server is unwell: again later.
        """
        if ref.kind != kinds.AGENT:
            return await self._shared(ref, self._store.get(ref))
        glance = await self._glances.look(ref, self._memories.get(ref, Memory()))
        if glance.outcome is not None:
            self._audience.wake(await self._glances.write_down(ref, glance))
            self._audience.notice(ref, glance.outcome)
            return glance.outcome.decision.again_in
        document = self._store.get(ref)
        if document is None:
            self._forget(ref)
            return await self._collector.collect(ref)
        agent = parse(Agent, document)
        if isinstance(agent, Agent):
            return await self._agent(ref, agent, glance.readings)
        self._lineup.step_out(ref)
        await self._refuse(ref, document, agent)
        return None

    def stir(self, ref: Ref) -> None:
        """Hear that something happened that bears on an object."""
        self._glances.stir(ref)

    def _forget(self, ref: Ref) -> None:
        self._memories.pop(ref, None)
        self._glances.forget(ref)
        self._lineup.leave(ref)
        self._audience.forget(ref)
        self._audience.wake(self._lineup.calls(self._observer.now()))

    async def _agent(
        self, ref: Ref, agent: Agent, readings: Mapping[str, Readings | Blind] | None
    ) -> timedelta | None:
        memory = self._memories.setdefault(ref, Memory())
        wakes = self._glances.wakes(ref)
        world = await self._observer.observe(ref, agent, memory, readings)
        outcome = self._decide(ref, world)
        memory.ledger, memory.blind = outcome.ledger, outcome.blind
        known = memory.refused, memory.forbidden
        memory.forbidden = None
        silent = True
        for action in pressing(outcome.decision.actions):
            await self._act(action, memory)
            if silent and _records(action):
                self._say(ref, agent, outcome)
                silent = False
        if silent:
            self._say(ref, agent, outcome)
        if not order_of(world).is_clear:
            self._audience.wake(
                one for one in content_refs(agent) if one.kind == kinds.AGENT_POLICY
            )
        self._give_back(ref, outcome)
        self._audience.wake(self._lineup.calls(world.now))
        if (memory.refused, memory.forbidden) != known:
            return AT_ONCE
        if wakes == self._glances.wakes(ref):
            self._glances.keep(ref, world, outcome, memory)
        return _again_in(outcome.decision, memory)

    def _decide(self, ref: Ref, world: World) -> Outcome:
        """Decide, with the turn taken in the same breath: nothing else runs in between."""
        outcome = decide(replace(world, turn=self._lineup.turn(ref, world)))
        self._lineup.note(ref, outcome.course, world.now)
        return outcome

    def _give_back(self, ref: Ref, outcome: Outcome) -> None:
        """Give the place back of a rollout that the API server did not let begin."""
        start = outcome.course.start
        if start is None:
            return
        name = naming.rollout_name(ref.name, start.number)
        if self._store.get(Ref(kinds.AGENT_ROLLOUT, ref.namespace, name)) is None:
            self._lineup.leave(ref)

    def _say(self, ref: Ref, agent: Agent, outcome: Outcome) -> None:
        """Log, announce and count what was decided, and wake who shows it.

        It is said once the decision is on record: a conflict in a later action brings another look,
        to which nothing is new any more.
        """
        decision = outcome.decision
        if decision.actions:
            logger.info(
                "decided",
                namespace=ref.namespace,
                agent=ref.name,
                rule=decision.rule,
                reason=decision.reason,
                message=decision.message,
                actions=[type(action).__name__ for action in decision.actions],
            )
            self._audience.wake(content_refs(agent))
        for announcement in decision.announcements:
            self._announce(announcement)
        self._audience.notice(ref, outcome)

    async def _act(self, action: Action, memory: Memory) -> None:
        """Carry one action out; what the API server refuses is told on the Agent, in its words.

        The actions after it still run: an object that is refused must not keep traffic from
        going back.
        """
        name = name_of(action)
        try:
            self._audience.wake(await self._hand.apply(action))
        except Invalid as error:
            if memory.refused.get(name) != error.message:
                logger.warning("refused", object=name, error=error.message)
            memory.refused = {**memory.refused, name: error.message}
        except Forbidden as error:
            logger.warning("forbidden", object=name, error=str(error))
            memory.forbidden = str(error)
        except Conflict:
            if isinstance(action, Create):
                memory.doubted.add(name)
            raise
        else:
            memory.refused = {key: why for key, why in memory.refused.items() if key != name}

    def _announce(self, announcement: Announcement) -> None:
        document = self._store.get(ref_to(announcement.regarding))
        if document is not None and not isinstance(document, Invalid):
            self._audience.tell(announcement, document)

    async def _refuse(self, ref: Ref, document: Document | Invalid, why: Unread) -> None:
        """Say on an Agent that cannot be read what is wrong with it; nothing else moves."""
        if isinstance(document, Invalid):
            logger.warning("unreadable", object=str(ref), message=why.message)
        elif await self._tell(ref, document, self._reports.refuse(ref, document, why)):
            self._audience.wake(references_of(ref, document))

    async def _shared(self, ref: Ref, document: Document | Invalid | None) -> timedelta | None:
        """Report an object that Agents refer to: who uses it and how far its content came."""
        if document is None or isinstance(document, Invalid):
            for one in (self._sources, self._evaluations, self._reports):
                one.forget(ref)
            if document is not None:
                logger.warning("unreadable", object=str(ref), message=document.message)
        elif ref.kind in _LOOKED_AFTER:
            return await self._look_after(ref, document)
        else:
            await self._tell(ref, document, self._reports.report(ref, document))
        return None

    async def _look_after(self, ref: Ref, document: Document) -> timedelta | None:
        found, now = parse(_LOOKED_AFTER[ref.kind], document), self._observer.now()
        if isinstance(found, Unread):
            await self._tell(ref, document, self._reports.refuse(ref, document, found))
            return None
        if isinstance(found, Evaluated):
            return await self._evaluations.look(ref, found, now, self._announce)
        return await self._sources.look(ref, found, self._reports.users(ref), now, self._announce)

    async def _tell(self, ref: Ref, document: Document, status: Document) -> bool:
        """Write a status where it says something new; returns whether it did."""
        patch = merge_patch(document.get("status") or {}, status)
        if patch:
            await self._record(ref, document, patch)
        return bool(patch)

    async def _record(self, ref: Ref, document: Document, status: Document) -> None:
        target = Target(ref.kind.kind, ref.namespace, ref.name)
        self._audience.wake(await self._hand.apply(Record(target, status, version_of(document))))


def _records(action: Action) -> bool:
    """Claim that an action puts a decision on record: from here on it holds."""
    match action:
        case Record(target, _, _):
            return target.kind == kinds.AGENT_ROLLOUT.kind
        case Create(manifest) | Apply(manifest):
            orders = naming.KILL in (manifest["metadata"].get("annotations") or {})
            return orders or bool(manifest["kind"] == kinds.AGENT_ROLLOUT.kind)
        case _:
            return False


def _again_in(decision: Decision, memory: Memory) -> timedelta | None:
    if memory.refused or memory.forbidden:
        return REFUSED_RECHECK
    if decision.actions:
        return AT_ONCE
    if decision.reason == Reason.NAME_CONFLICT:
        return CONFLICT_RECHECK
    return decision.again_in
