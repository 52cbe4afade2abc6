"""The weight that is in force, as read back from what carries the traffic."""

from __future__ import annotations

from turnout.api.agent import TrafficMode
from turnout.core import naming
from turnout.core.plan import Document
from turnout.core.route import agent_route, read_weights
from turnout.core.scale import FULL, ratio_replicas
from turnout.core.standing import Standing


def observed_weight(standing: Standing) -> int | None:
    """Read the candidate's weight back; None where nothing carries it or rules disagree."""
    candidate = standing.rollout.spec.to.version
    if standing.world.agent.spec.traffic.mode is TrafficMode.REPLICA_RATIO:
        return _ratio(standing, candidate)
    route = agent_route(standing.world)
    seen = read_weights(route.document) if route else None
    return None if seen is None else seen.get(candidate, 0)


def _ratio(standing: Standing, candidate: str) -> int | None:
    """By replica ratio the weight decided is in force when its pods are ready and selected."""
    service = standing.world.agent_service
    if service is None:
        return None
    selector: Document = (service.document.get("spec") or {}).get("selector") or {}
    selected = selector.get(naming.VERSION_LABEL)
    if selected is not None:
        return FULL if selected == candidate else 0
    needed = ratio_replicas(standing.replicas, standing.weight)
    return standing.weight if standing.candidate.ready >= needed else None
