"""Which Events a decision is worth: one per change that a person would want to be told of.

A reason is announced once a rollout (the key is the rollout, the reason and the weight), so a
rollout that holds and resumes a hundred times stays readable, and a restart repeats nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.rollout import AgentRollout, AgentRolloutStatus, RolloutPhase
from turnout.core.course import Course
from turnout.core.phase import has_ended
from turnout.core.plan import Announcement, Target
from turnout.core.scale import FULL
from turnout.core.world import World

MOST_WEIGHTS = 4
"""Weights announced one by one; of a longer staircase only the last move and the end are."""

WARNINGS = frozenset({RolloutPhase.ROLLED_BACK, RolloutPhase.EXPIRED, RolloutPhase.HELD})


def announce(world: World, course: Course) -> tuple[Announcement, ...]:
    """Compare the record before and after, and announce what is new."""
    return tuple(_announcements(world, course))


def _announcements(world: World, course: Course) -> Iterator[Announcement]:
    agent = Target("Agent", world.namespace, world.name)
    if course.start is not None:
        key = f"r{course.start.number}"
        yield Announcement(key, agent, "RolloutStarted", course.message)
        return
    rollout, after = course.rollout, course.status
    if rollout is None or after is None or after == rollout.status:
        return
    before = rollout.status
    key = f"r{rollout.spec.number}"
    raised = _raised(rollout, before, after)
    if raised is not None:
        message = f"{rollout.spec.to.version}: {raised}"
        yield Announcement(f"{key}-w{_weight(after)}", agent, "WeightChanged", message)
    if _is_news(before, after):
        reason = after.phase.value if has_ended(after.phase) else str(after.reason)
        yield Announcement(
            f"{key}-{after.phase.value}-{after.reason}",
            agent,
            reason,
            f"{rollout.spec.to.version}: {after.message}",
            warning=after.phase in WARNINGS,
        )


def _is_news(before: AgentRolloutStatus, after: AgentRolloutStatus) -> bool:
    if after.phase is RolloutPhase.PROGRESSING:
        return False
    return (before.phase, before.reason) != (after.phase, after.reason)


def _weight(status: AgentRolloutStatus) -> int:
    return status.weights.desired if status.weights else 0


def _raised(
    rollout: AgentRollout, before: AgentRolloutStatus, after: AgentRolloutStatus
) -> str | None:
    """Say how the weight rose, where that is worth an Event of its own."""
    was, now = _weight(before), _weight(after)
    if now <= was or rollout.spec.from_ is None or has_ended(after.phase):
        return None
    rises = sum(1 for step in rollout.spec.strategy.steps if step.set_weight)
    if rises > MOST_WEIGHTS and was > 0 and now < FULL:
        return None
    return f"weight {was} -> {now}"
