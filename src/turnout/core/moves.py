"""A move: what one rule makes of a running rollout, and how it is written into the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from turnout.api.base import as_timedelta
from turnout.api.rollout import (
    AgentRolloutStatus,
    RolloutPhase,
    StepStatus,
    TimelineEntry,
    WeightStatus,
)
from turnout.api.strategy import Step
from turnout.core.bake import BAKE, bake_ends
from turnout.core.patch import revised
from turnout.core.phase import has_ended
from turnout.core.reasons import Reason
from turnout.core.standing import Standing

TIMELINE = 64
KILL_SWITCH = "kill_switch"
"""Stands for a rule in a timeline where a policy's switch was thrown or cleared: no move."""


@dataclass(frozen=True)
class Move:
    """What a rule decided.

    Attributes:
        phase: Where the rollout stands now.
        reason: Why, in one word.
        message: Why, in a sentence with the values.
        weight: The candidate's weight from now on; None leaves it.
        enter: Number of the step that begins now; None stays in the one under way.
        waits_for_pods: True while the move waits for the candidate's pods: a declared limit runs.
        measured: True where the message carries measured values: they change at every look, so it
            stays as first said for as long as phase, reason and step do.
        clue: End of the message that is told as soon as it is known, and when it is another one.
        again_at: When to look again if nothing happens before.
    """

    phase: RolloutPhase
    reason: Reason
    message: str
    weight: int | None = None
    enter: int | None = None
    waits_for_pods: bool = False
    measured: bool = False
    clue: str = ""
    again_at: datetime | None = None


def next_step(standing: Standing, message: str) -> Move:
    """Begin the next step."""
    return Move(RolloutPhase.PROGRESSING, Reason.STEP_COMPLETED, message, enter=standing.index + 1)


def step_name(step: Step | None) -> str:
    """Name a step for people: its own name, or what it does."""
    if step is None:
        return "promote"
    if step.name:
        return step.name
    if step.set_weight is not None:
        return f"set-weight-{step.set_weight}"
    if step.evaluate is not None:
        return "evaluate"
    return "pause" if step.pause is not None else "approve"


def step_ends(step: Step | None, began: datetime) -> datetime | None:
    """Tell when a step that began then ends by itself, or runs into its timeout."""
    if step is None:
        return None
    limit = step.pause.duration if step.pause else None
    if step.approve:
        limit = step.approve.timeout
    return began + as_timedelta(limit) if limit else None


def enter(standing: Standing, index: int) -> StepStatus:
    """Begin a step now."""
    step = standing.steps[index - 1] if index <= len(standing.steps) else None
    number = len(standing.steps)
    bakes = index > number + 1
    return StepStatus(
        index=index,
        name=BAKE if bakes else step_name(step),
        progress=f"{min(index, number)}/{number}" if number else None,
        started_at=standing.now,
        ends_at=bake_ends(standing, standing.now) if bakes else step_ends(step, standing.now),
    )


def write(standing: Standing, rule: str, move: Move) -> AgentRolloutStatus:
    """Write a move into the rollout's record, leaving alone what did not change."""
    before, now = standing.status, standing.now
    ended = has_ended(move.phase)
    finished = (before.finished_at or now) if ended else None
    step = before.step or enter(standing, 1)
    if move.enter is not None:
        step = enter(standing, move.enter)
    return revised(
        before,
        phase=move.phase,
        step=step,
        weights=_weights(standing, move),
        started_at=before.started_at or now,
        finished_at=finished,
        promoted_at=finished if move.phase is RolloutPhase.PROMOTED else None,
        scale_down_at=_scale_down_at(standing, finished),
        waiting_since=(before.waiting_since or now) if move.waits_for_pods else None,
        reason=move.reason.value,
        message=_message(before, move),
        timeline=_timeline(before, rule, move, now),
    )


def _message(before: AgentRolloutStatus, move: Move) -> str:
    same = (before.phase, before.reason) == (move.phase, move.reason.value)
    is_said = move.measured and same and (before.message or "").endswith(move.clue)
    return before.message if is_said and before.message else move.message


def _weights(standing: Standing, move: Move) -> WeightStatus:
    before = standing.status.weights or WeightStatus(desired=0, changed_at=standing.now)
    if move.weight is None or move.weight == before.desired:
        return before
    first = before.first_at or (standing.now if move.weight > 0 else None)
    return revised(before, desired=move.weight, changed_at=standing.now, first_at=first)


def _scale_down_at(standing: Standing, finished: datetime | None) -> datetime | None:
    if finished is None:
        return None
    return finished + as_timedelta(standing.strategy.scale_down_delay)


def _timeline(
    before: AgentRolloutStatus, rule: str, move: Move, now: datetime
) -> tuple[TimelineEntry, ...]:
    """Add what is new; the same rule with the same reason in the same step is not news."""
    entries = tuple(before.timeline)
    last = next((one for one in reversed(entries) if one.rule != KILL_SWITCH), None)
    moved = move.enter is not None or _moves_weight(before, move)
    if last is not None and not moved and (last.rule, last.reason) == (rule, move.reason.value):
        return entries
    entry = TimelineEntry(at=now, rule=rule, reason=move.reason.value, message=move.message)
    return (*entries, entry)[-TIMELINE:]


def _moves_weight(before: AgentRolloutStatus, move: Move) -> bool:
    desired = before.weights.desired if before.weights else 0
    return move.weight is not None and move.weight != desired
