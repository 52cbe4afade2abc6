"""Where an Agent stands: the facts that rules are written in, derived from the world once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from turnout.api.agent import TrafficMode
from turnout.api.base import VersionRef, as_timedelta
from turnout.api.rollout import (
    AgentRollout,
    AgentRolloutStatus,
    PromoteMode,
    RolloutPhase,
    Trigger,
    Verdict,
)
from turnout.api.strategy import Gate, OnInconclusive, Step, Strategy
from turnout.api.version import VersionState
from turnout.core.evidence import Evidence, take_evidence
from turnout.core.lineup import goes_straight_back, stands_in
from turnout.core.phase import has_ended
from turnout.core.scale import FULL, candidate_replicas, full_scale, ratio_replicas
from turnout.core.stable import unavailable_since
from turnout.core.untried import is_untried
from turnout.core.world import Arm, World

TAKEN_BACK = frozenset({RolloutPhase.ROLLED_BACK, RolloutPhase.ABORTED})


def rejected(world: World, digest: str) -> bool:
    """Tell whether this content was taken back and nobody has asked to try it again.

    The version's own state is what lasts; the newest attempt covers the moment between the
    record of a rollback and the record on the version.
    """
    attempts = [one for one in world.rollouts if one.spec.to.digest == digest]
    if attempts and attempts[-1].status.phase in TAKEN_BACK:
        return True
    if attempts and not has_ended(attempts[-1].status.phase):
        return False
    return any(
        version.spec.digest == digest and version.status.state is VersionState.REJECTED
        for version in world.versions.values()
    )


@dataclass(frozen=True)
class Standing:
    """A running rollout and everything its rules ask about.

    Attributes:
        world: What was observed.
        rollout: The running rollout.
        stable: Who is stable; None while the first version is on its way.
    """

    world: World
    rollout: AgentRollout
    stable: VersionRef | None

    @property
    def now(self) -> datetime:
        """The only time there is."""
        return self.world.now

    @property
    def status(self) -> AgentRolloutStatus:
        """The record so far; empty for a rollout that was just made."""
        return self.rollout.status

    @property
    def strategy(self) -> Strategy:
        """The strategy frozen into the rollout."""
        return self.rollout.spec.strategy

    @property
    def gate(self) -> Gate:
        """The gate frozen into the rollout."""
        return self.rollout.spec.gate

    @property
    def max_budget_spend(self) -> str | None:
        """Part of an error budget that this rollout may use up; None where that has no limit."""
        budget = self.gate.error_budget
        return budget.max_budget_spend if budget is not None else None

    @property
    def is_first(self) -> bool:
        """Tell whether there is nothing to protect yet: no version is stable."""
        return self.stable is None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps to go through; none for a first version, and none for an undo."""
        return () if self.is_first or self.undoes else tuple(self.strategy.steps)

    @property
    def undoes(self) -> bool:
        """Tell whether this goes back to a version of before, which was judged then."""
        return goes_straight_back(self.rollout.spec)

    @property
    def is_way_out(self) -> bool:
        """Tell whether this takes the place of what does worse: back, or to what stands in."""
        return self.undoes or stands_in(self.rollout.spec)

    @property
    def index(self) -> int:
        """Number of the step under way, from 1; one more than the steps means the last move."""
        return self.status.step.index if self.status.step else 1

    @property
    def step(self) -> Step | None:
        """The step under way; None once all are done."""
        return self.steps[self.index - 1] if self.index <= len(self.steps) else None

    @property
    def step_started(self) -> datetime:
        """When the step under way began."""
        began = self.status.step.started_at if self.status.step else None
        return began or self.now

    @property
    def weight(self) -> int:
        """The candidate's weight as decided so far, in percent."""
        return self.status.weights.desired if self.status.weights else 0

    @property
    def weight_changed(self) -> datetime:
        """When the candidate's weight was last decided."""
        weights = self.status.weights
        return weights.changed_at if weights and weights.changed_at else self.now

    @cached_property
    def candidate(self) -> Arm:
        """The candidate's pods."""
        return self.world.arm(self.rollout.spec.to.version)

    @cached_property
    def stable_arm(self) -> Arm:
        """The stable version's pods."""
        return self.world.arm(self.stable.version if self.stable else None)

    @property
    def replicas(self) -> int:
        """Pods that carry the whole traffic."""
        return full_scale(self.world, self.stable)

    @property
    def progress_deadline(self) -> timedelta:
        """How long pods or requests may be waited for."""
        return as_timedelta(self.world.agent.spec.deployment.progress_deadline)

    @property
    def recovers_at(self) -> datetime | None:
        """When this rollout may go straight to all the traffic; None where it may not.

        It must have begun while stable had no ready pod, and stable must have had none for the
        progress deadline: a canary against a dead arm can never end. Where stable is back the
        steps go on as ever.
        """
        if self.rollout.spec.trigger is not Trigger.RECOVER:
            return None
        since = unavailable_since(self.world, self.stable)
        return None if since is None else since + self.progress_deadline

    @property
    def recovers(self) -> bool:
        """Tell whether this rollout goes straight to all the traffic."""
        return self.recovers_at is not None and self.now >= self.recovers_at

    @cached_property
    def evidence(self) -> Evidence:
        """What the gate knows and says."""
        return take_evidence(self.world, self.rollout, self.stable, self.weight_changed)

    @property
    def first_traffic(self) -> datetime | None:
        """When the candidate had traffic first; None before it had any."""
        return self.status.weights.first_at if self.status.weights else None

    @property
    def out_of_time(self) -> bool:
        """Tell whether the gate's declared limit has passed.

        It runs from the first traffic: before that there is nothing to judge, and waiting for pods
        or people has limits of its own.
        """
        first = self.first_traffic
        return first is not None and self.now >= first + as_timedelta(self.gate.max_duration)

    @property
    def promotes_fully(self) -> bool:
        """Tell whether a person asked to skip what is left, the gate included."""
        promote = self.rollout.spec.promote
        return promote is not None and promote.mode is PromoteMode.FULL

    @property
    def needs_no_stable(self) -> bool:
        """Tell whether what comes next is the same where stable has no pod.

        It is allowed all the traffic, or has suites before it and gets none.
        """
        allowed = self.promotes_fully or self.undoes or self.weight == FULL
        return allowed or is_untried(self.rollout, self.status)

    @property
    def waved_through(self) -> bool:
        """Tell whether a person counts the step under way as done."""
        promote = self.rollout.spec.promote
        if promote is None or self.promotes_fully:
            return self.promotes_fully
        return self.step is not None and (promote.through_step or 0) >= self.index

    @property
    def passed(self) -> bool:
        """Tell whether the gate allows all the traffic.

        At ``maxDuration`` PromoteIfHealthy lets through what has counted windows for every
        gating metric and no sign of a regression; without any request nothing is healthy.
        """
        verdict = self.evidence.verdict
        if verdict.verdict is Verdict.PASS:
            return True
        lenient = self.gate.on_inconclusive is OnInconclusive.PROMOTE_IF_HEALTHY
        return lenient and self.out_of_time and self.evidence.healthy

    @property
    def may_rise(self) -> bool:
        """Tell whether the gate allows a raise of the weight: by a pass, or by no sign so far."""
        return self.passed or self.evidence.rise is None

    @property
    def judged(self) -> bool:
        """Tell whether the gate has a say: the last raise is behind a pass or a person's word."""
        return 0 < self.weight < FULL and not self.waved_through

    @property
    def old_enough(self) -> bool:
        """Tell whether the candidate has had traffic for as long as the gate asks at least."""
        return self.now >= self.old_enough_at

    @property
    def old_enough_at(self) -> datetime:
        """When the candidate will have had traffic for ``minDuration``."""
        return (self.first_traffic or self.now) + as_timedelta(self.gate.least_duration)

    @property
    def pods_first(self) -> bool:
        """Tell whether pods come before weight; by replica ratio only before the first weight."""
        by_gateway = self.world.agent.spec.traffic.mode is TrafficMode.HTTP_ROUTE
        return by_gateway or self.weight in {0, FULL}

    def needed(self, weight: int) -> int:
        """Pods that a weight needs."""
        if self.is_first or self.world.agent.spec.traffic.mode is TrafficMode.HTTP_ROUTE:
            return candidate_replicas(self.replicas, weight)
        return ratio_replicas(self.replicas, weight)
