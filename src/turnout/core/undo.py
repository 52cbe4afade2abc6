"""Undo: which versions a pin goes straight back to, because they served not long ago."""

from __future__ import annotations

from datetime import datetime

from turnout.api.base import as_timedelta
from turnout.core.world import World


def served_until(world: World, version: str) -> datetime | None:
    """Tell until when a version inside the rollback window was stable; None for any other.

    What is not known to have served is outside: records that were lost make an undo slower, never
    a version that nobody judged stable.
    """
    window = world.agent.spec.rollback_window
    promoted = {name: one.status.promoted_at for name, one in world.versions.items()}
    mine = promoted.get(version)
    if mine is None:
        return None
    later = sorted(at for at in promoted.values() if at is not None and at > mine)
    if not later or len(later) > window.versions:
        return None
    return later[0] if world.now - later[0] <= as_timedelta(window.max_age) else None
