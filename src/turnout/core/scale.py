"""How many pods a weight needs."""

from __future__ import annotations

import math

FULL = 100


def candidate_replicas(replicas: int, weight: int) -> int:
    """Pods for a weight at a gateway: its share of the full scale, rounded up, at least one."""
    if replicas == 0:
        return 0
    return max(1, math.ceil(replicas * weight / FULL))


def ratio_replicas(replicas: int, weight: int) -> int:
    """Pods for a weight by replica ratio beside a stable at full scale.

    The share of c pods beside s is c / (c + s), so c = s * weight / (100 - weight), to the nearest
    pod and at least one; none before the first weight, and the full scale for all the traffic.
    """
    if weight <= 0:
        return 0
    if weight >= FULL:
        return replicas
    return max(1, round(replicas * weight / (FULL - weight)))
