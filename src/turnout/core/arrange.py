"""Which versions run, with how many pods and how much of the traffic.

Here rule 1 and 2 are kept: weights sum to 100, no weight without a ready pod while the other arm
has one, the only healthy arm stays, stable stays at full scale until the delay after a promotion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from turnout.api.base import VersionRef
from turnout.api.rollout import (
    AgentRollout,
    AgentRolloutStatus,
    PromoteMode,
    RolloutPhase,
)
from turnout.core import naming
from turnout.core.course import Course
from turnout.core.kill import stopped_by
from turnout.core.lineup import goes_straight_back
from turnout.core.phase import has_ended
from turnout.core.route import agent_route, uses_route
from turnout.core.scale import FULL, candidate_replicas, full_scale, ratio_replicas
from turnout.core.traffic import selection
from turnout.core.untried import is_untried
from turnout.core.world import World


@dataclass(frozen=True)
class ArmPlan:
    """One version that shall run.

    Attributes:
        ref: Which version.
        role: stable, candidate or previous, for people.
        replicas: How many pods.
        until: When it goes; None for as long as the course lasts.
    """

    ref: VersionRef
    role: str
    replicas: int
    until: datetime | None = None


@dataclass(frozen=True)
class Arrangement:
    """What shall run and serve.

    Attributes:
        arms: Versions that have pods.
        weights: Share per version for the route; None where the route is left as it is.
        serving: Version that the agent's Service leads to; None while both arms share it.
        left_alone: True where whoever has traffic keeps it: nobody better can have it now.
    """

    arms: tuple[ArmPlan, ...]
    weights: dict[str, int] | None
    serving: VersionRef | None
    left_alone: bool

    def runs(self, version: str) -> bool:
        """Tell whether a version shall have pods."""
        return any(arm.ref.version == version for arm in self.arms)

    def replicas(self, version: str) -> int:
        """Pods that a version shall have."""
        return next((arm.replicas for arm in self.arms if arm.ref.version == version), 0)


def arrange(world: World, course: Course) -> Arrangement:
    """Work out what shall run and serve once this course is taken."""
    other = _other(course)
    share = _share(world, course, other)
    arms = tuple(_arms(world, course))
    lingering = (
        arm
        for arm in _losers(world, course)
        if all(arm.ref != one.ref for one in arms) and _lingers(world, course, arm, other, share)
    )
    weights = _weights(world, course.stable, other, share)
    serving = _serving(world, course, other, share)
    return Arrangement((*arms, *lingering), weights, serving, left_alone=share is None)


def _other(course: Course) -> VersionRef | None:
    """Name the version that may have traffic besides stable: the candidate, or who just lost."""
    rollout, status = course.rollout, course.status
    if rollout is None or status is None or course.stable is None:
        return None
    promoted = status.phase is RolloutPhase.PROMOTED
    other = rollout.spec.from_ if promoted else rollout.spec.to
    return None if other == course.stable else other


def _share(world: World, course: Course, other: VersionRef | None) -> int | None:
    """Give the other version's share that is safe to put in force now; None leaves it as it is.

    Whoever has a ready pod serves while the other has none: the candidate for stable, the warm
    previous version for one that was just promoted. A version that was taken back gets no more
    than it has, and loses that as soon as stable has a pod.
    """
    if other is None or course.stable is None or course.status is None:
        return 0
    weights, running = course.status.weights, course.running
    if running and _is_untried(course):
        return 0
    stable, ready = world.arm(course.stable.version).ready, world.arm(other.version).ready
    if ready == 0:
        return None if stable == 0 and running else 0
    if stable > 0:
        return weights.desired if weights and running else 0
    if course.status.phase is RolloutPhase.PROMOTED:
        return FULL if world.agent.spec.replicas > 0 else 0
    return FULL if running else None


def _is_untried(course: Course) -> bool:
    rollout, status = course.rollout, course.status
    return rollout is not None and status is not None and is_untried(rollout, status)


def _arms(world: World, course: Course) -> Iterator[ArmPlan]:
    full = full_scale(world, course.stable if course.running else None)
    if course.stable is not None:
        yield ArmPlan(course.stable, "stable", full)
    rollout, status = course.rollout, course.status
    if rollout is None or status is None or rollout.spec.to == course.stable:
        return
    if course.running:
        pods = _candidate(world, course, rollout, status)
        if pods or course.stable is None:
            yield ArmPlan(rollout.spec.to, "candidate", pods)
    elif course.stable is None and status.phase is RolloutPhase.EXPIRED:
        yield ArmPlan(rollout.spec.to, "candidate", full)


def _candidate(
    world: World, course: Course, rollout: AgentRollout, status: AgentRolloutStatus
) -> int:
    """Pods that the candidate needs for the weight it has or is about to get.

    At a gateway pods come before weight and none goes while the rollout runs; by replica ratio
    the pods are the weight. Alone, it has all the traffic and keeps what it has.
    """
    full = full_scale(world, course.stable)
    if course.stable is None:
        return full
    decided = status.weights.desired if status.weights else 0
    current = world.scale(rollout.spec.to.version)
    if world.arm(course.stable.version).ready == 0 and not is_untried(rollout, status):
        return max(full, current)
    if uses_route(world):
        weight = max(decided, _coming(rollout, status))
        return max(candidate_replicas(full, weight), current)
    return ratio_replicas(full, decided or _coming(rollout, status))


def _coming(rollout: AgentRollout, status: AgentRolloutStatus) -> int:
    """Give the weight of the step under way."""
    steps, promote = rollout.spec.strategy.steps, rollout.spec.promote
    index = status.step.index if status.step else 1
    in_full = promote is not None and promote.mode is PromoteMode.FULL
    if in_full or index > len(steps) or goes_straight_back(rollout.spec):
        return FULL
    return steps[index - 1].set_weight or 0


def _losers(world: World, course: Course) -> Iterator[ArmPlan]:
    """List the versions that lost the traffic and still have pods, the latest loss counting."""
    known = {one.metadata.name: one.status for one in world.rollouts}
    if course.rollout is not None and course.status is not None:
        known[course.rollout.metadata.name] = course.status
    found: dict[VersionRef, datetime] = {}
    for rollout in world.rollouts if course.stable is not None else ():
        status = known[rollout.metadata.name]
        promoted = status.phase is RolloutPhase.PROMOTED
        loser = rollout.spec.from_ if promoted else rollout.spec.to
        if loser is not None and has_ended(status.phase) and status.scale_down_at is not None:
            found[loser] = status.scale_down_at
    for ref, until in found.items():
        pods = world.scale(ref.version)
        if pods > 0:
            yield ArmPlan(ref, "previous", pods, until if world.now < until else None)


def _lingers(
    world: World, course: Course, loser: ArmPlan, other: VersionRef | None, share: int | None
) -> bool:
    """Tell whether a version that lost the traffic stays: its requests may run, or it serves yet.

    By replica ratio none stays beside a candidate: one Service cannot tell three versions apart.
    """
    if loser.ref == other and share:
        return True
    return loser.until is not None and (uses_route(world) or not course.running)


def _weights(
    world: World, stable: VersionRef | None, other: VersionRef | None, share: int | None
) -> dict[str, int] | None:
    if stable is None or not uses_route(world):
        return None
    if stopped_by(world):
        return {world.service_name: FULL}  # leads to no pod now, so a gateway answers 503
    if share is None and agent_route(world) is not None:
        return None
    if other is None or not share:
        return {stable.version: FULL}
    shares = {stable.version: FULL - share, other.version: share}
    return {version: weight for version, weight in sorted(shares.items()) if weight}


def _serving(
    world: World, course: Course, other: VersionRef | None, share: int | None
) -> VersionRef | None:
    stable = course.stable
    if stable is None or other is None or uses_route(world) or share == 0:
        return stable
    if share is None:
        selected = (selection(world) or {}).get(naming.VERSION_LABEL)
        return next((one for one in (stable, other) if one.version == selected), None)
    lost = world.arm(stable.version).ready == 0
    full = world.arm(other.version).ready >= full_scale(world, stable)
    if share == FULL and (lost or full):
        return other
    strangers = {pod.version for pod in world.pods if pod.ready} - {stable.version, other.version}
    return stable if strangers else None
