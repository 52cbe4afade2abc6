"""Which versions run, with how many pods and how much of the traffic.

Here rule 1 and 2 are kept: weights sum to 100, no weight without a ready pod while the other arm
has one, the only healthy arm stays, stable stays at full scale until the delay after a promotion.
"""

from __future__ import annotations

from dataclasses import dataclass

from turnout.api.agent import TrafficMode
from turnout.api.base import VersionRef
from turnout.api.rollout import AgentRollout, RolloutPhase
from turnout.core import naming
from turnout.core.course import Course
from turnout.core.phase import has_ended
from turnout.core.render import is_stopped
from turnout.core.route import agent_route, read_weights, uses_route
from turnout.core.scale import FULL, candidate_replicas, ratio_replicas
from turnout.core.world import World


@dataclass(frozen=True)
class ArmPlan:
    """One version that shall run."""

    ref: VersionRef
    role: str
    replicas: int


@dataclass(frozen=True)
class Arrangement:
    """What shall run and serve.

    Attributes:
        arms: Versions that have pods.
        weights: Share per version for the route, empty for none at all; None where there is no
            route to write yet.
        serving: Version that the agent's Service leads to; None while both arms share it.
    """

    arms: tuple[ArmPlan, ...]
    weights: dict[str, int] | None
    serving: VersionRef | None

    def runs(self, version: str) -> bool:
        """Tell whether a version shall have pods."""
        return any(arm.ref.version == version for arm in self.arms)


def arrange(world: World, course: Course) -> Arrangement:
    """Work out what shall run and serve once this course is taken."""
    arms = tuple(_arms(world, course))
    weight = safe_weight(world, course)
    return Arrangement(arms, _weights(world, course, arms, weight), _serving(course, world, weight))


def _current(world: World, version: str) -> int:
    deployment = world.child("Deployment", version)
    if deployment is None or not naming.is_ours(deployment.metadata, world.name):
        return 0
    return int((deployment.document.get("spec") or {}).get("replicas") or 0)


def _full_scale(world: World, course: Course) -> int:
    """Pods for all the traffic: during a rollout stable follows scale-ups and no scale-downs."""
    wanted = world.agent.spec.replicas
    if course.running and course.stable is not None:
        return max(wanted, _current(world, course.stable.version))
    return wanted


def _arms(world: World, course: Course) -> list[ArmPlan]:
    full = _full_scale(world, course)
    arms: list[ArmPlan] = []
    if course.stable is not None:
        arms.append(ArmPlan(course.stable, "stable", full))
    rollout = course.rollout
    if rollout is None or course.status is None:
        return arms
    candidate = rollout.spec.to
    if course.running and candidate != course.stable:
        pods = max(_candidate(world, course, full), _current(world, candidate.version))
        if pods or full == 0:
            arms.append(ArmPlan(candidate, "candidate", pods))
    arms.extend(_leaving(world, course, full))
    return arms


def _leaving(world: World, course: Course, full: int) -> list[ArmPlan]:
    """List the version that lost the traffic, while its last requests may still run."""
    rollout, status = course.rollout, course.status
    if rollout is None or status is None or not has_ended(status.phase):
        return []
    if course.stable is None:
        kept = status.phase is RolloutPhase.EXPIRED
        return [ArmPlan(rollout.spec.to, "candidate", full)] if kept else []
    loser = rollout.spec.from_ if status.phase is RolloutPhase.PROMOTED else rollout.spec.to
    late = status.scale_down_at is not None and world.now >= status.scale_down_at
    if loser is None or loser == course.stable or late or not _current(world, loser.version):
        return []
    return [ArmPlan(loser, "previous", _current(world, loser.version))]


def _candidate(world: World, course: Course, full: int) -> int:
    """Pods that the candidate needs for the weight it has or is about to get."""
    rollout, status = course.rollout, course.status
    if rollout is None or status is None:
        return 0
    if course.stable is None:
        return full
    weight = max(status.weights.desired if status.weights else 0, _coming(rollout, course))
    if world.arm(course.stable.version).ready == 0:
        weight = FULL
    if world.agent.spec.traffic.mode is TrafficMode.REPLICA_RATIO:
        return ratio_replicas(full, weight)
    return candidate_replicas(full, weight)


def _coming(rollout: AgentRollout, course: Course) -> int:
    steps = rollout.spec.strategy.steps
    index = course.status.step.index if course.status and course.status.step else 1
    promote = rollout.spec.promote
    if index > len(steps) or (promote is not None and promote.mode.value == "Full"):
        return FULL
    return steps[index - 1].set_weight or 0


def safe_weight(world: World, course: Course) -> int:
    """Give the candidate's share that is safe to put on the route now."""
    rollout, status = course.rollout, course.status
    if rollout is None or status is None or course.stable is None or not course.running:
        return 0
    decided = status.weights.desired if status.weights else 0
    stable = world.arm(course.stable.version).ready
    candidate = world.arm(rollout.spec.to.version).ready
    if candidate == 0:
        return 0 if stable > 0 else _as_observed(world, rollout, decided)
    return FULL if stable == 0 else decided


def _as_observed(world: World, rollout: AgentRollout, decided: int) -> int:
    """Leave the weights as they are where no arm has a ready pod."""
    route = agent_route(world)
    seen = read_weights(route.document) if route else None
    return decided if seen is None else seen.get(rollout.spec.to.version, 0)


def _weights(
    world: World, course: Course, arms: tuple[ArmPlan, ...], weight: int
) -> dict[str, int] | None:
    stable = course.stable
    if stable is None or not uses_route(world):
        return None
    if is_stopped(world):
        return {}
    others = [arm.ref.version for arm in arms if arm.ref != stable]
    if not others or course.rollout is None or (course.running and weight == 0):
        return {stable.version: FULL}
    shares = {stable.version: FULL - weight, others[0]: weight}
    first = course.rollout.spec.from_
    order = sorted(shares, key=lambda name: first is None or name != first.version)
    return {name: shares[name] for name in order}


def _serving(course: Course, world: World, weight: int) -> VersionRef | None:
    if world.agent.spec.traffic.mode is TrafficMode.HTTP_ROUTE or course.rollout is None:
        return course.stable
    if weight == 0:
        return course.stable
    return course.rollout.spec.to if weight == FULL else None
