"""What becomes of a running rollout: an ordered list of rules, the first that speaks wins.

The order is the policy. A person's abort comes before everything; what protects users comes
before what makes progress; every rule that holds comes before the one that steps on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from turnout.api.base import seconds
from turnout.api.rollout import RolloutPhase, Verdict
from turnout.api.strategy import OnInconclusive, OnRegression
from turnout.core.moves import Move
from turnout.core.reasons import Reason
from turnout.core.route import programmed
from turnout.core.scale import FULL
from turnout.core.standing import Standing
from turnout.core.steps import advance

Rule = Callable[[Standing], Move | None]


def aborted(standing: Standing) -> Move | None:
    """A person took it back: abort wins over every other intent at any time."""
    abort = standing.rollout.spec.abort
    if abort is None:
        return None
    why = f": {abort.reason}" if abort.reason else ""
    message = f"aborted by {abort.by}{why}; stable keeps all traffic"
    return Move(RolloutPhase.ABORTED, Reason.ABORTED, message, weight=0)


def regressed(standing: Standing) -> Move | None:
    """The gate blames the candidate: all traffic goes back at once."""
    verdict = standing.evidence.verdict
    cause = verdict.cause
    if verdict.verdict is not Verdict.FAIL or cause is None:
        return None
    if cause.on_regression is not OnRegression.ROLLBACK:
        return None
    return Move(RolloutPhase.ROLLED_BACK, Reason.REGRESSED, verdict.message, weight=0)


def never_ready(standing: Standing) -> Move | None:
    """Pods that were waited for did not come within the progress deadline."""
    since = standing.status.waiting_since
    if since is None or standing.now < since + standing.progress_deadline:
        return None
    arm, limit = standing.candidate, standing.progress_deadline
    trouble = f": {arm.trouble}" if arm.trouble else ""
    message = (
        f"{arm.ready} of {arm.pods} pods of {standing.rollout.spec.to.version} became ready "
        f"within the progress deadline of {limit.total_seconds():.0f}s{trouble}"
    )
    phase = RolloutPhase.EXPIRED if standing.is_first else RolloutPhase.ROLLED_BACK
    return Move(phase, Reason.PROGRESS_DEADLINE_EXCEEDED, message, weight=0)


def suspended(standing: Standing) -> Move | None:
    """All traffic is taken off the agent: there is nothing to learn, so nothing steps on."""
    if standing.world.agent.spec.traffic.state != "Stopped" or standing.is_first:
        return None
    return Move(RolloutPhase.PAUSED, Reason.SUSPENDED, "traffic.state is Stopped")


def paused(standing: Standing) -> Move | None:
    """A person holds it: no step forward, traffic as it is."""
    pause = standing.rollout.spec.pause
    if pause is not None:
        why = f": {pause.reason}" if pause.reason else ""
        return Move(RolloutPhase.PAUSED, Reason.PAUSED, f"paused by {pause.by}{why}")
    if standing.world.agent.spec.paused:
        return Move(RolloutPhase.PAUSED, Reason.PAUSED, "spec.paused is true on the Agent")
    return None


def arm_lost(standing: Standing) -> Move | None:
    """One arm has no ready pod: the other one serves, and nothing is concluded from it."""
    if standing.is_first or standing.weight == 0:
        return None
    candidate, stable = standing.candidate, standing.stable_arm
    if stable.ready == 0 and candidate.ready > 0 and standing.weight < FULL:
        message = "stable has no ready pod; the candidate serves meanwhile and is not promoted"
        return Move(RolloutPhase.HELD, Reason.STABLE_UNAVAILABLE, message)
    if candidate.ready > 0:
        return None
    trouble = f": {candidate.trouble}" if candidate.trouble else ""
    message = f"no pod of the candidate is ready, stable serves{trouble}"
    return Move(
        RolloutPhase.HELD,
        Reason.MINIMUM_REPLICAS_UNAVAILABLE,
        message,
        waits_for_pods=True,
        again_at=_deadline(standing),
    )


def _deadline(standing: Standing) -> datetime:
    return (standing.status.waiting_since or standing.now) + standing.progress_deadline


def not_programmed(standing: Standing) -> Move | None:
    """The gateway refuses the route: a weight that nobody honours is no step."""
    refusal = programmed(standing.world)
    if standing.is_first or refusal is None:
        return None
    reason, message = refusal
    return Move(RolloutPhase.HELD, reason, message)


def blind(standing: Standing) -> Move | None:
    """What the gate needs is not known, or both arms are bad: hold, and go on by itself."""
    if standing.weight == 0 or standing.promotes_fully or standing.passed:
        return None
    verdict, cause = standing.evidence.verdict, standing.evidence.verdict.cause
    if cause is not None and (cause.holds or verdict.verdict is Verdict.FAIL):
        return Move(RolloutPhase.HELD, verdict.reason, verdict.message)
    return None


def unasked(standing: Standing) -> Move | None:
    """Nobody asked the candidate anything for the whole progress deadline."""
    if standing.weight == 0 or standing.promotes_fully or standing.passed:
        return None
    counted = standing.evidence.last_counted
    since = standing.weight_changed.timestamp() + seconds(standing.gate.warmup)
    silent = standing.now.timestamp() - max(counted or 0.0, since)
    if silent < standing.progress_deadline.total_seconds():
        return None
    message = (
        f"no window of {standing.gate.interval} had {standing.gate.min_requests} requests of the "
        f"candidate for {silent:.0f}s; it is judged as soon as one has"
    )
    return Move(RolloutPhase.HELD, Reason.NO_TRAFFIC, message)


def inconclusive(standing: Standing) -> Move | None:
    """The declared limit passed without a pass: what onInconclusive says happens."""
    gate = standing.gate
    if not standing.out_of_time or standing.promotes_fully or standing.passed:
        return None
    seen = f"no verdict within maxDuration {gate.max_duration}; "
    message = seen + standing.evidence.verdict.message
    if gate.on_inconclusive is OnInconclusive.ROLLBACK:
        return Move(RolloutPhase.ROLLED_BACK, Reason.INCONCLUSIVE, message, weight=0)
    return Move(RolloutPhase.HELD, Reason.INCONCLUSIVE, message)


RULES: tuple[Rule, ...] = (
    aborted,
    regressed,
    never_ready,
    suspended,
    paused,
    arm_lost,
    not_programmed,
    inconclusive,
    blind,
    unasked,
)
"""The rules of a running rollout in their order; where none speaks, it advances."""


def next_move(standing: Standing) -> tuple[str, Move]:
    """Ask the rules in their order, and step on where none has anything to say."""
    for rule in RULES:
        move = rule(standing)
        if move is not None:
            return rule.__name__, move
    return advance.__name__, advance(standing)
