"""What the operator sees of a cluster in memory: everything that bears on one Agent, read once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeVar

from turnout.api.agent import Agent, Model
from turnout.api.base import Resource
from turnout.api.evalrun import EvalPhase, EvalRun
from turnout.api.gate import GateMetricType
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import RolloutStrategy
from turnout.api.tools import ToolRegistry
from turnout.api.version import AgentVersion
from turnout.core.checkpoint import restore
from turnout.core.fallback import candidates, stored_tools
from turnout.core.ledger import Entry
from turnout.core.looks import Says
from turnout.core.pins import drift_that_holds
from turnout.core.standby import in_question
from turnout.core.stored import model_in, read_stored
from turnout.core.texts import completed, text_in
from turnout.core.world import Child, Pod, Sources, Stored, Tools, Unread, World
from turnout.simulation.cluster import Document, Key, MemoryCluster
from turnout.simulation.provider import Provider

_Kind = TypeVar("_Kind", bound=Resource)

CHILDREN: Final = frozenset({"Deployment", "Service", "ConfigMap", "HTTPRoute"})
"""Kinds of what the operator makes for an Agent."""


class SeenCluster(MemoryCluster):
    """A cluster of which worlds can be made."""

    def __init__(self, scrape: float, provider: Provider) -> None:
        """Have an Agent that `provider` watches, every `scrape` seconds."""
        super().__init__()
        self.scrape = scrape
        self.provider = provider
        self.suites: dict[str, str] = {}
        """How runs of suites end, by the suite's name: a phase of an EvalRun."""
        self.ledger: dict[str, dict[str, Entry]] = {}
        self._contents: dict[str, Stored | Unread] = {}
        self._known: dict[str, Any] = {}

    @property
    def agent_name(self) -> str:
        """Name of the Agent."""
        return next(name for kind, name in self.objects if kind == "Agent")

    def metrics(self) -> dict[str, Says]:
        """Name the metrics that the newest rollout looks at, with what is told of each."""
        rollouts = self.all("AgentRollout")
        asked = rollouts[-1]["spec"]["gate"]["metrics"] if rollouts else []
        costs = GateMetricType.COST_PER_SUCCESS
        return {one["name"]: Says.AMOUNT if one["type"] == costs else Says.GOOD for one in asked}

    def world(self) -> World:
        """Observe: everything that a decision may look at."""
        agent = self._parsed(Agent, self.get("Agent", self.agent_name))
        rollouts = [self._parsed(AgentRollout, one) for one in self.all("AgentRollout")]
        rollouts.sort(key=lambda one: one.spec.number)
        newest = rollouts[-1] if rollouts else None
        versions = [self._parsed(AgentVersion, one) for one in self.all("AgentVersion")]
        world = World(
            now=self.now,
            agent=agent,
            sources=self._sources(agent),
            versions={one.metadata.name: one for one in versions},
            rollouts=tuple(rollouts),
            children=self._children(),
            pods=self._pods(),
            stored=self._stored([one.metadata.name for one in versions]),
            runs={run.metadata.name: run for run in self._runs()},
            readings=self.provider.readings(self.metrics()),
            ledger=self._known_windows(newest),
            scrape=self.scrape,
            approvals_protected=True,
            crd_uid="crd-1",
        )
        world = replace(world, tools=self.tools(world))
        return replace(world, models=self.models(world))

    def _runs(self) -> list[EvalRun]:
        return [self._parsed(EvalRun, one) for one in self.all("EvalRun")]

    def end_runs(self) -> None:
        """Let EvalRuns end as is stated of their suites; one of which nothing is stated passes."""
        for run in self.all("EvalRun"):
            phase = self.suites.get(run["spec"]["suite"]["name"], EvalPhase.PASSED.value)
            if not run.get("status") and phase != EvalPhase.RUNNING.value:
                name = run["metadata"]["name"]
                said = {"phase": phase, "message": f"as stated: {phase}"}
                self.patch("EvalRun", name, {"status": said})

    def later(self, world: World) -> World:
        """Observe again where nothing changed since but time and what pods counted."""
        return replace(
            world,
            now=self.now,
            readings=self.provider.readings(self.metrics()),
            ledger=self._known_windows(world.rollouts[-1] if world.rollouts else None),
        )

    def tools(self, world: World) -> dict[str, Tools]:
        """Read the tools of the versions that may be gone back to."""
        told = {
            one.metadata.name: stored_tools(
                self.get("ConfigMap", one.metadata.name)["data"], one.spec.digest
            )
            for one in candidates(world)
        }
        return {name: tools for name, tools in told.items() if tools is not None}

    def models(self, world: World) -> dict[str, Model | None]:
        """Read the models of versions one of which may stand in for the other."""
        told = {
            one.metadata.name: model_in(
                self.get("ConfigMap", one.metadata.name)["data"], one.spec.digest
            )
            for one in in_question(world)
        }
        return {name: one for name, one in told.items() if not isinstance(one, Unread)}

    def _children(self) -> dict[Key, Child]:
        return {
            key: Child(one["metadata"]["uid"], one["metadata"]["resourceVersion"], one)
            for key, one in self.objects.items()
            if key[0] in CHILDREN
        }

    def _sources(self, agent: Agent) -> Sources:
        spec = agent.spec
        registry = self._named(ToolRegistry, spec.tool_registry_ref)
        return Sources(
            prompts={one["metadata"]["name"]: self._prompt(one) for one in self.all("Prompt")},
            registry=registry,
            tools_drift=self.drift(registry),
            policy=self._named(AgentPolicy, spec.policy_ref),
            strategy=self._named(RolloutStrategy, spec.strategy_ref),
            templates={
                one["metadata"]["name"]: self.read(MetricTemplate, one)
                for one in self.all("MetricTemplate")
            },
        )

    def _named(self, model: Any, reference: Any) -> Any:
        found = self.objects.get((model.__name__, reference.name)) if reference else None
        return self.read(model, found) if found else None

    def drift(self, registry: ToolRegistry | Unread | None) -> str | None:
        """Say what servers offer otherwise than pinned, where that holds rollouts."""
        return drift_that_holds(registry) if isinstance(registry, ToolRegistry) else None

    def read(self, model: Any, document: Document) -> Any:
        """Read an object that the Agent refers to."""
        return self._parsed(model, document)

    def _prompt(self, document: Document) -> Prompt | Unread:
        """Read a Prompt with its text."""
        prompt: Prompt | Unread = self.read(Prompt, document)
        if isinstance(prompt, Unread) or prompt.spec.config_map_key_ref is None:
            return prompt
        source = prompt.spec.config_map_key_ref
        return completed(prompt, text_in(source, self.objects.get(("ConfigMap", source.name))))

    def _parsed(self, model: type[_Kind], document: Document) -> _Kind:
        """Read an object; the same state of it is read once."""
        version = document["metadata"]["resourceVersion"]
        if version not in self._known:
            self._known[version] = model.model_validate(document)
        found: _Kind = self._known[version]
        return found

    def _pods(self) -> tuple[Pod, ...]:
        ready = {name for pod in self.pods.values() for name in self.ready_pods(pod.version)}
        return tuple(
            Pod(
                name,
                pod.version,
                name in ready,
                pod.created,
                None,
                f"{pod.order} {pod.repeat_at}",
                pod.order,
                pod.repeat_at,
                pod.hears,
            )
            for name, pod in self.pods.items()
        )

    def _stored(self, versions: list[str]) -> dict[str, Stored | Unread]:
        for document in self.all("ConfigMap"):
            version = document["metadata"]["resourceVersion"]
            if version not in self._contents:
                self._contents[version] = read_stored(document.get("data", {}))
        found = {
            one["metadata"]["name"]: self._contents[one["metadata"]["resourceVersion"]]
            for one in self.all("ConfigMap")
        }
        gone = Unread("its ConfigMap is gone")
        return {name: found.get(name, gone) for name in {*versions, *found}}

    def _known_windows(self, rollout: AgentRollout | None) -> dict[str, Entry]:
        if rollout is None:
            return {}
        known = self.ledger.get(rollout.metadata.name)
        return restore(rollout.status) if known is None else known
