"""Reports: the status of what Agents refer to, and of what cannot be read at all."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Kind, Ref
from turnout.api.agent import Agent
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.strategy import RolloutStrategy, RolloutStrategyStatus
from turnout.api.use import User
from turnout.core.metrics import report_template
from turnout.core.policies import report_policy
from turnout.core.shared import Users, accepted, listed
from turnout.core.unread import refusal
from turnout.core.world import Pod, Unread
from turnout.runtime.parse import parse, pods
from turnout.runtime.sightings import Sightings
from turnout.runtime.store import Store

_Shared: TypeAlias = AgentPolicy | RolloutStrategy | MetricTemplate

_TYPES: Final[Mapping[Kind, type[_Shared]]] = MappingProxyType(
    {
        kinds.AGENT_POLICY: AgentPolicy,
        kinds.ROLLOUT_STRATEGY: RolloutStrategy,
        kinds.METRIC_TEMPLATE: MetricTemplate,
    }
)


class Reports:
    """Works out statuses from the Store."""

    def __init__(self, store: Store, now: Callable[[], datetime], sightings: Sightings) -> None:
        self._store = store
        self._sightings = sightings
        self._now = now

    def report(self, ref: Ref, document: Document) -> Document:
        """Return the whole status of an object that is all in the cluster."""
        users, now = self.users(ref), self._now()
        source = parse(_TYPES[ref.kind], document)
        match source:
            case Unread():
                return self.refuse(ref, document, source)
            case AgentPolicy():
                return report_policy(source, users, now, self._pods(ref, users)).to_wire()
            case RolloutStrategy():
                return _strategy(source, users, now)
            case MetricTemplate():
                sights = self._sightings.of(ref, users)
                return report_template(source, users, sights, now).to_wire()

    def refuse(self, ref: Ref, document: Document, why: Unread) -> Document:
        """Return the whole status of an object that cannot be read."""
        before = document.get("status") or {}
        return refusal(
            ref.kind.kind,
            before,
            self.users(ref),
            why.message,
            generation=document["metadata"].get("generation", 0),
            now=self._now(),
        )

    def forget(self, ref: Ref) -> None:
        """Hear that an object is gone."""
        self._sightings.forget(ref)

    def _pods(self, ref: Ref, users: Users) -> Mapping[str, tuple[Pod, ...]]:
        agents = (Ref(kinds.AGENT, ref.namespace, name) for name in users)
        return {one.name: pods(self._store.children(one, kinds.POD).values()) for one in agents}

    def users(self, ref: Ref) -> Users:
        """Return the Agents that refer to an object."""
        found = ((user.name, self._store.get(user)) for user in self._store.users(ref))
        return {name: parse(Agent, one) for name, one in found if one is not None}


def _strategy(strategy: RolloutStrategy, users: Users, now: datetime) -> Document:
    before, generation = strategy.status, strategy.metadata.generation
    steps = strategy.spec.strategy.steps
    return RolloutStrategyStatus(
        observed_generation=generation,
        **listed([User(agent=name) for name in users]),
        summary=f"{len(steps)} steps",
        conditions=accepted(before.conditions, generation, now),
    ).to_wire()
