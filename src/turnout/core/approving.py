"""The step approve: a wait for people who take responsibility."""

from __future__ import annotations

from turnout.api.rollout import RolloutPhase
from turnout.api.strategy import Approve, OnTimeout, Step
from turnout.core.moves import Move, next_step, step_ends
from turnout.core.reasons import Reason
from turnout.core.standing import Standing


def approve(standing: Standing, step: Step, asked: Approve) -> Move:
    """Go on once enough people have approved a step."""
    people = sorted({one.by for one in standing.rollout.spec.approvals if one.step == step.name})
    if not standing.world.approvals_protected:
        message = (
            f"step {step.name}: no admission policy vouches for who approves; install the policies "
            "of turnout-crds, or accept unprotected approvals in the operator's values"
        )
        return Move(RolloutPhase.HELD, Reason.APPROVAL_UNPROTECTED, message)
    if len(people) >= asked.min_approvals:
        return next_step(standing, f"step {step.name} approved by {', '.join(people)}")
    ends = step_ends(step, standing.step_started)
    if ends is not None and standing.now >= ends:
        return _unapproved(step, asked, len(people))
    message = f"step {step.name} awaits approval {len(people)}/{asked.min_approvals}"
    return Move(RolloutPhase.PAUSED, Reason.AWAITING_APPROVAL, message, again_at=ends)


def _unapproved(step: Step, asked: Approve, given: int) -> Move:
    message = (
        f"step {step.name} was not approved within {asked.timeout}: "
        f"{given}/{asked.min_approvals} approvals"
    )
    if asked.on_timeout is OnTimeout.ROLLBACK:
        return Move(RolloutPhase.ROLLED_BACK, Reason.TIMED_OUT, message, weight=0)
    return Move(RolloutPhase.HELD, Reason.TIMED_OUT, f"{message}; it can still be approved")
