"""What became of people's wishes: one line each in the rollout's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from turnout.api.rollout import (
    AgentRollout,
    IntentAction,
    IntentOutcome,
    IntentStatus,
    RolloutPhase,
)
from turnout.core.phase import has_ended

LIMIT = 32


@dataclass(frozen=True)
class _Wish:
    action: IntentAction
    by: str
    why: str


def fold_intents(rollout: AgentRollout, now: datetime) -> tuple[IntentStatus, ...]:
    """Add what people asked since the record was last written.

    A wish that came after the rollout had ended is Ignored and says so; retry alone is for an
    ended one.
    """
    seen = tuple(rollout.status.intents)
    ended = has_ended(rollout.status.phase)
    fresh = [
        _line(wish, rollout.status.phase, now, ended=ended)
        for wish in _wishes(rollout, seen)
        if not _known(wish, seen)
    ]
    return (*seen, *fresh)[-LIMIT:] if fresh else seen


def _known(wish: _Wish, seen: tuple[IntentStatus, ...]) -> bool:
    same = [one for one in seen if one.action is wish.action and one.by == wish.by]
    if wish.action in {IntentAction.PAUSE, IntentAction.RESUME}:
        toggles = {IntentAction.PAUSE, IntentAction.RESUME}
        last = next((one for one in reversed(seen) if one.action in toggles), None)
        return last is not None and last.action is wish.action
    return any(one.why.startswith(wish.why) for one in same)


def _wishes(rollout: AgentRollout, seen: tuple[IntentStatus, ...]) -> Iterator[_Wish]:
    spec = rollout.spec
    if spec.pause is not None:
        yield _Wish(IntentAction.PAUSE, spec.pause.by, spec.pause.reason or "")
    elif any(one.action is IntentAction.PAUSE for one in seen):
        paused = next(one for one in reversed(seen) if one.action is IntentAction.PAUSE)
        yield _Wish(IntentAction.RESUME, paused.by, "the pause was removed")
    if spec.abort is not None:
        yield _Wish(IntentAction.ABORT, spec.abort.by, spec.abort.reason or "")
    if spec.promote is not None:
        through = spec.promote.through_step
        what = f"through step {through}" if through else "in full"
        why = f"{what}: {spec.promote.reason}" if spec.promote.reason else what
        yield _Wish(IntentAction.PROMOTE, spec.promote.by, why)
    for approval in spec.approvals:
        why = f"step {approval.step}"
        why += f": {approval.reason}" if approval.reason else ""
        yield _Wish(IntentAction.APPROVE, approval.by, why)
    if spec.retry is not None:
        yield _Wish(IntentAction.RETRY, spec.retry.by, spec.retry.reason or "")


def _line(wish: _Wish, phase: RolloutPhase, now: datetime, *, ended: bool) -> IntentStatus:
    retry = wish.action is IntentAction.RETRY
    applied = ended == retry and not (retry and phase is RolloutPhase.PROMOTED)
    outcome = IntentOutcome.APPLIED if applied else IntentOutcome.IGNORED
    why = wish.why
    if not applied:
        state = f"the rollout is {phase.value}" if ended else "the rollout is still running"
        why = f"{why} ({state})" if why else state
    return IntentStatus(action=wish.action, by=wish.by, seen_at=now, outcome=outcome, why=why)
