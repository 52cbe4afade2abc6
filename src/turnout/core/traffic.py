"""The weight that is in force, as read back from what carries the traffic."""

from __future__ import annotations

from turnout.core import naming
from turnout.core.plan import Document
from turnout.core.route import route_weights, uses_route
from turnout.core.scale import FULL, ratio_replicas
from turnout.core.standing import Standing
from turnout.core.world import World


def carried(world: World, version: str) -> int | None:
    """Read a version's share in percent; None where nothing says it.

    By replica ratio the Service leads to one version or to both, and both is no share.
    """
    if uses_route(world):
        weights = route_weights(world)
        return None if weights is None else weights.get(version, 0)
    selected = selection(world)
    if selected is None or naming.VERSION_LABEL not in selected:
        return None
    return FULL if selected[naming.VERSION_LABEL] == version else 0


def selection(world: World) -> Document | None:
    """Read which pods the agent's Service leads to; None where there is no such Service of ours."""
    service = world.agent_service
    if service is None:
        return None
    found: Document = (service.document.get("spec") or {}).get("selector") or {}
    return found


def observed_weight(standing: Standing) -> int | None:
    """Read the candidate's weight back; None where nothing carries it or rules disagree.

    By replica ratio a weight below 100 is in force once its pods are ready and selected.
    """
    world, weight = standing.world, standing.weight
    seen = carried(world, standing.rollout.spec.to.version)
    if seen is not None or uses_route(world) or selection(world) is None or weight == FULL:
        return seen
    needed = ratio_replicas(standing.replicas, weight)
    return weight if standing.candidate.ready >= needed else None
