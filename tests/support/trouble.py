"""A simulated life to which anything may happen that a cluster and a provider can do wrong."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from typing_extensions import override

from turnout.api.tools import ToolRegistry
from turnout.core.gates import Blind
from turnout.core.lineup import Turn
from turnout.core.looks import Readings
from turnout.core.measures import Counter, Measure, sight_of, trusted
from turnout.core.world import Pod, Unread, World
from turnout.simulation.cluster import Document, Key
from turnout.simulation.life import Life, Traffic
from turnout.simulation.provider import Provider

KEPT = 300
"""Samples of a pod that the provider still has."""

_Traffic = TypeVar("_Traffic", bound=Traffic)


TASKS = Measure(Counter("agent_good_total"), Counter("agent_tasks_total"))


class LossyProvider(Provider):
    """A provider that may have no series of some metrics."""

    def __init__(self) -> None:
        super().__init__(KEPT)
        self.unnamed: set[str] = set()
        """Metrics whose series name neither a pod nor a version."""
        self.absent: set[str] = set()

    @override
    def reading(self, metric: str) -> Readings | Blind:
        nothing = Readings((), ())
        if metric in self.unnamed:
            return trusted(metric, nothing, sight_of(TASKS, nothing, unnamed=True))
        return nothing if metric in self.absent else super().reading(metric)


class TroubledLife(Life, Generic[_Traffic]):
    """A life with everything that tests set about its cluster."""

    traffic: _Traffic
    provider: LossyProvider

    def __init__(self, scrape: float, traffic: _Traffic) -> None:
        super().__init__(scrape, LossyProvider(), traffic)
        self.ready_at_most: dict[str, int] = {}
        """Pods of a version that can become ready, where not all of them can."""
        self.trouble: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.unreadable: dict[Key, str] = {}
        self.approvals_protected = True
        self.routes_served = True
        self.settles_in = 0.0
        self.crd_uid = "crd-1"
        self.forbidden: str | None = None
        self.foreign: dict[str, str] = {}
        self.turn: Turn | None = None
        self.tools_drift: str | None = None

    @override
    def world(self) -> World:
        seen = replace(
            super().world(),
            settles_in=self.settles_in,
            approvals_protected=self.approvals_protected,
            routes_served=self.routes_served,
            crd_uid=self.crd_uid,
            refused=self.refused,
            forbidden=self.forbidden,
            foreign=self.foreign,
            turn=self.turn,
        )
        return replace(seen, pods=tuple(self._troubled(seen.pods)), tools=self.tools(seen))

    def _troubled(self, pods: Iterable[Pod]) -> Iterable[Pod]:
        return (replace(one, trouble=self.trouble.get(one.version)) for one in pods)

    @override
    def drift(self, registry: ToolRegistry | Unread | None) -> str | None:
        return self.tools_drift or super().drift(registry)

    @override
    def read(self, model: Any, document: Document) -> Any:
        why = self.unreadable.get((document["kind"], document["metadata"]["name"]))
        return Unread(why) if why else super().read(model, document)

    @override
    def ready_pods(self, version: str) -> list[str]:
        own = super().ready_pods(version)
        return own[: self.ready_at_most.get(version, len(own))]

    def lose_pods(self, version: str) -> None:
        """End a version's pods, and let none become ready again."""
        self.ready_at_most[version] = 0
        for name in [name for name, pod in self.pods.items() if pod.version == version]:
            del self.pods[name]
