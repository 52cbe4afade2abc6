"""How many pods a weight needs."""

from __future__ import annotations

import math

from turnout.api.base import VersionRef
from turnout.core.world import World

FULL = 100


def full_scale(world: World, stable: VersionRef | None) -> int:
    """Pods for all the traffic.

    Args:
        world: Whose Agent it is.
        stable: The stable version while a rollout runs: it follows scale-ups at once and
            scale-downs only afterwards, or an autoscaler that sees the traffic move away would
            shrink the arm that a rollback needs. None at rest.
    """
    floor = world.scale(stable.version) if stable is not None else 0
    return max(world.agent.spec.replicas, floor)


def candidate_replicas(replicas: int, weight: int) -> int:
    """Pods for a weight at a gateway: its share of the full scale, rounded up, at least one."""
    if replicas == 0:
        return 0
    return max(1, math.ceil(replicas * weight / FULL))


def ratio_replicas(replicas: int, weight: int) -> int:
    """Pods for a weight by replica ratio beside a stable at full scale.

    The share of c pods beside s is c / (c + s), so c = s * weight / (100 - weight), to the nearest
    pod and at least one; none before the first weight, and the full scale for all the traffic, or
    for more than one half, which cannot be had beside a stable at full scale.
    """
    if weight <= 0 or replicas == 0:
        return 0
    if weight >= FULL:
        return replicas
    return min(replicas, max(1, round(replicas * weight / (FULL - weight))))
