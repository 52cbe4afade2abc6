"""A simulated life to which anything may happen that a cluster and a provider can do wrong."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from typing_extensions import override

from turnout.api.tools import ToolRegistry
from turnout.core.gates import Blind
from turnout.core.ledger import NOTHING
from turnout.core.lineup import Turn
from turnout.core.looks import Readings
from turnout.core.measures import Counter, Measure, sight_of, trusted
from turnout.core.profiles import chosen, options_of
from turnout.core.stable import stable_of
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
        self.exports: dict[str, set[str]] = {}
        """Which versions export which of a profile's series."""

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
        pods = tuple(self._troubled(seen.pods))
        return replace(
            seen, pods=pods, tools=self.tools(seen), readings=dict(self._by_profile(seen))
        )

    def _by_profile(self, world: World) -> Iterable[tuple[str, Readings | Blind]]:
        """Read of profiles what versions export, as a gauge does."""
        asked = {one.name: one for run in world.rollouts[-1:] for one in run.spec.gate.metrics}
        for name, readings in world.readings.items():
            before = world.ledger.get(name, NOTHING).matched
            options = [one for one in options_of(asked[name]) if before in (None, one.name)]
            if not options or isinstance(readings, Blind):
                yield name, readings
                continue
            found = [(one, self._exported(world, readings, one.name)) for one in options]
            stable = stable_of(world)
            choice = chosen(found, _pods(world, {stable.version} if stable else set()))
            yield (
                name,
                replace(choice[1], option=choice[0].name) if choice else Readings((), ()),
            )

    def _exported(self, world: World, readings: Readings, option: str) -> Readings:
        pods = _pods(world, self.exports.get(option, set()))
        good, total = (
            tuple(series for series in side if series.pod in pods)
            for side in (readings.good, readings.total)
        )
        return replace(readings, good=good, total=total)

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


def _pods(world: World, versions: set[str]) -> set[str]:
    return {pod.name for pod in world.pods if pod.version in versions}
