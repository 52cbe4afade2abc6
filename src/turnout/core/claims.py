"""What the Agent's conditions claim, as API.md's table has them."""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.agent import AgentPhase
from turnout.core.budget_holds import budget_claims
from turnout.core.checks import forbidden_model
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.content import Unresolved
from turnout.core.course import Course
from turnout.core.drift import drift_claims, drift_of
from turnout.core.intake import Wanted
from turnout.core.kill import stopped_by
from turnout.core.reasons import Reason
from turnout.core.rollout_claims import gate_claim
from turnout.core.route import agent_route, programmed, uses_route
from turnout.core.scale import full_scale
from turnout.core.standby import standby_claims
from turnout.core.world import World

RECONCILING = {AgentPhase.QUEUED, AgentPhase.PROGRESSING, AgentPhase.HELD, AgentPhase.PENDING}
READS_CONFIG_MAP = {"configMap", "configMapRef", "configMapKeyRef"}
STALLED = {AgentPhase.ROLLED_BACK, AgentPhase.DEGRADED}


def claims(
    world: World, course: Course, wanted: Wanted | Unresolved, phase: AgentPhase
) -> Iterator[Claim]:
    """Claim every condition; Reconciling and Stalled only where they hold."""
    yield from _intake(wanted)
    yield _pinned(world, wanted)
    available = _available(world, course)
    yield available
    yield _programmed(world, course)
    yield _progressing(course, phase)
    yield _gate(course)
    yield from budget_claims(world)
    yield from drift_claims(world, drift_of(world))
    yield from standby_claims(world)
    yield _ready(course, phase, available)
    if phase in RECONCILING:
        yield Claim("Reconciling", TRUE, course.reason, course.message)
    if phase in STALLED:
        yield Claim("Stalled", TRUE, course.reason, course.message)
    if world.forbidden is not None:
        yield Claim("Forbidden", TRUE, Reason.FORBIDDEN, world.forbidden)


def _intake(wanted: Wanted | Unresolved) -> Iterator[Claim]:
    problem = wanted if isinstance(wanted, Unresolved) else None
    for condition, fine in (("Accepted", Reason.VALID), ("ResolvedRefs", Reason.RESOLVED)):
        if problem is None:
            yield Claim(condition, TRUE, fine, _audited(wanted) if condition != "Accepted" else "")
        elif problem.condition == condition:
            status = UNKNOWN if problem.reason is Reason.RESOLVE_ERROR else FALSE
            yield Claim(condition, status, problem.reason, problem.message)
        else:
            other = TRUE if condition == "Accepted" else UNKNOWN
            yield Claim(condition, other, fine if other is TRUE else Reason.PENDING)


def _audited(wanted: Wanted | Unresolved) -> str:
    """Say what a policy in mode Audit would forbid."""
    content = wanted.content if isinstance(wanted, Wanted) else None
    if content is None or content.policy is None:
        return ""
    return forbidden_model(content.agent, content.policy) or ""


def _pinned(world: World, wanted: Wanted | Unresolved) -> Claim:
    spec = world.agent.spec.template.get("spec") or {}
    if isinstance(wanted, Unresolved):
        return Claim("ContentPinned", UNKNOWN, Reason.PENDING)
    maps = sorted(set(_config_maps(spec)))
    if maps:
        message = f"the template reads ConfigMap {', '.join(maps)}: both arms share it"
        return Claim("ContentPinned", FALSE, Reason.LIVE_CONFIG_MAP, message)
    images = [str(one.get("image")) for one in spec.get("containers") or ()]
    loose = [image for image in images if "@sha256:" not in image]
    if loose:
        message = f"a tag can be moved: {', '.join(loose)} has no digest"
        return Claim("ContentPinned", FALSE, Reason.MUTABLE_IMAGE, message)
    return Claim("ContentPinned", TRUE, Reason.PINNED)


def _config_maps(part: object) -> Iterator[str]:
    """Name the ConfigMaps that a pod spec reads, by volume or by environment."""
    if isinstance(part, list):
        for one in part:
            yield from _config_maps(one)
    if isinstance(part, dict):
        for key, value in part.items():
            if key in READS_CONFIG_MAP and isinstance(value, dict):
                yield str(value.get("name"))
            yield from _config_maps(value)


def _available(world: World, course: Course) -> Claim:
    stop = stopped_by(world)
    if stop is not None:
        return Claim("Available", FALSE, Reason.SUSPENDED, stop)
    if course.stable is None:
        message = "no version is stable yet"
        return Claim("Available", FALSE, Reason.MINIMUM_REPLICAS_UNAVAILABLE, message)
    if world.agent.spec.replicas == 0:
        return Claim("Available", FALSE, Reason.SCALED_TO_ZERO, "spec.replicas is 0")
    arm = world.arm(course.stable.version)
    needed = full_scale(world, course.stable if course.running else None)
    message = f"{arm.ready} of {needed} pods of stable are ready"
    if arm.ready > 0:
        return Claim("Available", TRUE, Reason.MINIMUM_REPLICAS_AVAILABLE, message)
    trouble = f": {arm.trouble}" if arm.trouble else ""
    return Claim("Available", FALSE, Reason.MINIMUM_REPLICAS_UNAVAILABLE, message + trouble)


def _programmed(world: World, course: Course) -> Claim:
    if not uses_route(world):
        message = "mode ReplicaRatio needs no route"
        return Claim("Programmed", TRUE, Reason.ROUTE_PROGRAMMED, message)
    refusal = programmed(world)
    if refusal is not None:
        return Claim("Programmed", FALSE, *refusal)
    route = agent_route(world)
    parents = (route.document.get("status") or {}).get("parents") if route else None
    if course.stable is None or not parents:
        return Claim("Programmed", UNKNOWN, Reason.PENDING, "no gateway has spoken of the route")
    return Claim("Programmed", TRUE, Reason.ROUTE_PROGRAMMED)


def _progressing(course: Course, phase: AgentPhase) -> Claim:
    if course.turn is not None:
        return Claim("Progressing", UNKNOWN, Reason.QUEUED, course.message)
    if phase is AgentPhase.PAUSED:
        return Claim("Progressing", UNKNOWN, Reason.PAUSED, course.message)
    if course.running or course.start is not None:
        return Claim("Progressing", TRUE, course.reason, course.message)
    return Claim("Progressing", FALSE, course.reason, course.message)


def _gate(course: Course) -> Claim:
    if course.start is not None or course.status is None:
        return Claim("GatesPassing", UNKNOWN, Reason.NOT_RUNNING)
    return gate_claim(course.status, course.evidence)


def _ready(course: Course, phase: AgentPhase, available: Claim) -> Claim:
    """Ready while stable serves users, whatever a candidate does; False when nobody is served."""
    if available.status is not TRUE:
        return Claim("Ready", FALSE, available.reason, available.message)
    return Claim("Ready", TRUE, course.reason, course.message if phase in STALLED else "")
