"""The HTTPRoute: rendered from the Agent's own words plus one backend per version, and read back.

Gateway API v1. A weight is in force when it is read back from the stored route, in every rule,
not when a write of it returned: admission may prune, another manager may overwrite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from turnout.api.agent import HTTPRouteSpec, RouteRule, TrafficMode
from turnout.api.base import LABEL
from turnout.core.plan import Document
from turnout.core.reasons import Reason
from turnout.core.world import Child, World

ARMS = 2
WHOLE = 100
API_VERSION = "gateway.networking.k8s.io/v1"
KIND = "HTTPRoute"
EVERY_REQUEST = [{"path": {"type": "PathPrefix", "value": "/"}}]
"""What the API server fills in as matches of a rule that has none."""

_VERSION = re.compile(rf"(?=.{{1,63}}$){LABEL}")


def uses_route(world: World) -> bool:
    """Tell whether requests are divided by a Gateway."""
    return world.agent.spec.traffic.mode is TrafficMode.HTTP_ROUTE


def render_route(wanted: HTTPRouteSpec, port: int, weights: Mapping[str, int]) -> dict[str, Any]:
    """Render a route as a person wrote it, with these weights per version at this port."""
    backends = [
        {"kind": "Service", "name": version, "port": port, "weight": weight}
        for version, weight in weights.items()
    ]
    return {
        "parentRefs": [ref.to_wire() for ref in wanted.parent_refs],
        "hostnames": list(wanted.hostnames),
        "rules": [_written(rule) | {"backendRefs": backends} for rule in wanted.rules],
    }


def _written(rule: RouteRule) -> dict[str, Any]:
    """Give a rule as a person wrote it: an empty list would hide the gateway's own default."""
    return {key: value for key, value in rule.to_wire().items() if value != []}


def says_more(wanted: Mapping[str, Any], found: Document) -> bool:
    """Tell whether somebody put more into a route's rules than we did: a match, a filter."""
    rules = zip(wanted.get("rules", ()), found.get("rules") or (), strict=False)
    return any(
        key not in ours and value != EVERY_REQUEST
        for ours, theirs in rules
        for key, value in theirs.items()
    )


def agent_route(world: World) -> Child | None:
    """Find the agent's route where it is ours."""
    return world.ours(KIND, world.name)


def read_weights(route: Document) -> dict[str, int] | None:
    """Read the weights per version; None where the rules disagree or hold what we never write."""
    rules = (route.get("spec") or {}).get("rules") or ()
    seen = [backends_of(rule) for rule in rules]
    if not seen or any(one != seen[0] for one in seen):
        return None
    return seen[0] if _is_ours(seen[0]) else None


def route_weights(world: World) -> dict[str, int] | None:
    """Read the weights of the agent's route; None where there is none or it says nothing."""
    route = agent_route(world)
    return read_weights(route.document) if route else None


def backends_of(rule: Document) -> dict[str, int]:
    """Read the weight of each backend of a rule, by its name."""
    refs = rule.get("backendRefs") or ()
    return {str(ref.get("name")): int(ref.get("weight", 1)) for ref in refs}


def _is_ours(weights: Mapping[str, int]) -> bool:
    """Tell whether weights are of a shape that we write: two arms at most, all the traffic."""
    named = all(_VERSION.fullmatch(name) for name in weights)
    return named and len(weights) <= ARMS and sum(weights.values()) == WHOLE


def programmed(world: World) -> tuple[Reason, str] | None:
    """Say why the gateway does not serve the route; None where nothing speaks against it.

    Only a plain False counts: a controller that has not spoken yet says nothing.
    """
    route = agent_route(world) if uses_route(world) else None
    if route is None:
        return None
    for parent in (route.document.get("status") or {}).get("parents") or ():
        for condition in parent.get("conditions") or ():
            refusal = _refusal(condition)
            if refusal is not None:
                return refusal
    return None


def _refusal(condition: Document) -> tuple[Reason, str] | None:
    words = {"Accepted": Reason.ROUTE_NOT_ACCEPTED, "ResolvedRefs": Reason.REFS_NOT_RESOLVED}
    reason = words.get(str(condition.get("type")))
    if reason is None or condition.get("status") != "False":
        return None
    said = str(condition.get("message") or "")[:200]
    return reason, f"HTTPRoute {condition.get('reason')}: {said}"
