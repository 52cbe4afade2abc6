"""Conditions: folded onto the ones before, so that a time says when something changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from turnout.api.base import Condition, ConditionStatus

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


@dataclass(frozen=True)
class Claim:
    """One condition as concluded now, before it is compared with what was known."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


def fold_conditions(
    before: Iterable[Condition], claims: Iterable[Claim], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Make conditions of claims; one that says the same as before keeps its time."""
    known = {one.type: one for one in before}
    return tuple(_fold(known.get(claim.type), claim, generation, now) for claim in claims)


def _fold(before: Condition | None, claim: Claim, generation: int, now: datetime) -> Condition:
    if before is not None and _says(before, claim, generation):
        return before
    same = before is not None and before.status is claim.status
    since = before.last_transition_time if before is not None and same else now
    return Condition(
        type=claim.type,
        status=claim.status,
        observed_generation=generation,
        last_transition_time=since,
        reason=str(claim.reason),
        message=claim.message,
    )


def _says(before: Condition, claim: Claim, generation: int) -> bool:
    known = (before.status, before.observed_generation, before.reason, before.message)
    return known == (claim.status, generation, claim.reason, claim.message)
