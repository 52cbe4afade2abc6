"""Going through the steps, or past them: the only place where a candidate's weight rises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from turnout.api.rollout import RolloutPhase
from turnout.api.strategy import OnPass, Pause, Step
from turnout.core.approving import approve
from turnout.core.bake import (
    bake_began,
    bake_ends,
    bake_lasts,
    confirmed,
    top_weight,
    unconfirmed,
)
from turnout.core.evaluating import evaluate
from turnout.core.moves import Move, next_step, step_ends, step_name
from turnout.core.reasons import Reason
from turnout.core.scale import FULL
from turnout.core.standing import Standing
from turnout.core.traffic import observed_weight


def advance(standing: Standing) -> Move:
    """Take the step under way as far as it can go; the rule that always speaks.

    A record that is empty begins without traffic, whatever the route still says: it may be one
    that was lost.
    """
    if standing.status.started_at is None:
        return Move(RolloutPhase.PROGRESSING, Reason.STEP_RUNNING, "the rollout begins")
    return _skip_on_pass(standing) or _take(standing)


def _take(standing: Standing) -> Move:
    step = standing.step
    if step is None or standing.promotes_fully:
        return _finish(standing)
    if step.set_weight is not None:
        return _weigh(standing, step.set_weight)
    if standing.waved_through:
        return next_step(standing, f"step {step_name(step)} counts as done for a person")
    if step.evaluate is not None:
        passed = f"passed {', '.join(step.evaluate.suites)}"
        return evaluate(standing, step.evaluate) or next_step(standing, passed)
    if step.approve is not None:
        return approve(standing, step, step.approve)
    return _pause(standing, step.pause or Pause())


def _skip_on_pass(standing: Standing) -> Move | None:
    """With ``onPass: Promote`` a pass skips weights and timed pauses, never a person's step."""
    if standing.strategy.on_pass is not OnPass.PROMOTE or standing.weight == 0:
        return None
    if not (standing.passed and standing.old_enough):
        return None
    index = _next_for_a_person(standing)
    if index == standing.index:
        return None
    message = f"{standing.evidence.verdict.message}; onPass: Promote skips to step {index}"
    return Move(RolloutPhase.PROGRESSING, Reason.SAFE, message, enter=index)


def _next_for_a_person(standing: Standing) -> int:
    """Number the first step from here on that a person takes; one more than all where none is."""
    index = standing.index
    while index <= len(standing.steps) and not _needs_person(standing.steps[index - 1]):
        index += 1
    return index


def _next_to_evaluate(standing: Standing) -> int | None:
    """Number the first step from here on that evaluates; None where there is none left.

    They come before any traffic: a candidate that has some has passed them.
    """
    numbered = enumerate(standing.steps[standing.index - 1 :], standing.index)
    return next((number for number, step in numbered if step.evaluate is not None), None)


def recover(standing: Standing) -> Move | None:
    """Stable has been dead for the progress deadline: what came to mend it needs only its pods.

    Weights, timed pauses and the gate are skipped, never a suite, and never a step that a person
    takes: the candidate serves meanwhile anyway.
    """
    if not standing.recovers or standing.weight == FULL:
        return None
    evaluates = _next_to_evaluate(standing)
    if evaluates is not None and not standing.promotes_fully:
        return _go_to(standing, evaluates)
    waiting = _wait_for_pods(standing, FULL)
    if waiting is not None:
        return waiting
    message = f"weight {standing.weight} -> {FULL}: {_dead(standing)}"
    return Move(
        RolloutPhase.PROGRESSING,
        Reason.RECOVER,
        message,
        weight=FULL,
        enter=_next_for_a_person(standing),
    )


def _go_to(standing: Standing, index: int) -> Move | None:
    """Begin a step at once; None where it is under way."""
    if index == standing.index:
        return None
    return Move(RolloutPhase.PROGRESSING, Reason.RECOVER, _dead(standing), enter=index)


def _dead(standing: Standing) -> str:
    limit = standing.world.agent.spec.deployment.progress_deadline
    return f"stable has had no ready pod for {limit} (deployment.progressDeadline)"


def _needs_person(step: Step) -> bool:
    endless = step.pause is not None and step.pause.duration is None
    return step.approve is not None or endless


def _pause(standing: Standing, pause: Pause) -> Move:
    ends = step_ends(standing.step, standing.step_started)
    if ends is None:
        message = f"paused until a person promotes past step {standing.index}"
        return Move(RolloutPhase.PAUSED, Reason.PAUSED, message)
    if standing.now >= ends:
        return next_step(standing, f"pause of {pause.duration} is over")
    message = f"pausing for {pause.duration} until {ends:%H:%M:%S}Z"
    return Move(RolloutPhase.PROGRESSING, Reason.WAITING, message, again_at=ends)


def _weigh(standing: Standing, weight: int) -> Move:
    """Give the candidate its weight: pods first, then evidence, then the route, then read back.

    By replica ratio the pods are the weight, so evidence comes before them.
    """
    if standing.weight >= weight:
        return _settle(standing)
    waiting = _wait_for_pods(standing, weight) if standing.pods_first else None
    if waiting is not None:
        return waiting
    if standing.weight > 0 and not standing.may_rise and not standing.waved_through:
        return _gather(standing, f"weight {weight}", standing.evidence.rise)
    message = f"weight {standing.weight} -> {weight}"
    return Move(RolloutPhase.PROGRESSING, Reason.STEP_RUNNING, message, weight=weight)


def _settle(standing: Standing) -> Move:
    """Go on once the weight that was decided is read back."""
    seen = observed_weight(standing)
    if seen == standing.weight:
        return next_step(standing, f"weight {standing.weight} is in force")
    return _wait_for_pods(standing, standing.weight) or _wait_for_route(standing, seen)


def _wait_for_route(standing: Standing, seen: int | None) -> Move:
    said = "nothing" if seen is None else str(seen)
    return Move(
        RolloutPhase.PROGRESSING,
        Reason.STEP_RUNNING,
        f"weight {standing.weight} is not in force yet, observed {said}",
        again_at=standing.now + timedelta(seconds=2),
    )


def _gather(standing: Standing, what: str, lacking: str | None) -> Move:
    """Wait for the gate: what it asks for is said here, how far it came in the gate's status."""
    message = f"{what} waits for {lacking or standing.evidence.lacking}"
    return Move(RolloutPhase.PROGRESSING, standing.evidence.verdict.reason, message)


def _wait_for_pods(standing: Standing, weight: int) -> Move | None:
    needed = standing.needed(weight)
    arm = standing.candidate
    if arm.ready >= needed:
        return None
    trouble = f": {arm.trouble}" if arm.trouble else ""
    return Move(
        RolloutPhase.PROGRESSING,
        Reason.WAITING,
        f"{arm.ready} of {needed} pods are ready{trouble}",
        waits_for_pods=True,
        again_at=waits_until(standing),
    )


def waits_until(standing: Standing) -> datetime:
    """Tell how long pods that are waited for now may take."""
    return (standing.status.waiting_since or standing.now) + standing.progress_deadline


def _finish(standing: Standing) -> Move:
    """Make the last move: full scale and ready, a pass, all traffic, read back, stable.

    Where the version before is to be kept for a while, that comes before all the traffic.
    """
    if bake_lasts(standing):
        return _baking(standing, bake_ends(standing))
    waiting = _wait_for_pods(standing, FULL) if standing.pods_first else None
    if waiting is not None:
        return waiting
    if standing.is_first:
        message = "the first version is ready: it is stable"
        return Move(RolloutPhase.PROMOTED, Reason.PROMOTED, message, weight=FULL)
    return _last_raise(standing) if standing.weight < top_weight(standing) else _after_it(standing)


def _after_it(standing: Standing) -> Move:
    """Go on after the last raise: read back, baked, stable."""
    seen = observed_weight(standing)
    if seen != standing.weight:
        return _wait_for_route(standing, seen)
    if standing.weight < FULL:
        return _end_bake(standing) if bake_began(standing) else _begin_bake(standing)
    return Move(RolloutPhase.PROMOTED, Reason.PROMOTED, _why_promoted(standing))


def _begin_bake(standing: Standing) -> Move:
    """Begin the bake once its weight is in force: from then on its time counts."""
    return replace(
        _baking(standing, bake_ends(standing, standing.now)), enter=len(standing.steps) + 2
    )


def _baking(standing: Standing, ends: datetime) -> Move:
    kept = f"{standing.stable.version} keeps" if standing.stable else "stable keeps"
    message = (
        f"bakes at {standing.weight}% until {ends:%H:%M:%S}Z, {kept} {FULL - standing.weight}%"
    )
    return Move(RolloutPhase.PROGRESSING, Reason.BAKING, message, again_at=ends)


def _end_bake(standing: Standing) -> Move:
    """Give all the traffic to what was watched long enough and is still allowed it."""
    if not confirmed(standing):
        return _gather(standing, "the bake is over, promotion", unconfirmed(standing))
    message = f"baked at {standing.weight}%: {standing.evidence.verdict.message}"
    return Move(RolloutPhase.PROGRESSING, Reason.STEP_COMPLETED, message, weight=FULL)


def _last_raise(standing: Standing) -> Move:
    if not (standing.promotes_fully or standing.undoes):
        if not standing.passed:
            return _gather(standing, "promotion", standing.evidence.lacking)
        if not standing.old_enough:
            return _age(standing)
    message = _past_the_gate(standing) or standing.evidence.verdict.message
    top = top_weight(standing)
    return Move(RolloutPhase.PROGRESSING, Reason.STEP_RUNNING, message, weight=top)


def _age(standing: Standing) -> Move:
    message = f"promotion waits for minDuration {standing.gate.least_duration}"
    return Move(RolloutPhase.PROGRESSING, Reason.WAITING, message, again_at=standing.old_enough_at)


def _why_promoted(standing: Standing) -> str:
    gate = standing.status.gate
    measured = gate.summary if gate and gate.summary else standing.evidence.verdict.message
    return _past_the_gate(standing) or measured


def _past_the_gate(standing: Standing) -> str | None:
    """Say why all the traffic needs no pass; None where it does."""
    if standing.recovers:
        return _dead(standing)
    if standing.undoes:
        return "undone: it was stable before, inside rollbackWindow"
    return _promoter(standing)


def _promoter(standing: Standing) -> str | None:
    """Say which person promoted in full; None where the gate did."""
    promote = standing.rollout.spec.promote
    if promote is None or not standing.promotes_fully:
        return None
    why = f": {promote.reason}" if promote.reason else ""
    return f"promoted in full by {promote.by}{why}"
