"""A world that the operator lives in: decisions are applied, time is told, counters grow."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from typing_extensions import override

from tests.support.service import MINUTE, Service
from tests.support.trouble import TroubledLife
from tests.support.vigil import Vigil
from turnout.api.agent import AgentStatus
from turnout.api.base import Wire
from turnout.api.rollout import AgentRolloutStatus
from turnout.api.version import AgentVersionStatus
from turnout.core.decide import Outcome, decide, decide_again
from turnout.core.looks import Counts
from turnout.core.objectives import objectives_of
from turnout.core.plan import Action, Record
from turnout.core.world import World
from turnout.simulation.cluster import Conflict, Document
from turnout.simulation.life import INSTANT, Answers, Span

STATUSES: dict[str, type[Wire]] = {
    "Agent": AgentStatus,
    "AgentRollout": AgentRolloutStatus,
    "AgentVersion": AgentVersionStatus,
}


@dataclass
class Traffic:
    """Requests per second to the agent, and the share of good answers.

    Attributes:
        quality: Share per version, for every metric.
        by_metric: Share per metric and version, where metrics differ.
        scattered: Metrics that count a third more for two minutes, then a third less for two.
        uncounted: Share per version that is lost before it is counted.
        service: What all versions have answered.
    """

    rate: float = 10.0
    quality: dict[str, float] = field(default_factory=dict)
    by_metric: dict[tuple[str, str], float] = field(default_factory=dict)
    scattered: set[str] = field(default_factory=set)
    uncounted: dict[str, float] = field(default_factory=dict)
    service: Service = field(default_factory=Service)

    def ask(self, version: str, share: float, span: Span, metrics: Sequence[str]) -> Answers:
        kept = 1.0 - self.uncounted.get(version, 0.0)
        requests = self.rate * (span[1] - span[0]) * share * kept
        answered = Counts(requests * self.share("task-success", version), requests)
        swing = 1 / 3 if span[0] // 120 % 2 else -1 / 3
        factors = {one: 1 + swing if one in self.scattered else 1.0 for one in metrics}
        good = {one: requests * self.share(one, version) * factors[one] for one in metrics}
        self.service.answer(span[1], answered, good)
        return Answers(requests, good)

    def share(self, metric: str, version: str) -> float:
        return self.by_metric.get((metric, version), self.quality.get(version, 1.0))


class Simulation(TroubledLife[Traffic]):
    """One namespace with one Agent in it, its traffic, its metrics and its operator."""

    def __init__(self, documents: list[Document], *, scrape: float = 2.0) -> None:
        super().__init__(scrape, Traffic())
        self.vigil = Vigil(self.traffic.service)
        self.weights: list[tuple[datetime, dict[str, int]]] = []
        self.written: list[Action] = []
        self.events: dict[str, tuple[str, str]] = {}
        self.outcomes: list[Outcome] = []
        self._before: tuple[World, Outcome] | None = None
        self.version_names: list[str] = []
        """Every version that ever was, in the order of appearance."""
        for document in documents:
            self.store(document)

    # what the operator does

    def restart(self) -> None:
        """Lose all that the operator keeps in memory."""
        self.ledger = {}
        self.vigil.forget()

    @override
    def world(self) -> World:
        seen = super().world()
        blind = self.provider.blind
        seen = replace(seen, spendings=self.traffic.service.spendings(seen, blind))
        return self.vigil.seen(seen, blind)

    @override
    def step(self, most: float) -> float:
        spec = self.get("Agent", self.agent_name)["spec"]
        is_told = spec.get("objectives") or (spec.get("strategy") or {}).get("watch")
        until_told = MINUTE - self.now.timestamp() % MINUTE
        return super().step(min(most, until_told) if is_told else most)

    @override
    def reconcile(self, *, stop_after: int | None = None) -> Outcome:
        """Observe, decide and apply once; `stop_after` kills the operator after so many writes."""
        world = self.world()
        outcome = decide(world)
        self._check_again(world, outcome)
        self.outcomes.append(outcome)
        for number, action in enumerate(outcome.decision.actions):
            if stop_after is not None and number >= stop_after:
                self.restart()
                return outcome
            self.apply(action)
        self.remember(world, outcome)
        for one in outcome.decision.announcements:
            self.events.setdefault(one.key + one.reason, (one.reason, one.message))
        return outcome

    def _check_again(self, world: World, outcome: Outcome) -> None:
        """Hold what is decided in short, where only time passed, to what is decided at length.

        Who would tell other numbers of its objectives, as an Agent that grows older, is woken.
        """
        if self._before is not None:
            seen, before = self._before
            then = replace(world, now=seen.now, ledger=seen.ledger, readings=seen.readings)
            is_woken = objectives_of(world) != world.agent.status.objectives
            again = decide_again(world, before) if then == seen and not is_woken else None
            assert again is None or again == outcome
        self._before = (world, outcome)

    @override
    def apply(self, action: Action) -> None:
        super().apply(action)
        self.written.append(action)
        for version in self.all("AgentVersion"):
            if version["metadata"]["name"] not in self.version_names:
                self._introduce(version["metadata"]["name"])
        if isinstance(action, Record):
            self._check_status(action)
        route = self.route()
        if route and (not self.weights or self.weights[-1][1] != route):
            self.weights.append((self.now, route))

    def _introduce(self, version: str) -> None:
        """Let what was said of `v2` before it appeared be said of the second version."""
        self.version_names.append(version)
        alias = f"v{len(self.version_names)}"
        said: tuple[dict[str, Any], ...] = (
            self.traffic.quality,
            self.traffic.uncounted,
            self.ready_at_most,
            self.trouble,
            self.refused,
        )
        for known in said:
            if alias in known:
                known[version] = known.pop(alias)
        for metric, name in [key for key in self.traffic.by_metric if key[1] == alias]:
            self.traffic.by_metric[metric, version] = self.traffic.by_metric.pop((metric, name))

    def _check_status(self, record: Record) -> None:
        """Refuse what the API server would: a status that its schema does not hold."""
        status = self.get(record.target.kind, record.target.name)["status"]
        parsed = STATUSES[record.target.kind].model_validate(status).to_wire()
        differing = {key for key in status if parsed.get(key) != status[key]}
        assert not differing, f"{record.target}: {differing} does not hold its schema"

    # what tests read

    @property
    def status(self) -> Document:
        found: Document = self.get("Agent", self.agent_name).get("status", {})
        return found

    @property
    def candidate(self) -> str:
        return str(self.rollout["spec"]["to"]["version"])

    @property
    def stable(self) -> str:
        return str(self.status["stable"]["version"])

    def route(self) -> dict[str, int]:
        """Read the weights as a gateway would."""
        route = self.objects.get(("HTTPRoute", self.agent_name))
        backends = route["spec"]["rules"][0].get("backendRefs", []) if route else []
        return {one["name"]: one["weight"] for one in backends}

    def condition(self, name: str, of: Document | None = None) -> Document:
        found = (of["status"] if of else self.status)["conditions"]
        return next((one for one in found if one["type"] == name), {"status": "absent"})

    def told(self) -> list[str]:
        """Give the reasons of all Events, in order."""
        return [reason for reason, _ in self.events.values()]

    def intend(self, **wishes: Any) -> None:
        """Patch the newest rollout's spec, as people do."""
        self.patch("AgentRollout", self.rollout["metadata"]["name"], {"spec": wishes})

    def approve(self, step: str, by: str) -> None:
        """Append an approval, as a JSON patch does."""
        rollout = copy.deepcopy(self.rollout)
        rollout["spec"].setdefault("approvals", []).append({"step": step, "by": by})
        self.store(rollout)


__all__ = ["INSTANT", "Conflict", "Simulation", "Traffic"]
