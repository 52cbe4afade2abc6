"""Observe: read everything that bears on one Agent, once, into a frozen World."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Kind, Ref
from turnout.adapters.ports import Clock, Cluster
from turnout.api.agent import Agent
from turnout.api.base import LocalRef, PinnedRef, seconds
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import RolloutStrategy
from turnout.api.tools import ToolRegistry
from turnout.api.version import AgentVersion
from turnout.core.checkpoint import restore
from turnout.core.evidence import evidence_starts
from turnout.core.gates import Blind
from turnout.core.intake import Wanted, take_in
from turnout.core.ledger import NOTHING
from turnout.core.looks import Readings
from turnout.core.naming import standing_order_name
from turnout.core.phase import has_ended
from turnout.core.pins import completed, drift_that_holds
from turnout.core.stable import stable_of
from turnout.core.world import Child, Sources, Unread, World
from turnout.errors import NotFound
from turnout.runtime import parse
from turnout.runtime.contents import Contents
from turnout.runtime.evaluations import runs_waited_for
from turnout.runtime.instruments import Instruments
from turnout.runtime.memory import Memory
from turnout.runtime.pasts import looked
from turnout.runtime.readings import Question
from turnout.runtime.store import Refs, Store
from turnout.runtime.surroundings import Surroundings
from turnout.runtime.texts import Texts

SERVING_KINDS = (kinds.DEPLOYMENT, kinds.SERVICE, kinds.CONFIG_MAP, kinds.HTTP_ROUTE)


class Observer:
    """Builds worlds from the Store, the API server where the Store is too thin, and metrics.

    Attributes:
        texts: Completes Prompts with texts that are kept elsewhere.
        sightings: What looks found of the series of MetricTemplates.
    """

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        instruments: Instruments,
        clock: Clock,
        surroundings: Surroundings,
        *,
        wake: Callable[[Refs], None],
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._gauge = instruments.gauge
        self._clock = clock
        self._surroundings = surroundings
        self._contents = Contents(cluster)
        self._budgets, self._drifts = instruments.budgets, instruments.drifts
        self.texts = Texts(cluster, store, wake)
        self.sightings = instruments.gauge.sightings

    def now(self) -> datetime:
        """Tell the time."""
        return self._clock.now()

    async def observe(
        self,
        ref: Ref,
        agent: Agent,
        memory: Memory,
        readings: Mapping[str, Readings | Blind] | None = None,
    ) -> World:
        """Read one Agent's world, and its metrics where no readings of just now are given."""
        stored = self._stored_world(ref, agent)
        prompts = await self._prompts(ref, agent)
        registry = await self._completed(stored.sources.registry)
        sources = replace(stored.sources, prompts=prompts, registry=registry)
        refused = dict(memory.refused)
        world = replace(stored, sources=sources, refused=refused, forbidden=memory.forbidden)
        world = await self._contents.add_tools(world)
        world = await self._contents.add_models(world)
        wanted = take_in(world)
        if isinstance(wanted, Wanted):
            settles = memory.settles_in(wanted.ref.digest, world.now)
            children = dict(world.children) | await self._holders(world, wanted)
            world = replace(world, settles_in=settles, children=children)
        asked = wanted if isinstance(wanted, Wanted) else None
        world = await self._contents.add(world, asked, memory.doubted)
        memory.doubted &= world.foreign.keys()
        world = replace(world, spendings=self._budgets.attend(ref, world))
        world = self._drifts.attend(ref, world)
        return await self._with_evidence(world, memory, readings)

    async def look_again(self, seen: World, memory: Memory) -> World:
        """See what is new of a world in which only time passed: evidence."""
        spendings = self._budgets.spendings(Ref(kinds.AGENT, seen.namespace, seen.name))
        world = replace(seen, now=self._clock.now(), spendings=spendings)
        return await self._with_evidence(world, memory)

    def still_holds(self, seen: World) -> bool:
        """Claim that a world is still set in the surroundings in which it was seen."""
        here = self._surroundings
        then = (seen.approvals_protected, seen.routes_served, seen.crd_uid)
        return then == (here.approvals_protected, here.routes_served, here.crd_uid)

    def rollouts(self, ref: Ref) -> tuple[AgentRollout, ...]:
        """Read an Agent's rollouts from the Store, oldest first."""
        rollouts = self._records(ref, kinds.AGENT_ROLLOUT, AgentRollout)
        return tuple(sorted(rollouts, key=lambda one: one.spec.number))

    def _stored_world(self, ref: Ref, agent: Agent) -> World:
        ordered = self.rollouts(ref)
        versions = self._records(ref, kinds.AGENT_VERSION, AgentVersion)
        return World(
            now=self._clock.now(),
            agent=agent,
            sources=self._sources(ref, agent, ordered),
            versions={one.metadata.name: one for one in versions},
            rollouts=ordered,
            children=self._children(ref),
            pods=parse.pods(self._store.children(ref, kinds.POD).values()),
            runs=runs_waited_for(self._store, ref, ordered),
            approvals_protected=self._surroundings.approvals_protected,
            routes_served=self._surroundings.routes_served,
            crd_uid=self._surroundings.crd_uid,
        )

    def _records(self, ref: Ref, kind: Kind, model: type[parse.Known]) -> list[parse.Known]:
        found = self._store.children(ref, kind).values()
        parsed = (parse.parse(model, document) for document in found)
        return [one for one in parsed if not isinstance(one, Unread)]

    def _sources(self, ref: Ref, agent: Agent, rollouts: Sequence[AgentRollout]) -> Sources:
        spec = agent.spec
        strategy = self._named(ref, kinds.ROLLOUT_STRATEGY, spec.strategy_ref, RolloutStrategy)
        gates = [one.spec.gate for one in rollouts[-1:]]
        gates += [spec.gate] if spec.gate else []
        gates += [strategy.spec.gate] if isinstance(strategy, RolloutStrategy) else []
        templates = {
            metric.template_ref.name: self._named(
                ref, kinds.METRIC_TEMPLATE, metric.template_ref, MetricTemplate
            )
            for gate in gates
            for metric in gate.metrics
            if metric.template_ref is not None
        } | {
            one.metric: self._named(
                ref, kinds.METRIC_TEMPLATE, LocalRef(name=one.metric), MetricTemplate
            )
            for one in spec.objectives
        }
        registry = self._named(ref, kinds.TOOL_REGISTRY, spec.tool_registry_ref, ToolRegistry)
        drift = drift_that_holds(registry) if isinstance(registry, ToolRegistry) else None
        return Sources(
            registry=registry,
            tools_drift=drift,
            policy=self._named(ref, kinds.AGENT_POLICY, spec.policy_ref, AgentPolicy),
            strategy=strategy,
            templates={name: one for name, one in templates.items() if one is not None},
        )

    async def _completed(
        self, registry: ToolRegistry | Unread | None
    ) -> ToolRegistry | Unread | None:
        """Fill in what was discovered of a registry's tools."""
        if not isinstance(registry, ToolRegistry):
            return registry
        namespace, status = registry.metadata.namespace, registry.status
        return completed(registry, await self.texts.shelf.pinned(namespace, status.content_ref))

    async def _prompts(self, ref: Ref, agent: Agent) -> dict[str, Prompt | Unread]:
        """Read the prompts that exist, each with its text."""
        found: dict[str, Prompt | Unread] = {}
        for one in agent.spec.prompt_refs:
            prompt = self._named(ref, kinds.PROMPT, one, Prompt)
            if isinstance(prompt, Prompt):
                where = Ref(kinds.PROMPT, ref.namespace, one.name)
                found[one.name] = await self.texts.complete(where, prompt)
            elif prompt is not None:
                found[one.name] = prompt
        return found

    def _named(
        self,
        agent: Ref,
        kind: Kind,
        reference: LocalRef | PinnedRef | None,
        model: type[parse.Known],
    ) -> parse.Known | Unread | None:
        if reference is None:
            return None
        document = self._store.get(Ref(kind, agent.namespace, reference.name))
        return None if document is None else parse.parse(model, document)

    def _children(self, ref: Ref) -> dict[tuple[str, str], Child]:
        found: dict[Ref, Child] = {}
        for kind in SERVING_KINDS:
            found |= self._store.made(ref, kind)
        standing = Ref(kinds.CONFIG_MAP, ref.namespace, standing_order_name(ref.name))
        held = self._store.child(standing)
        if held is not None:  # by somebody else too, who then keeps the name
            found[standing] = held
        return {(one.kind.kind, one.name): child for one, child in found.items()}

    async def _holders(self, world: World, wanted: Wanted) -> dict[tuple[str, str], Child]:
        """Find who holds the names that are needed, where the label does not show them.

        Such an object is not ours and not watched, so it is read again each time.
        """
        names = [(kinds.SERVICE, world.service_name), (kinds.HTTP_ROUTE, world.name)]
        names += [(kind, wanted.ref.version) for kind in SERVING_KINDS if kind != kinds.HTTP_ROUTE]
        found: dict[tuple[str, str], Child] = {}
        for kind, name in names:
            ref = Ref(kind, world.namespace, name)
            if world.child(kind.kind, name) is None and self._store.get(ref) is not None:
                try:
                    document = await self._cluster.get(ref)
                    self._store.put(ref, document)
                    found[kind.kind, name] = parse.child(document)
                except NotFound:
                    self._store.remove(ref)
        return found

    async def _with_evidence(
        self,
        world: World,
        memory: Memory,
        readings: Mapping[str, Readings | Blind] | None = None,
    ) -> World:
        """Add the windows that are remembered, and ask the provider if a look is due."""
        newest = world.rollouts[-1] if world.rollouts else None
        if newest is None or has_ended(newest.status.phase):
            return world
        taken = readings if newest.metadata.uid == memory.rollout else None
        memory.begin(newest.metadata.uid)
        ledger = dict(memory.ledger or restore(newest.status))
        scrape, lag = self._gauge.scrape_interval(newest), self._gauge.lag(newest)
        known = dict(memory.blind)
        world = replace(world, ledger=ledger, readings=known, scrape=scrape, lag=lag)
        if taken is not None:
            return replace(world, readings=taken)
        since = _open_since(world, newest)
        if since is None or not _look_is_due(world, newest, since, memory):
            return world
        memory.looked_at = world.now
        chosen = {name: one.matched for name, one in ledger.items() if one.matched}
        due = world.cadence(seconds(newest.spec.gate.interval)).last_look(world.now.timestamp())
        patience = world.now - datetime.fromtimestamp(due, tz=UTC)
        question = Question(newest, _arms(world, newest), since, world.now, chosen, patience)
        return await looked(self._gauge, world, memory, question)


def _open_since(world: World, rollout: AgentRollout) -> datetime | None:
    """Tell where the oldest window begins that is still open; None before any traffic."""
    starts = evidence_starts(rollout)
    if starts is None:
        return None
    known = (world.ledger.get(one.name, NOTHING).end for one in rollout.spec.gate.metrics)
    ends = (starts if end is None else end for end in known)
    return datetime.fromtimestamp(min(ends), tz=UTC)


def _look_is_due(world: World, rollout: AgentRollout, since: datetime, memory: Memory) -> bool:
    """Tell whether a window can have closed since the provider was asked last."""
    cadence, now = world.cadence(seconds(rollout.spec.gate.interval)), world.now.timestamp()
    if now < cadence.first_end_after(since.timestamp()) + cadence.soonest:
        return False
    last = memory.looked_at
    return last is None or last.timestamp() < cadence.last_look(now)


def _arms(world: World, rollout: AgentRollout) -> dict[str, tuple[str, ...]]:
    """Name the pods of each arm, by its version."""
    stable = stable_of(world)
    versions = {rollout.spec.to.version} | ({stable.version} if stable else set())
    return {
        version: tuple(sorted(pod.name for pod in world.pods if pod.version == version))
        for version in sorted(versions)
    }
