"""A cluster in memory for the pure core: decisions are applied, pods become ready, time is told.

It knows only what the core's actions need: documents with a resourceVersion, Deployments that
make pods, counters that grow by the traffic that each version gets. The real API server's rules
are the matter of the contract tests; this is for walking days of rollouts in milliseconds.
"""

import copy
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from turnout.api.agent import Agent
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import RolloutStrategy
from turnout.api.tools import ToolRegistry
from turnout.api.version import AgentVersion
from turnout.core import naming
from turnout.core.checkpoint import restore
from turnout.core.decide import Outcome, decide
from turnout.core.gates import Blind
from turnout.core.looks import Readings, Series, Window
from turnout.core.plan import Action, Apply, Create, Record, Remove
from turnout.core.reasons import Reason
from turnout.core.world import Child, Pod, Sources, Stored, World

Key = tuple[str, str]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
CHILDREN = {"Deployment", "Service", "ConfigMap", "HTTPRoute"}


def merge(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Apply a JSON merge patch (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = copy.deepcopy(value)
    return target


class Conflict(Exception):
    """A write was made on a state that has passed."""


@dataclass
class Traffic:
    """Requests per second to the agent, and the share of good answers per version."""

    rate: float = 10.0
    quality: dict[str, float] = field(default_factory=dict)
    default: float = 1.0


class Simulation:
    """One namespace with one Agent in it."""

    def __init__(self, documents: list[dict[str, Any]], *, scrape: float = 2.0) -> None:
        self.now = EPOCH
        self.scrape = scrape
        self.objects: dict[Key, dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.unready: set[str] = set()
        self.trouble: dict[str, str] = {}
        self.traffic = Traffic()
        self.blind: Blind | None = None
        self.samples: dict[str, list[tuple[float, float, float]]] = {}
        self.ledger: dict[str, dict[str, tuple[Window, ...]]] = {}
        self.weights: list[tuple[datetime, dict[str, int]]] = []
        self.events: list[tuple[str, str]] = []
        self.outcomes: list[Outcome] = []
        self.approvals_protected = True
        self.routes_served = True
        self.settles_in = 0.0
        self._versions = itertools.count(1)
        for document in documents:
            self.store(copy.deepcopy(document))

    # what people and other programs do

    def store(self, document: dict[str, Any]) -> None:
        """Put an object as `kubectl apply` would: the spec replaced, the status kept."""
        key = (document["kind"], document["metadata"]["name"])
        known = self.objects.get(key)
        meta = document["metadata"]
        meta.setdefault("namespace", "demo")
        if known is None:
            meta |= {"uid": f"uid-{next(self._versions)}", "generation": 1}
            meta["creationTimestamp"] = self.now.isoformat()
        else:
            meta |= {k: known["metadata"][k] for k in ("uid", "generation", "creationTimestamp")}
            document.setdefault("status", known.get("status", {}))
            if known.get("spec") != document.get("spec"):
                meta["generation"] += 1
        self.objects[key] = self._stamped(document)

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """Patch an object as `kubectl patch --type=merge` would."""
        found = copy.deepcopy(self.objects[kind, name])
        self.store(merge(found, patch))

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self.objects[kind, name]

    def _stamped(self, document: dict[str, Any]) -> dict[str, Any]:
        document["metadata"]["resourceVersion"] = str(next(self._versions))
        return document

    # what the cluster does

    def kubelet(self) -> None:
        """Make and end pods as the Deployments say; those not held back are Ready."""
        wanted = {
            name: document["spec"]["replicas"]
            for (kind, name), document in self.objects.items()
            if kind == "Deployment"
        }
        for version, replicas in wanted.items():
            own = sorted(name for name, pod in self.pods.items() if pod["version"] == version)
            for name in own[replicas:]:
                del self.pods[name]
            for _ in range(replicas - len(own)):
                name = f"{version}-{next(self._versions)}"
                self.pods[name] = {"version": version, "created": self.now.timestamp()}
        for name in [n for n, pod in self.pods.items() if pod["version"] not in wanted]:
            del self.pods[name]

    def ready(self, version: str) -> int:
        return sum(
            pod["version"] == version and version not in self.unready for pod in self.pods.values()
        )

    def route(self) -> dict[str, int]:
        """Read the weights as a gateway would."""
        route = self.objects.get(("HTTPRoute", self.agent_name))
        if route is None:
            return {}
        backends = route["spec"]["rules"][0].get("backendRefs", [])
        return {one["name"]: one["weight"] for one in backends}

    @property
    def agent_name(self) -> str:
        return next(name for kind, name in self.objects if kind == "Agent")

    def serve(self, seconds: float) -> None:
        """Let time pass, answer requests by the weights and scrape the counters."""
        end = self.now.timestamp() + seconds
        while self.now.timestamp() < end - 1e-6:
            step = min(self.scrape, end - self.now.timestamp())
            self.now += timedelta(seconds=step)
            self._answer(step)
            self._scrape_counters()

    def _answer(self, seconds: float) -> None:
        for version, weight in self.route().items():
            names = [n for n, pod in self.pods.items() if pod["version"] == version]
            if version in self.unready or not names:
                continue
            asked = self.traffic.rate * seconds * weight / 100 / len(names)
            share = self.traffic.quality.get(version, self.traffic.default)
            for name in names:
                pod = self.pods[name]
                pod["total"] = pod.get("total", 0.0) + asked
                pod["good"] = pod.get("good", 0.0) + asked * share

    def _scrape_counters(self) -> None:
        for name, pod in self.pods.items():
            sample = (self.now.timestamp(), pod.get("good", 0.0), pod.get("total", 0.0))
            self.samples.setdefault(name, []).append(sample)

    # what the operator does

    def world(self) -> World:
        agent = Agent.model_validate(self.get("Agent", self.agent_name))
        rollouts = [AgentRollout.model_validate(d) for d in self._all("AgentRollout")]
        rollouts.sort(key=lambda one: one.spec.number)
        return World(
            now=self.now,
            agent=agent,
            sources=self._sources(agent),
            settles_in=self.settles_in,
            versions={
                d["metadata"]["name"]: AgentVersion.model_validate(d)
                for d in self._all("AgentVersion")
            },
            rollouts=tuple(rollouts),
            children={
                key: Child(d["metadata"]["uid"], d["metadata"]["resourceVersion"], d)
                for key, d in self.objects.items()
                if key[0] in CHILDREN
            },
            pods=self._pods(),
            stored=self._stored(),
            readings=self._readings(rollouts[-1] if rollouts else None),
            ledger=self._ledger(rollouts[-1] if rollouts else None),
            scrape=self.scrape,
            approvals_protected=self.approvals_protected,
            routes_served=self.routes_served,
            crd_uid="crd-1",
        )

    def _all(self, kind: str) -> list[dict[str, Any]]:
        return [document for (k, _), document in self.objects.items() if k == kind]

    def _sources(self, agent: Agent) -> Sources:
        spec = agent.spec
        prompts = {d["metadata"]["name"]: Prompt.model_validate(d) for d in self._all("Prompt")}
        templates = {
            d["metadata"]["name"]: MetricTemplate.model_validate(d)
            for d in self._all("MetricTemplate")
        }
        registry = self.objects.get(
            ("ToolRegistry", spec.tool_registry_ref.name if spec.tool_registry_ref else "")
        )
        policy = self.objects.get(("AgentPolicy", spec.policy_ref.name if spec.policy_ref else ""))
        strategy = self.objects.get(
            ("RolloutStrategy", spec.strategy_ref.name if spec.strategy_ref else "")
        )
        return Sources(
            prompts=prompts,
            registry=ToolRegistry.model_validate(registry) if registry else None,
            policy=AgentPolicy.model_validate(policy) if policy else None,
            strategy=RolloutStrategy.model_validate(strategy) if strategy else None,
            templates=templates,
        )

    def _pods(self) -> tuple[Pod, ...]:
        return tuple(
            Pod(
                name,
                pod["version"],
                pod["version"] not in self.unready,
                pod["created"],
                self.trouble.get(pod["version"]),
            )
            for name, pod in self.pods.items()
        )

    def _stored(self) -> dict[str, Stored]:
        import json

        return {
            d["metadata"]["name"]: Stored(json.loads(d["data"]["template.json"]), tuple(d["data"]))
            for d in self._all("ConfigMap")
            if "template.json" in d.get("data", {})
        }

    def _readings(self, rollout: AgentRollout | None) -> dict[str, Readings | Blind]:
        if rollout is None:
            return {}
        return {one.name: self._reading() for one in rollout.spec.gate.metrics}

    def _reading(self) -> Readings | Blind:
        if self.blind is not None:
            return self.blind
        good, total = [], []
        for pod, samples in self.samples.items():
            good.append(Series(pod, tuple((at, g) for at, g, _ in samples)))
            total.append(Series(pod, tuple((at, t) for at, _, t in samples)))
        return Readings(tuple(good), tuple(total))

    def _ledger(self, rollout: AgentRollout | None) -> dict[str, tuple[Window, ...]]:
        if rollout is None:
            return {}
        return self.ledger.get(rollout.metadata.name, restore(rollout.status))

    def restart(self) -> None:
        """Lose all that the operator keeps in memory."""
        self.ledger = {}

    def reconcile(self, *, stop_after: int | None = None) -> Outcome:
        """Observe, decide and apply once; `stop_after` dies after so many requests."""
        world = self.world()
        outcome = decide(world)
        self.outcomes.append(outcome)
        if world.rollouts:
            self.ledger[world.rollouts[-1].metadata.name] = dict(outcome.ledger)
        for number, action in enumerate(outcome.decision.actions):
            if stop_after is not None and number >= stop_after:
                return outcome
            self.apply(action)
        self.events.extend((one.reason, one.message) for one in outcome.decision.announcements)
        return outcome

    def apply(self, action: Action) -> None:
        match action:
            case Create(manifest):
                key = (manifest["kind"], manifest["metadata"]["name"])
                if key not in self.objects:
                    self.store(copy.deepcopy(dict(manifest)))
            case Apply(manifest, version):
                key = (manifest["kind"], manifest["metadata"]["name"])
                document = copy.deepcopy(self._fenced(key, version))
                self.store(merge(document, copy.deepcopy(dict(manifest))))
            case Record(target, status, version):
                document = copy.deepcopy(self._fenced((target.kind, target.name), version))
                merge(document.setdefault("status", {}), dict(status))
                self.objects[target.kind, target.name] = self._stamped(document)
            case Remove(target, _, version):
                self._fenced((target.kind, target.name), version)
                del self.objects[target.kind, target.name]
        self._note_route()

    def _fenced(self, key: Key, version: str) -> dict[str, Any]:
        document = self.objects[key]
        if document["metadata"]["resourceVersion"] != version:
            raise Conflict(key)
        return document

    def _note_route(self) -> None:
        route = self.route()
        if route and (not self.weights or self.weights[-1][1] != route):
            self.weights.append((self.now, route))

    def settle(self, limit: int = 40) -> Outcome:
        """Reconcile until nothing is left to do."""
        for _ in range(limit):
            outcome = self.reconcile()
            self.kubelet()
            if not outcome.decision.actions:
                return outcome
        raise AssertionError(f"still acting after {limit} looks: {outcome.decision}")

    def run(self, seconds: float, tick: float = 2.0) -> None:
        """Let time pass with traffic, and let the operator look at every tick."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.serve(tick)
            self.settle()

    # what tests read

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("Agent", self.agent_name).get("status", {})
        return found

    @property
    def rollout(self) -> dict[str, Any]:
        return max(self._all("AgentRollout"), key=lambda one: one["spec"]["number"])

    def condition(self, name: str) -> dict[str, Any]:
        return next(one for one in self.status["conditions"] if one["type"] == name)

    def go_blind(self, message: str = "connection refused") -> None:
        self.blind = Blind(Reason.METRICS_UNAVAILABLE, message)

    def is_ours(self, kind: str, name: str) -> bool:
        return naming.is_ours(self.get(kind, name)["metadata"], self.agent_name)
