"""Which Events a decision is worth: one per change that a person would want to be told of.

A reason is announced once a rollout, so one that holds and resumes a hundred times stays
readable: what was told is read from the rollout's own timeline. At most 12 in all: the start,
five weights, five holds or pauses and the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.rollout import AgentRollout, AgentRolloutStatus, RolloutPhase
from turnout.core.budget_holds import announce_budgets
from turnout.core.course import Course
from turnout.core.drift import announce_drift
from turnout.core.orders import announce_switch
from turnout.core.phase import has_ended
from turnout.core.plan import Announcement, Target
from turnout.core.reasons import Reason
from turnout.core.scale import FULL
from turnout.core.world import World

MOST_WEIGHTS = 4
"""Weights announced one by one; of a longer staircase only the first and the last are."""

MOST_WAITS = 5
"""Different reasons to hold or pause that are announced."""

WAITS = frozenset(
    {
        Reason.SUSPENDED,
        Reason.PAUSED,
        Reason.SCALED_TO_ZERO,
        Reason.NAME_CONFLICT,
        Reason.MINIMUM_REPLICAS_UNAVAILABLE,
        Reason.STABLE_UNAVAILABLE,
        Reason.ROUTE_NOT_ACCEPTED,
        Reason.REFS_NOT_RESOLVED,
        Reason.REGRESSED,
        Reason.INCONCLUSIVE,
        Reason.METRICS_UNAVAILABLE,
        Reason.METRIC_NOT_FOUND,
        Reason.BOTH_ARMS_DEGRADED,
        Reason.NO_TRAFFIC,
        Reason.ERROR_BUDGET_BURNING,
        Reason.ERROR_BUDGET_SPENT,
        Reason.AWAITING_APPROVAL,
        Reason.APPROVAL_UNPROTECTED,
        Reason.TIMED_OUT,
    }
)
"""Every reason for which a running rollout holds or pauses."""

WARNINGS = frozenset({RolloutPhase.ROLLED_BACK, RolloutPhase.EXPIRED, RolloutPhase.HELD})


def announce(world: World, course: Course) -> tuple[Announcement, ...]:
    """Compare the record before and after, and announce what is new."""
    agent = Target("Agent", world.namespace, world.name)
    news = (*_news(agent, course), *_start(agent, course), *_queued(world, agent, course))
    return (*news, *announce_switch(world), *announce_budgets(world), *announce_drift(world))


def _queued(world: World, agent: Target, course: Course) -> Iterator[Announcement]:
    """Tell of a wait once; where in the queue it stands by and by is for the status."""
    before = world.agent.status.rollout
    turn = course.turn
    if turn is None or turn.place is None:
        return
    if before is None or before.queue is None:
        key = f"queued-{turn.since:%Y%m%d%H%M%S}"
        yield Announcement(key, agent, Reason.QUEUED.value, course.message)


def _start(agent: Target, course: Course) -> Iterator[Announcement]:
    if course.start is not None:
        yield Announcement(f"r{course.start.number}", agent, "RolloutStarted", course.message)


def _news(agent: Target, course: Course) -> Iterator[Announcement]:
    rollout, after = course.rollout, course.status
    if rollout is None or after is None or after is rollout.status:
        return
    before, key = rollout.status, f"r{rollout.spec.number}"
    was, now = _weight(before), _weight(after)
    if _is_told(rollout, was, now) and not has_ended(after.phase):
        yield Announcement(f"{key}-w{now}", agent, *_rise(rollout, after, was, now))
    if has_ended(after.phase) or _is_new_wait(before, after):
        reason = after.phase.value if has_ended(after.phase) else str(after.reason)
        yield Announcement(
            f"{key}-{after.phase.value}-{after.reason}-{_index(after)}",
            agent,
            reason,
            f"{rollout.spec.to.version}: {after.message}",
            warning=after.phase in WARNINGS,
        )


def _rise(rollout: AgentRollout, after: AgentRolloutStatus, was: int, now: int) -> tuple[str, str]:
    """Name a rise of the weight, and tell it; one past the gate tells why."""
    if after.reason == Reason.RECOVER:
        return Reason.RECOVER.value, f"{rollout.spec.to.version}: {after.message}"
    return "WeightChanged", f"{rollout.spec.to.version}: weight {was} -> {now}"


def _is_new_wait(before: AgentRolloutStatus, after: AgentRolloutStatus) -> bool:
    """Tell whether a rollout waits for something that was not told yet.

    Each step that asks for approval is told of: people are waited for.
    """
    was, now = (before.phase, before.reason, before.step), (after.phase, after.reason, after.step)
    if after.phase is RolloutPhase.PROGRESSING or was == now:
        return False
    told = [entry.reason for entry in before.timeline if entry.reason in WAITS]
    asked = told.count(Reason.AWAITING_APPROVAL)
    fresh = after.reason not in told or after.reason == Reason.AWAITING_APPROVAL
    return fresh and len({*told}) + max(0, asked - 1) < MOST_WAITS


def _index(status: AgentRolloutStatus) -> int:
    return status.step.index if status.step else 0


def _weight(status: AgentRolloutStatus) -> int:
    return status.weights.desired if status.weights else 0


def _is_told(rollout: AgentRollout, was: int, now: int) -> bool:
    """Tell whether a rise of the weight is worth an Event of its own.

    One that ends a bake is not: the promotion follows at once.
    """
    rises = sum(1 for step in rollout.spec.strategy.steps if step.set_weight)
    watch = rollout.spec.strategy.watch
    top = watch.weight if watch is not None else FULL
    return was < min(now, top) and (rises <= MOST_WEIGHTS or was == 0 or now >= top)
