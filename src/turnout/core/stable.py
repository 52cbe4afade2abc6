"""Who is stable, and whether it serves.

It is read from one place, the annotation on the agent's own Service, because that is the object
whose loss or restore moves with the traffic (a status may be lost at any time).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from turnout.api.base import VersionRef
from turnout.api.rollout import RolloutPhase
from turnout.api.version import VersionState
from turnout.core import naming
from turnout.core.world import Child, World


def stable_of(world: World) -> VersionRef | None:
    """Read who is stable.

    A promotion is recorded before it is carried out, so a newest rollout that was Promoted away
    from what the Service still names is a promotion in progress, and its target is stable. Where
    no Service names anybody, the records do: content that nobody judged never becomes stable
    because an object was lost.
    """
    named = next((one for one in map(_named_by, _services(world)) if one is not None), None)
    newest = world.rollouts[-1] if world.rollouts else None
    if newest is not None and newest.status.phase is RolloutPhase.PROMOTED:
        before = newest.spec.from_.digest if newest.spec.from_ else None
        if (named.digest if named else None) == before:
            return newest.spec.to
    return named or _recorded(world)


def _services(world: World) -> Iterator[Child]:
    """Give the Services of ours that may name stable: the one in use, then one of an older name."""
    if world.agent_service is not None:
        yield world.agent_service
    for (kind, name), child in sorted(world.children.items()):
        if kind == "Service" and name != world.service_name and world.ours(kind, name):
            yield child


def _named_by(service: Child) -> VersionRef | None:
    version = service.annotation(naming.STABLE_VERSION)
    digest = service.annotation(naming.STABLE_DIGEST)
    try:
        return VersionRef(version=version or "", digest=digest or "")
    except ValueError:
        return None


def _recorded(world: World) -> VersionRef | None:
    """Read who is stable from the records: the last promotion, else a version's own state."""
    promoted = [one for one in world.rollouts if one.status.phase is RolloutPhase.PROMOTED]
    if promoted:
        return promoted[-1].spec.to
    stable = (one for one in world.versions.values() if one.status.state is VersionState.STABLE)
    return next(
        (VersionRef(version=one.metadata.name, digest=one.spec.digest) for one in stable), None
    )


def unavailable_since(world: World, stable: VersionRef | None) -> datetime | None:
    """Tell since when no pod of stable has been ready; None while one is, or none is wanted.

    The time is kept in the Agent's status. Where that is lost it begins anew: nothing is concluded
    earlier than it may be.
    """
    if stable is None or world.agent.spec.replicas == 0 or world.arm(stable.version).ready > 0:
        return None
    told = world.agent.status.stable
    known = told.unavailable_since if told and told.digest == stable.digest else None
    return known or world.now
