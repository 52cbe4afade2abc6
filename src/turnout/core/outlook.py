"""Whether a rollout of what is wanted may begin, and why: at rest, and where one was overtaken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from turnout.api.base import VersionRef
from turnout.api.rollout import AgentRollout, RolloutPhase, Trigger
from turnout.core.budget_holds import FREEZABLE, budget_freezes
from turnout.core.drift import degraded
from turnout.core.flaps import flapping
from turnout.core.intake import Wanted
from turnout.core.reasons import Reason
from turnout.core.stable import unavailable_since
from turnout.core.standing import TAKEN_BACK, rejected
from turnout.core.undo import served_until
from turnout.core.world import World

FLAPPING: Final = "flapping"
"""The rule that waits for a person after two switches that nobody asked for."""

DEGRADED: Final = "degraded"
"""The rule that tells of a stable version that does worse though nobody changed it."""

EXHAUSTED: Final = "budget_exhausted"
"""The rule that waits until enough of the error budgets is left."""


@dataclass(frozen=True)
class Outlook:
    """Whether a rollout may begin, and why; no trigger where none may."""

    rule: str
    reason: Reason
    message: str
    trigger: Trigger | None = None


def outlook_of(
    world: World, wanted: Wanted, stable: VersionRef | None, newest: AgentRollout | None
) -> Outlook:
    """Decide whether a rollout of what is wanted begins, and why or why not."""
    outlook = _outlook(world, wanted, stable, newest)
    if outlook.trigger not in FREEZABLE:
        return outlook
    too_little = budget_freezes(world, wanted.ref.version)
    if too_little is None:
        return outlook
    return Outlook(EXHAUSTED, Reason.ERROR_BUDGET_EXHAUSTED, too_little)


def _outlook(
    world: World, wanted: Wanted, stable: VersionRef | None, newest: AgentRollout | None
) -> Outlook:
    version, digest = wanted.ref.version, wanted.ref.digest
    if stable is not None and digest == stable.digest:
        return _at_rest(world, wanted)
    if world.agent.spec.paused:
        return Outlook("frozen", Reason.PAUSED, f"spec.paused is true: {version} waits")
    if newest is not None and newest.spec.to.digest == digest:
        again = _again(world, stable, newest)
        if again is not None:
            return again
    if rejected(world, digest):
        return Outlook("rejected", *_rejection(world, wanted))
    begins = _fresh(world, wanted, stable)
    frozen = flapping(world, wanted, begins.trigger)
    return begins if frozen is None else Outlook(FLAPPING, Reason.FLAPPING, frozen)


def _at_rest(world: World, wanted: Wanted) -> Outlook:
    """Say that nothing is to be done, and where that is only until the tools are as they were."""
    version, fallback = wanted.ref.version, wanted.fallback
    worse = degraded(world)
    if worse is not None:
        return Outlook(DEGRADED, Reason.DEGRADED, worse)
    if fallback is None:
        return Outlook("at_rest", Reason.AT_REST, f"{version} is stable and wanted")
    if fallback.reason is Reason.DEGRADED:
        message = (
            f"{version} serves: {fallback.message}; {fallback.asked.version} goes out again once a "
            f"person acknowledges that: turnout acknowledge {world.name}"
        )
        return Outlook("fallen_back", Reason.DEGRADED, message)
    message = (
        f"{version} is made of what the servers tell now; {fallback.asked.version} goes out once "
        f"they tell again what it is made of: {fallback.message}"
    )
    return Outlook("fallen_back", Reason.TOOLS_DRIFTED, message)


def _fresh(world: World, wanted: Wanted, stable: VersionRef | None) -> Outlook:
    """Say why content begins a rollout that nobody has judged yet."""
    version = wanted.ref.version
    if stable is None:
        message = f"{version} is the first version"
        return Outlook("begin", Reason.NEW_VERSION, message, Trigger.INITIAL)
    if wanted.fallback is not None and wanted.fallback.reason is Reason.DEGRADED:
        message = f"{version} is to stand in: {wanted.fallback.message}"
        return Outlook("begin", Reason.DEGRADED, message, Trigger.DRIFT_FALLBACK)
    until = served_until(world, version) if wanted.content is None else None
    if until is not None and wanted.fallback is not None:
        message = (
            f"back to {version}, stable until {until:%Y-%m-%d %H:%M:%S}Z and made of what the "
            f"servers tell now: {wanted.fallback.message}"
        )
        return Outlook("begin", Reason.TOOLS_DRIFTED, message, Trigger.DRIFT_FALLBACK)
    if until is not None:
        message = f"{version} is pinned, and was stable until {until:%Y-%m-%d %H:%M:%S}Z: undo"
        return Outlook("begin", Reason.NEW_VERSION, message, Trigger.RETURN)
    if unavailable_since(world, stable) is not None:
        message = f"{version} is new, stable {stable.version} has no ready pod"
        return Outlook("begin", Reason.RECOVER, message, Trigger.RECOVER)
    trigger = Trigger.PINNED if wanted.pinned else Trigger.CONTENT_CHANGED
    message = f"{version} is new, {stable.version} is stable"
    return Outlook("begin", Reason.NEW_VERSION, message, trigger)


def _again(world: World, stable: VersionRef | None, newest: AgentRollout) -> Outlook | None:
    """Try the same content again: for a person's retry, or a first version that became ready."""
    retry, to = newest.spec.retry, newest.spec.to
    if retry is not None and newest.status.phase is not RolloutPhase.PROMOTED:
        why = f": {retry.reason}" if retry.reason else ""
        trigger = Trigger.RETRY if stable is not None else Trigger.INITIAL
        message = f"{to.version} is tried again by {retry.by}{why}"
        return Outlook("retried", Reason.RETRIED, message, trigger)
    if newest.status.phase is not RolloutPhase.EXPIRED or stable is not None:
        return None
    if world.arm(to.version).ready >= max(1, world.agent.spec.replicas):
        message = f"{to.version} became ready after all"
        return Outlook("recovered", Reason.NEW_VERSION, message, Trigger.INITIAL)
    message = newest.status.message or f"{to.version} never became ready"
    return Outlook("expired", Reason.PROGRESS_DEADLINE_EXCEEDED, message)


def _rejection(world: World, wanted: Wanted) -> tuple[Reason, str]:
    """Say why content was rejected: in the words of the last attempt, or of its version."""
    attempts = [
        one.status
        for one in world.rollouts
        if one.spec.to.digest == wanted.ref.digest and one.status.phase in TAKEN_BACK
    ]
    version = world.versions.get(wanted.ref.version)
    known = version.status.rejected_by if version else None
    message = known.message if known else f"{wanted.ref.version} was rejected before"
    if not attempts:
        return Reason.ROLLED_BACK, message
    by_person = attempts[-1].phase is RolloutPhase.ABORTED
    reason = Reason.ABORTED if by_person else Reason.ROLLED_BACK
    return reason, attempts[-1].message or message
