"""An Agent's life in simulated time: requests are answered, and the operator looks and acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from turnout.core.decide import Outcome, decide, decide_again
from turnout.core.world import World
from turnout.simulation.cluster import Document
from turnout.simulation.provider import Provider
from turnout.simulation.seen import SeenCluster

INSTANT: Final = 1e-6
"""Seconds that are no time at all."""

MOST_LOOKS: Final = 40
"""Looks after which an Agent with which nothing happens is as it should be."""


Span = tuple[float, float]
"""From when to when, in unix seconds."""


@dataclass(frozen=True)
class Answers:
    """What one version answered in a moment: all requests, and the good ones by metric."""

    total: float
    good: Mapping[str, float] = field(default_factory=dict)


class Traffic(Protocol):
    """Those who ask the agent."""

    def ask(self, version: str, share: float, span: Span, metrics: Sequence[str]) -> Answers:
        """Ask a version for its share of the requests of a time, and judge them by each metric."""


class Life(SeenCluster):
    """One namespace with one Agent in it, its traffic, its metrics and its operator."""

    def __init__(self, scrape: float, provider: Provider, traffic: Traffic) -> None:
        """Begin with nothing in the cluster."""
        super().__init__(scrape, provider)
        self.traffic = traffic
        self.again_in: timedelta | None = None
        self._calm: tuple[int, World, Outcome] | None = None

    def serve(self, seconds: float) -> None:
        """Let time pass, answer requests by the weights and scrape the counters when it is time."""
        end = self.now.timestamp() + seconds
        while (left := end - self.now.timestamp()) > INSTANT:
            before = self.now.timestamp()
            until_scrape = self.scrape - before % self.scrape
            self.let_pass(min(until_scrape, left))
            for version, share in self.shares().items():
                self._answer(version, share, (before, self.now.timestamp()))
            if until_scrape <= left:
                self.provider.scrape(self.now.timestamp(), self.pods)

    def _answer(self, version: str, share: float, span: Span) -> None:
        names = self.ready_pods(version)
        if not names:
            return
        answers = self.traffic.ask(version, share, span, tuple(self.metrics()))
        for pod in (self.pods[name] for name in names):
            pod.total += answers.total / len(names)
            for metric, good in answers.good.items():
                pod.good[metric] = pod.good.get(metric, 0.0) + good / len(names)

    def reconcile(self) -> Outcome:
        """Observe, decide and apply once."""
        glance = self._look_again()
        if glance is not None:
            return glance
        world, changes = self.world(), self.changes
        outcome = decide(world)
        for action in outcome.decision.actions:
            self.apply(action)
        self.remember(world, outcome)
        self._calm = (changes, world, outcome)
        return outcome

    def _look_again(self) -> Outcome | None:
        """Look in short, as the operator does where nothing but time and evidence is new."""
        if self._calm is None or self._calm[0] != self.changes:
            return None
        changes, seen, before = self._calm
        outcome = decide_again(self.later(seen), before)
        if outcome is not None:
            self.remember(seen, outcome)
            self._calm = (changes, seen, outcome)
        return outcome

    def remember(self, world: World, outcome: Outcome) -> None:
        """Keep in memory what the next look goes on from."""
        if world.rollouts:
            self.ledger[world.rollouts[-1].metadata.name] = dict(outcome.ledger)

    def settle(self) -> Outcome:
        """Reconcile until nothing is left to do.

        Raises:
            AssertionError: There is always more to do: the decision is wrong.
        """
        for _ in range(MOST_LOOKS):
            self.kubelet()
            self.end_runs()
            outcome = self.reconcile()
            if not outcome.decision.actions:
                self.again_in = outcome.decision.again_in
                return outcome
        raise AssertionError(f"still acting after {MOST_LOOKS} looks: {outcome.decision}")

    def step(self, most: float) -> float:
        """Let time pass until the operator wants to look again, at most so many seconds.

        Raises:
            AssertionError: It wants to look again at once, for ever: the decision is wrong.
        """
        asked = self.again_in.total_seconds() if self.again_in is not None else most
        if asked <= 0:
            raise AssertionError("nothing to do, and yet it wants to look again at once")
        waited = min(asked, most)
        self.serve(waited)
        self.settle()
        return waited

    def run(self, seconds: float) -> None:
        """Let time pass with traffic; the operator looks when it wanted to."""
        left = seconds
        while left > INSTANT:
            left -= self.step(left)

    @property
    def rollout(self) -> Document:
        """The newest rollout."""
        return max(self.all("AgentRollout"), key=lambda one: one["spec"]["number"])
