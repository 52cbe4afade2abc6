"""The Agent's status: what a person sees of a decision with kubectl alone."""

from __future__ import annotations

from turnout.api.agent import (
    AgentPhase,
    AgentStatus,
    CandidateStatus,
    DesiredStatus,
    QueueStatus,
    RolloutSummary,
    RouteStatus,
    StableStatus,
    VersionWeight,
)
from turnout.api.base import VersionRef
from turnout.api.rollout import RolloutPhase
from turnout.core import naming
from turnout.core.arrange import Arrangement
from turnout.core.claims import claims
from turnout.core.conditions import fold_conditions
from turnout.core.content import Unresolved
from turnout.core.course import Course
from turnout.core.drift import drift_of
from turnout.core.intake import Wanted
from turnout.core.kill import stopped_by
from turnout.core.lineup import goes_straight_back
from turnout.core.objectives import objectives_of
from turnout.core.outlook import DEGRADED, EXHAUSTED, FLAPPING
from turnout.core.pods import pod_labels
from turnout.core.reasons import Reason
from turnout.core.rollout_claims import FAILED
from turnout.core.route import route_weights
from turnout.core.stable import unavailable_since
from turnout.core.standing import TAKEN_BACK, rejected
from turnout.core.world import World

MOVING = frozenset({RolloutPhase.PROGRESSING, RolloutPhase.PAUSED})
RUNNING_PHASES = {
    RolloutPhase.PROGRESSING: AgentPhase.PROGRESSING,
    RolloutPhase.PAUSED: AgentPhase.PAUSED,
    RolloutPhase.HELD: AgentPhase.HELD,
}


def report(
    world: World, course: Course, arrangement: Arrangement, wanted: Wanted | Unresolved
) -> AgentStatus:
    """Fold a decision into the Agent's status; equal to the one before where nothing changed."""
    before = world.agent.status
    phase = phase_of(world, course, wanted)
    status = AgentStatus(
        observed_generation=world.agent.metadata.generation,
        phase=phase,
        summary=summary(course),
        stable=_stable(world, course, arrangement),
        candidate=_candidate(world, course, arrangement),
        desired=_desired(world, course, wanted) or before.desired,
        rollout=_rollout(world, course),
        last_rollout=course.start.number if course.start else before.last_rollout,
        sources=before.sources,
        route=_route(world),
        objectives=objectives_of(world),
        drift=drift_of(world),
    )
    if isinstance(wanted, Wanted) and wanted.content is not None:
        status = status.model_copy(update={"sources": wanted.content.sources()})
    made = fold_conditions(
        before.conditions,
        claims(world, course, wanted, phase),
        world.agent.metadata.generation,
        world.now,
    )
    return status.model_copy(update={"conditions": made} | _scale(world, course))


def _scale(world: World, course: Course) -> dict[str, object]:
    """Fill what autoscalers read: the stable arm only, so that a canary cannot make them grow."""
    if course.stable is None:
        return {"replicas": 0, "selector": f"{naming.AGENT_LABEL}={world.name}"}
    labels = pod_labels(world.name, course.stable.version)
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return {"replicas": world.arm(course.stable.version).pods, "selector": selector}


def phase_of(world: World, course: Course, wanted: Wanted | Unresolved) -> AgentPhase:
    """Say in one word where the Agent stands."""
    if stopped_by(world):
        return AgentPhase.SUSPENDED
    if course.running and course.status is not None:
        return RUNNING_PHASES[course.status.phase]
    if course.start is not None:
        return AgentPhase.PROGRESSING
    if course.turn is not None:
        return AgentPhase.QUEUED
    if isinstance(wanted, Unresolved):
        return _unresolved_phase(course, wanted)
    return _rest_phase(world, course, wanted)


def _unresolved_phase(course: Course, wanted: Unresolved) -> AgentPhase:
    if wanted.condition == "Accepted":
        return AgentPhase.DEGRADED
    return AgentPhase.PENDING if course.stable is None else AgentPhase.HELD


def _rest_phase(world: World, course: Course, wanted: Wanted) -> AgentPhase:
    stable = course.stable
    if stable is None:
        ended = course.status is not None and course.status.phase is not RolloutPhase.SUPERSEDED
        return AgentPhase.DEGRADED if ended else AgentPhase.PENDING
    is_dead = world.agent.spec.replicas > 0 and world.arm(stable.version).ready == 0
    if is_dead or course.rule == DEGRADED:
        return AgentPhase.DEGRADED
    if world.agent.spec.paused:
        return AgentPhase.PAUSED
    if wanted.ref.digest == stable.digest:
        return AgentPhase.HEALTHY if wanted.fallback is None else AgentPhase.HELD
    if course.rule in {FLAPPING, EXHAUSTED}:
        return AgentPhase.HELD
    rejected_now = _is_rejected(world, course, wanted.ref)
    return AgentPhase.ROLLED_BACK if rejected_now else AgentPhase.PENDING


def _is_rejected(world: World, course: Course, version: VersionRef) -> bool:
    """Tell whether a version was taken back, by this very decision or before."""
    rollout, status = course.rollout, course.status
    just_tried = rollout is not None and rollout.spec.to == version
    if just_tried and status is not None and status.phase in TAKEN_BACK:
        return True
    return rejected(world, version.digest)


def summary(course: Course) -> str | None:
    """Say in a column's width what the gate says of the running rollout, or why one ended badly."""
    status, queue = course.status, _queue(course)
    if queue is not None:
        return f"place {queue.position} of {queue.of}"
    if course.rule in {"fallen_back", FLAPPING, EXHAUSTED, DEGRADED}:
        return course.reason.value
    if status is None or course.start is not None or course.rule == "at_rest":
        return None
    if not course.running and status.phase not in FAILED:
        return None
    gate = status.gate.summary if status.gate else None
    told_by_gate = status.reason == Reason.REGRESSED or status.phase in MOVING
    return gate if gate and told_by_gate else status.reason


def _stable(world: World, course: Course, arrangement: Arrangement) -> StableStatus | None:
    if course.stable is None:
        return None
    version = course.stable.version
    known = world.versions.get(version)
    before = world.agent.status.stable
    since = known.status.promoted_at if known else None
    if since is None:
        same = before is not None and before.digest == course.stable.digest
        since = before.since if before and same else world.now
    return StableStatus(
        version=version,
        digest=course.stable.digest,
        since=since,
        replicas=arrangement.replicas(version),
        ready_replicas=world.arm(version).ready,
        unavailable_since=unavailable_since(world, course.stable),
    )


def _candidate(world: World, course: Course, arrangement: Arrangement) -> CandidateStatus | None:
    if not course.running or course.rollout is None or course.status is None:
        return None
    to = course.rollout.spec.to
    weights = arrangement.weights or {}
    decided = course.status.weights.desired if course.status.weights else 0
    return CandidateStatus(
        version=to.version,
        digest=to.digest,
        weight=weights.get(to.version, decided if arrangement.weights is None else 0),
        replicas=arrangement.replicas(to.version),
        ready_replicas=world.arm(to.version).ready,
    )


def _desired(world: World, course: Course, wanted: Wanted | Unresolved) -> DesiredStatus | None:
    if isinstance(wanted, Unresolved):
        return None
    return DesiredStatus(
        version=wanted.asked.version,
        digest=wanted.asked.digest,
        rejected=course.start is None and _is_rejected(world, course, wanted.asked),
    )


def _rollout(world: World, course: Course) -> RolloutSummary | None:
    rollout, status, queue = course.rollout, course.status, _queue(course)
    if rollout is None or status is None:
        return _awaited(world, queue) if queue is not None else None
    straight = rollout.spec.from_ is None or goes_straight_back(rollout.spec)
    steps = 0 if straight else len(rollout.spec.strategy.steps)
    index = min(status.step.index, steps) if status.step else 0
    return RolloutSummary(
        name=rollout.metadata.name,
        number=rollout.spec.number,
        step=index,
        steps=steps,
        step_name=status.step.name if status.step else None,
        progress=f"{index}/{steps}" if course.running and steps else None,
        queue=queue,
    )


def _awaited(world: World, queue: QueueStatus) -> RolloutSummary:
    """Tell of a rollout that waits where no record of any before it is left."""
    number = world.agent.status.last_rollout + 1
    return RolloutSummary(name=naming.rollout_name(world.name, number), number=number, queue=queue)


def _queue(course: Course) -> QueueStatus | None:
    turn = course.turn
    if turn is None or turn.place is None:
        return None
    place = turn.place
    return QueueStatus(position=place.position, of=place.of, since=turn.since, reason=place.reason)


def _route(world: World) -> RouteStatus | None:
    seen = route_weights(world)
    if seen is None:
        return None
    weights = tuple(
        VersionWeight(version=version, weight=weight)
        for version, weight in seen.items()
        if version != world.service_name
    )
    before = world.agent.status.route
    if before is not None and before.weights == weights:
        return before
    return RouteStatus(weights=weights, observed_at=world.now)
