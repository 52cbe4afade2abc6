"""What became of people's wishes: one line each in the rollout's record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from turnout.api.objectives import BudgetOverride
from turnout.api.rollout import (
    AgentRollout,
    IntentAction,
    IntentOutcome,
    IntentStatus,
)
from turnout.core.phase import has_ended

LIMIT = 32
NOBODY = "unknown"
"""Who removed a pause: the object no longer says."""

TOGGLES = frozenset({IntentAction.PAUSE, IntentAction.RESUME})
OVERRULED = frozenset({IntentAction.PROMOTE, IntentAction.APPROVE, IntentAction.PAUSE})
"""Wishes that an abort beats."""


@dataclass(frozen=True)
class _Wish:
    action: IntentAction
    by: str
    why: str


def fold_intents(
    rollout: AgentRollout,
    now: datetime,
    retry: IntentOutcome | None = None,
    override: BudgetOverride | None = None,
) -> tuple[IntentStatus, ...]:
    """Add what people asked since the record was last written.

    A wish that came after the rollout had ended is Ignored and says so; retry alone is for an
    ended one, and is written down once it is known what becomes of it.

    Args:
        rollout: The rollout with its record so far.
        now: When the wishes are seen.
        retry: What becomes of a wish to retry; None while that is open.
        override: A person's word that this version goes out whatever the error budget is.
    """
    seen = tuple(rollout.status.intents)
    fresh = [
        _line(wish, rollout, now, retry)
        for wish in (
            *_wishes(rollout, seen, with_retry=retry is not None),
            *_overrides(override),
        )
        if not _known(wish, seen)
    ]
    return (*seen, *fresh)[-LIMIT:]


def _known(wish: _Wish, seen: tuple[IntentStatus, ...]) -> bool:
    if wish.action in TOGGLES:
        last = _last_toggle(seen)
        return last is not None and (last.action, last.by) == (wish.action, wish.by)
    same = [one for one in seen if one.action is wish.action and one.by == wish.by]
    return any(one.why.startswith(wish.why) for one in same)


def _last_toggle(seen: tuple[IntentStatus, ...]) -> IntentStatus | None:
    return next((one for one in reversed(seen) if one.action in TOGGLES), None)


def _wishes(
    rollout: AgentRollout, seen: tuple[IntentStatus, ...], *, with_retry: bool
) -> Iterator[_Wish]:
    spec, last = rollout.spec, _last_toggle(seen)
    if spec.pause is not None:
        yield _Wish(IntentAction.PAUSE, spec.pause.by, spec.pause.reason or "")
    elif last is not None and last.action is IntentAction.PAUSE:
        yield _Wish(IntentAction.RESUME, NOBODY, "the pause was removed")
    if spec.abort is not None:
        yield _Wish(IntentAction.ABORT, spec.abort.by, spec.abort.reason or "")
    if spec.promote is not None:
        through = spec.promote.through_step
        what = f"through step {through}" if through else "in full"
        yield _Wish(IntentAction.PROMOTE, spec.promote.by, _because(what, spec.promote.reason))
    for approval in spec.approvals:
        why = _because(f"step {approval.step}", approval.reason)
        yield _Wish(IntentAction.APPROVE, approval.by, why)
    if spec.acknowledge is not None:
        why = spec.acknowledge.reason or ""
        yield _Wish(IntentAction.ACKNOWLEDGE, spec.acknowledge.by, why)
    if spec.retry is not None and with_retry:
        yield _Wish(IntentAction.RETRY, spec.retry.by, spec.retry.reason or "")


def _overrides(override: BudgetOverride | None) -> Iterator[_Wish]:
    if override is not None:
        yield _Wish(IntentAction.OVERRIDE, override.by, f"error budget: {override.reason}")


def _because(what: str, reason: str | None) -> str:
    return f"{what}: {reason}" if reason else what


def _line(
    wish: _Wish, rollout: AgentRollout, now: datetime, retry: IntentOutcome | None
) -> IntentStatus:
    phase = rollout.status.phase
    late = has_ended(phase) and wish.action is not IntentAction.ACKNOWLEDGE
    outcome = IntentOutcome.IGNORED if late else IntentOutcome.APPLIED
    state = f"the rollout is {phase.value}"
    if wish.action is IntentAction.RETRY and retry is not None:
        outcome = retry
    elif rollout.spec.abort is not None and wish.action in OVERRULED and not has_ended(phase):
        outcome, state = IntentOutcome.IGNORED, "abort wins"
    why = wish.why
    if outcome is IntentOutcome.IGNORED:
        why = f"{why} ({state})" if why else state
    return IntentStatus(action=wish.action, by=wish.by, seen_at=now, outcome=outcome, why=why)
