"""How versions of an Agent go out: strategy and gate, which the next rollout begins with."""

from __future__ import annotations

from turnout.api.strategy import Gate, Strategy
from turnout.core.content import Unresolved, unread
from turnout.core.reasons import Reason
from turnout.core.world import Unread, World


def way_of(world: World) -> tuple[Strategy, Gate] | Unresolved:
    """Read strategy and gate, of the Agent itself or of what it refers to."""
    spec = world.agent.spec
    if spec.strategy is not None and spec.gate is not None:
        return spec.strategy, spec.gate
    name = spec.strategy_ref.name if spec.strategy_ref else ""
    found = world.sources.strategy
    if found is None:
        message = f"RolloutStrategy {name} does not exist in this namespace"
        return Unresolved(Reason.REFERENCE_NOT_FOUND, message)
    if isinstance(found, Unread):
        return unread(f"RolloutStrategy {name}", found)
    return found.spec.strategy, found.spec.gate
