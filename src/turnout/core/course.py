"""The course of an Agent: what becomes of its running rollout, or whether a new one begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from turnout.api.base import VersionRef
from turnout.api.rollout import AgentRollout, AgentRolloutStatus, RolloutPhase, Trigger
from turnout.core.budget_holds import override_for
from turnout.core.checkpoint import checkpoint
from turnout.core.conditions import fold_conditions
from turnout.core.content import Unresolved
from turnout.core.evidence import Evidence
from turnout.core.intake import Wanted
from turnout.core.intents import fold_intents
from turnout.core.lineup import UNCOUNTED, Turn
from turnout.core.moves import Move, write
from turnout.core.outlook import Outlook, outlook_of
from turnout.core.patch import revised
from turnout.core.phase import has_ended
from turnout.core.reasons import Reason
from turnout.core.rollout_claims import rollout_claims
from turnout.core.rules import next_move
from turnout.core.signs import Signs, signs_of
from turnout.core.stable import stable_of
from turnout.core.standing import Standing
from turnout.core.traffic import observed_weight
from turnout.core.world import World

SETTLING = "settling"
"""The rule that waits for things to be still: a moment, and no news for a status."""


@dataclass(frozen=True)
class Start:
    """A rollout that is to begin; ``retry`` where a person asked to try the same again."""

    number: int
    trigger: Trigger
    wanted: Wanted
    retry: bool = False


@dataclass(frozen=True)
class Course:
    """Where things go from here.

    Attributes:
        rule: Name of the rule that spoke.
        stable: Who is stable once the course is taken.
        rollout: The running or the last rollout.
        status: Its record from now on.
        start: The rollout to begin.
        turn: What a rollout waits for that would begin, if it were its turn.
        evidence: What the gate knows of the running rollout.
        again_at: When to look again if nothing happens before.
        signs: What the rules saw of evidence and of time, while a rollout runs.
    """

    rule: str
    reason: Reason
    message: str
    stable: VersionRef | None
    rollout: AgentRollout | None = None
    status: AgentRolloutStatus | None = None
    start: Start | None = None
    evidence: Evidence | None = None
    again_at: datetime | None = None
    turn: Turn | None = None
    signs: Signs = ()

    @property
    def running(self) -> bool:
        """Tell whether the rollout goes on after this decision."""
        return self.status is not None and not has_ended(self.status.phase)


def steer(world: World, wanted: Wanted | Unresolved) -> Course:
    """Steer the running rollout, or begin one, or rest."""
    stable = stable_of(world)
    newest = world.rollouts[-1] if world.rollouts else None
    if newest is not None and not has_ended(newest.status.phase):
        return go_on(Standing(world, newest, stable), wanted)
    return _rest(world, wanted, stable, newest)


def go_on(standing: Standing, wanted: Wanted | Unresolved) -> Course:
    """Steer a rollout that runs."""
    overtaken = _superseded(standing, wanted)
    rule, move = ("superseded", overtaken) if overtaken else next_move(standing)
    status = _recorded(standing, write(standing, rule, move))
    promoted = move.phase is RolloutPhase.PROMOTED
    course = Course(
        rule,
        move.reason,
        status.message or "",
        standing.rollout.spec.to if promoted else standing.stable,
        standing.rollout,
        status,
        evidence=standing.evidence,
        again_at=move.again_at,
        signs=signs_of(standing),
    )
    if overtaken is None or isinstance(wanted, Unresolved):
        return course
    outlook = outlook_of(standing.world, wanted, standing.stable, standing.rollout)
    if outlook.trigger is None:
        return course
    if _waits(standing.world, outlook.trigger) is not None:
        return course
    return _begun(standing.world, wanted, course, outlook, outlook.trigger)


def _recorded(standing: Standing, written: AgentRolloutStatus) -> AgentRolloutStatus:
    """Complete a record with the evidence, the weight read back, wishes and conditions."""
    rollout, now = standing.rollout, standing.now
    status = checkpoint(rollout.status, written, standing.evidence, standing.gate, now)
    seen = observed_weight(standing)
    weights = status.weights
    if weights is not None and seen is not None:
        weights = revised(weights, observed=seen)
    return revised(
        status,
        observed_generation=rollout.metadata.generation,
        weights=weights,
        intents=fold_intents(
            rollout, now, override=override_for(standing.world, rollout.spec.to.version)
        ),
        conditions=fold_conditions(
            rollout.status.conditions,
            rollout_claims(rollout, status, standing.evidence),
            rollout.metadata.generation,
            now,
        ),
    )


def _superseded(standing: Standing, wanted: Wanted | Unresolved) -> Move | None:
    """Let newer content end a rollout, and stable's own content go straight back.

    An abort stays an abort, and while a person froze the Agent nothing new is taken.
    """
    world, rollout = standing.world, standing.rollout
    if isinstance(wanted, Unresolved) or rollout.spec.abort or world.agent.spec.paused:
        return None
    if wanted.ref.digest == rollout.spec.to.digest or world.settles_in > 0:
        return None
    if wanted.fallback is not None:
        message = f"{wanted.ref.version} is made of what the servers tell now: "
        message += wanted.fallback.message
        return Move(RolloutPhase.SUPERSEDED, Reason.TOOLS_DRIFTED, message, weight=0)
    if standing.stable is not None and wanted.ref.digest == standing.stable.digest:
        message = f"{standing.stable.version} is wanted again: all traffic stays with it"
        return Move(RolloutPhase.SUPERSEDED, Reason.RETURNED_TO_STABLE, message, weight=0)
    message = f"superseded by {wanted.ref.version}"
    return Move(RolloutPhase.SUPERSEDED, Reason.SUPERSEDED, message, weight=0)


def _rest(
    world: World,
    wanted: Wanted | Unresolved,
    stable: VersionRef | None,
    newest: AgentRollout | None,
) -> Course:
    status = newest.status if newest else None
    if isinstance(wanted, Unresolved):
        return Course("unresolved", wanted.reason, wanted.message, stable, newest, status)
    outlook = outlook_of(world, wanted, stable, newest)
    course = Course(outlook.rule, outlook.reason, outlook.message, stable, newest, status)
    if outlook.trigger is None:
        return course
    if world.settles_in > 0:
        later = world.now + timedelta(seconds=world.settles_in)
        message = "content is still changing"
        return Course(SETTLING, Reason.PENDING, message, stable, newest, status, again_at=later)
    turn = _waits(world, outlook.trigger)
    if turn is not None:
        return _queued(course, wanted, turn)
    return _begun(world, wanted, course, outlook, outlook.trigger)


def _waits(world: World, trigger: Trigger) -> Turn | None:
    """Tell what a rollout has to wait for; None where it may begin."""
    if trigger in UNCOUNTED or world.turn is None or world.turn.may_begin:
        return None
    return world.turn


def _queued(course: Course, wanted: Wanted, turn: Turn) -> Course:
    """Wait for a turn; while others may still be coming it is too soon to say which."""
    place, version = turn.place, wanted.ref.version
    said = replace(course, reason=Reason.QUEUED, turn=turn, again_at=turn.again_at)
    if place is None:
        return replace(said, rule=SETTLING, message=f"{version} waits for its turn")
    message = f"{version} waits: place {place.position} of {place.of}, {place.reason}"
    return replace(said, rule="queued", message=message)


def _begun(
    world: World, wanted: Wanted, course: Course, outlook: Outlook, trigger: Trigger
) -> Course:
    retry = outlook.reason is Reason.RETRIED
    start = Start(_next_number(world), trigger, wanted, retry)
    return replace(course, reason=outlook.reason, message=outlook.message, start=start)


def _next_number(world: World) -> int:
    """Number the next rollout: the one that was reserved and never used, or one more than all.

    A number is reserved in the Agent's status before its rollout exists. Whoever dies in between
    finds it again: reserved beyond every rollout, and not yet the one that the status tells of.
    """
    status = world.agent.status
    seen = max((one.spec.number for one in world.rollouts), default=0)
    told = status.rollout.number if status.rollout else 0
    if status.last_rollout > max(seen, told):
        return status.last_rollout
    return max(seen, status.last_rollout) + 1
