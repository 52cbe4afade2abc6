"""Candidates that still have suites before them."""

from __future__ import annotations

from turnout.api.rollout import AgentRollout, AgentRolloutStatus
from turnout.core.lineup import goes_straight_back

LAST = 1 + 32
"""Number beyond that of any step."""


def is_untried(rollout: AgentRollout, status: AgentRolloutStatus) -> bool:
    """Claim that a candidate has suites before it that no person let it past: it gets no request.

    Not even where stable has no pod: that is what it is tried for.
    """
    if rollout.spec.from_ is None or goes_straight_back(rollout.spec):
        return False
    index, promote = status.step.index if status.step else 1, rollout.spec.promote
    if promote is not None:
        index = max(index, LAST if promote.through_step is None else promote.through_step + 1)
    return any(step.evaluate is not None for step in rollout.spec.strategy.steps[index - 1 :])
