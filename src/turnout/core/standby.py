"""Where stable does worse without a change: the version that its strategy names stands in for it.

A strategy asks for it by ``watch.onDrift: Fallback``. It goes out as any version does, by steps and
gate, and stays until a person acknowledges it: whether what was wrong is mended nobody else knows.
As far as it is not known that it may help, it does not go out.
"""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.agent import Model
from turnout.api.base import VersionRef
from turnout.api.drift import Attribution, DriftState, DriftStatus
from turnout.api.rollout import AgentRollout, RolloutPhase
from turnout.api.strategy import OnDrift, Watch
from turnout.api.version import AgentVersion, Plane
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.content import Unresolved
from turnout.core.fallback import Fallback
from turnout.core.lineup import stands_in
from turnout.core.phase import has_ended
from turnout.core.reasons import Reason
from turnout.core.stable import stable_of
from turnout.core.standing import rejected
from turnout.core.way import way_of
from turnout.core.world import World


def standby_for(world: World, asked: VersionRef) -> Fallback | None:
    """Find the version that stands in for what the Agent asks for, or that does so already.

    None where something else goes out, or could: a person's change comes first.
    """
    newest = world.rollouts[-1] if world.rollouts else None
    if newest is not None and not has_ended(newest.status.phase):
        return _kept(newest, asked) if stands_in(newest.spec) else None
    if newest is not None and _stays(newest, world):
        return _kept(newest, asked)
    stable, told = stable_of(world), _trouble(world)
    if told is None or stable is None or asked.digest != stable.digest or problem_of(world):
        return None
    version = world.versions[standby_name(world)]
    ref = VersionRef(version=version.metadata.name, digest=version.spec.digest)
    return Fallback(ref, asked, told.message, Reason.DEGRADED)


def _kept(rollout: AgentRollout, asked: VersionRef) -> Fallback | None:
    """Go on as long as what is asked for is what is stood in for."""
    left = rollout.spec.from_
    if left is None or left.digest != asked.digest:
        return None
    message = f"it stands in for {left.version}, which did worse without a change"
    return Fallback(rollout.spec.to, asked, message, Reason.DEGRADED)


def _stays(newest: AgentRollout, world: World) -> bool:
    """Claim that the last rollout put a version in place that nobody has acknowledged yet."""
    is_there = newest.status.phase is RolloutPhase.PROMOTED and stands_in(newest.spec)
    return is_there and newest.spec.acknowledge is None and stable_of(world) == newest.spec.to


def _watch(world: World) -> Watch | None:
    """Give the watch that names a version to fall back to."""
    way = way_of(world)
    watch = None if isinstance(way, Unresolved) else way[0].watch
    return watch if watch is not None and watch.on_drift is OnDrift.FALLBACK else None


def standby_name(world: World) -> str:
    """Name the version that may stand in; empty where the strategy names none."""
    watch = _watch(world)
    return (watch.fallback_version if watch is not None else None) or ""


def _trouble(world: World) -> DriftStatus | None:
    """Give what was told of stable where it does worse, and a version may stand in for it."""
    told, stable = world.agent.status.drift, stable_of(world)
    if told is None or told.state is not DriftState.DEGRADED or _watch(world) is None:
        return None
    return told if stable is not None and told.version == stable.version else None


def in_question(world: World) -> Iterator[AgentVersion]:
    """Name the versions whose content is to be proved before one stands in for the other."""
    told = _trouble(world)
    names = (standby_name(world), told.version) if told is not None else ()
    for name in names:
        version = world.versions.get(name)
        if version is not None and world.ours("ConfigMap", name):
            yield version


def problem_of(world: World) -> tuple[Reason, str] | None:
    """Say why the version that the strategy names cannot stand in; None where it may."""
    name, stable = standby_name(world), stable_of(world)
    version = world.versions.get(name)
    if version is None:
        return Reason.REFERENCE_NOT_FOUND, f"there is no AgentVersion {name}"
    if rejected(world, version.spec.digest):
        return Reason.ROLLED_BACK, f"{name} was taken back before: turnout retry tries it again"
    if not world.ours("ConfigMap", name):
        return Reason.REFERENCE_NOT_FOUND, f"the content of {name} is not stored any more"
    if stable is not None and version.spec.digest == stable.digest:
        return Reason.SAME_CAUSE, f"{name} is what serves"
    told = _trouble(world)
    return None if told is None else _unproved(world, version, told)


def _unproved(world: World, version: AgentVersion, told: DriftStatus) -> tuple[Reason, str] | None:
    name, stable = version.metadata.name, told.version
    missing = [one for one in (name, stable) if one not in world.models]
    if missing:
        return Reason.PENDING, f"the content of {', '.join(missing)} is not proved yet"
    if told.attribution is Attribution.PROVIDER and _same(world.models[name], world.models[stable]):
        return (
            Reason.SAME_CAUSE,
            f"{name} asks the same model as {stable}, which is the likely cause",
        )
    if told.attribution is Attribution.TOOL and _tools(world, name) == _tools(world, stable):
        return Reason.SAME_CAUSE, f"{name} has the same tools as {stable}, the likely cause"
    return None


def _same(one: Model | None, other: Model | None) -> bool:
    """Claim that two versions ask the same model, or that nothing tells which they ask."""
    if one is None or other is None:
        return True
    return (one.provider, one.name) == (other.provider, other.name)


def _tools(world: World, name: str) -> str | None:
    version = world.versions.get(name)
    planes = version.spec.planes if version is not None else ()
    return next((one.digest for one in planes if one.name is Plane.TOOLS), None)


def standby_claims(world: World) -> Iterator[Claim]:
    """Claim that a version stands by, where the strategy names one."""
    if _watch(world) is None:
        return
    problem, name = problem_of(world), standby_name(world)
    if problem is None:
        yield Claim("FallbackReady", TRUE, Reason.STANDS_BY, f"{name} may stand in")
    elif problem[0] is Reason.PENDING:
        yield Claim("FallbackReady", UNKNOWN, *problem)
    else:
        yield Claim("FallbackReady", FALSE, *problem)
