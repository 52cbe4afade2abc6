"""The fleet: Agents in twenty namespaces, stable first, then each with a canary that stays."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.fleet.counters import Counters
from devcluster import Cluster
from tests.support.api import Api, Document
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import GATE, agent, metric, prompt, strategy
from tests.support.watching import Watches, weights_of
from turnout.adapters.documents import AGENT, HTTP_ROUTE, POD, PROMPT
from turnout.core.naming import AGENT_LABEL, VERSION_LABEL

NAMESPACES: Final = 20
WEIGHT: Final = 25
BAR: Final = "95%"
LEAST: Final = {"5s": 25, "10s": 50}
RATES: Final = {"stable": 30.0, "candidate": 10.0}
"""Requests a second to each arm."""

Name = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class Fleet:
    """So many Agents; those that are to rest are apart, in namespaces and with prompts of theirs.

    Attributes:
        agents: How many get a canary.
        idle: How many rest.
        mode: How the gate judges.
        interval: How often it does, as a gate says it.
    """

    agents: int
    idle: int = 0
    mode: str = "Threshold"
    interval: str = "10s"

    def names(self) -> list[Name]:
        """Name the Agents that get a canary."""
        return [
            (f"fleet-{number % NAMESPACES}", f"agent-{number}") for number in range(self.agents)
        ]

    def half(self) -> list[Name]:
        """Name those of them that turn bad: half of each namespace."""
        numbered = enumerate(self.names())
        return [one for number, one in numbered if (number + number // NAMESPACES) % 2]

    def resting(self) -> list[Name]:
        """Name the Agents that rest."""
        return [(f"idle-{number % NAMESPACES}", f"agent-{number}") for number in range(self.idle)]

    def manifest(self, name: str) -> Document:
        """Write one Agent, with a gate that decides by what one look shows."""
        steps: list[dict[str, Any]] = [{"setWeight": WEIGHT}, {"pause": {}}]
        one = agent(replicas=1, gate=self.gate(), strategy=strategy(steps))
        one["metadata"]["name"] = name
        return one

    def gate(self) -> Document:
        """Write a gate that goes on looking: by a bar that one look decides, or by evidence."""
        [metric] = GATE["metrics"]
        common = {**GATE, "mode": self.mode, "interval": self.interval, "maxDuration": "2h"}
        common["minRequests"] = LEAST[self.interval]  # one failure in a short window is no news
        if self.mode == "Threshold":
            bar = {**metric, "minimum": BAR}
            return {**common, "failures": {"count": 1, "of": 1}, "metrics": [bar]}
        bare = {key: value for key, value in metric.items() if key != "minimum"}
        kept = {key: one for key, one in common.items() if key not in {"failures", "successes"}}
        return {**kept, "metrics": [bare]}


class Sight(Watches):
    """What is seen of the fleet from outside; new pods begin to count."""

    def __init__(self, cluster: Cluster, counters: Counters) -> None:
        super().__init__(cluster)
        self._counters = counters
        self._stable: dict[Name, str] = {}
        self.candidates: dict[Name, str] = {}
        self.pods: dict[Name, str] = {}
        self.weights: dict[Name, list[tuple[float, int]]] = {}
        self.follow(POD, None, self._see_pod)
        self.follow(HTTP_ROUTE, None, self._see_route)

    def _see_pod(self, _: float, pod: Document) -> None:
        metadata = pod["metadata"]
        labels = metadata.get("labels") or {}
        if VERSION_LABEL not in labels:
            return
        agent, version = (metadata["namespace"], labels[AGENT_LABEL]), labels[VERSION_LABEL]
        first = self._stable.setdefault(agent, version) == version
        if not first:
            self.candidates[agent], self.pods[agent] = version, metadata["name"]
        rate = RATES["stable" if first else "candidate"]
        self._counters.begin(metadata["namespace"], metadata["name"], rate)

    def _see_route(self, at: float, route: Document) -> None:
        agent = (route["metadata"]["namespace"], route["metadata"]["name"])
        weights = weights_of(route)
        weight = sum(
            share for version, share in weights.items() if version != self._stable.get(agent)
        )
        seen = self.weights.setdefault(agent, [])
        if not seen or seen[-1][1] != weight:
            seen.append((at, weight))

    def weight(self, agent: Name) -> int:
        """Tell the candidate's weight as seen last."""
        seen = self.weights.get(agent)
        return seen[-1][1] if seen else 0

    def moved(self, agent: Name, since: float) -> float | None:
        """Tell when a candidate's weight was first seen changed after a moment."""
        return next((at for at, _ in list(self.weights[agent]) if at >= since), None)


def deploy(cluster: Cluster, fleet: Fleet, timeout: float) -> None:
    """Apply all Agents, a namespace at a time, and wait until each is Healthy."""
    named = [*fleet.names(), *fleet.resting()]
    for namespace in sorted({namespace for namespace, _ in named}):
        admin = Kubectl(cluster, namespace)
        admin.run("create", "namespace", namespace)
        agents = [fleet.manifest(name) for there, name in named if there == namespace]
        admin.apply(prompt(), metric(), *agents)
    api = Api(cluster.kubeconfig)

    def healthy() -> bool:
        phases = [(one.get("status") or {}).get("phase") for one in api.list(AGENT.path())]
        return phases == ["Healthy"] * len(named)

    eventually(f"{len(named)} Agents are Healthy", healthy, timeout, pause=2)


def begin_canaries(cluster: Cluster, fleet: Fleet, sight: Sight, timeout: float) -> None:
    """Change the prompt of each namespace, and wait until each candidate has its weight."""
    api = Api(cluster.kubeconfig)
    text = {"spec": {"text": f"You are a support agent of {time.time():.0f}."}}
    names = fleet.names()
    for namespace in sorted({namespace for namespace, _ in names}):
        api.merge(PROMPT.path(namespace, "support-system"), text)

    def weighed() -> bool:
        return all(sight.weight(one) == WEIGHT for one in names)

    eventually(f"{fleet.agents} candidates have weight {WEIGHT}", weighed, timeout, pause=0.5)


def spread(agents: Sequence[Name], begin: float, over: float) -> Iterator[tuple[Name, float]]:
    """Give each Agent a moment, evenly over so many seconds: all of a fleet look at once."""
    for number, one in enumerate(agents):
        yield one, begin + over * number / len(agents)
