"""What becomes of a running rollout: an ordered list of rules, the first that speaks wins.

The order is the policy. A person's abort comes before everything; what protects users comes
before what makes progress; every rule that holds comes before the one that steps on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from turnout.api.base import seconds
from turnout.api.gate import OnSplitOff
from turnout.api.rollout import RolloutPhase, Verdict
from turnout.api.strategy import OnInconclusive, OnRegression
from turnout.core.bake import bakes, confirmed, limit_passed
from turnout.core.budget_holds import budget_burns
from turnout.core.caps import budget_spent, overspent
from turnout.core.fallback import no_way_back
from turnout.core.intake import name_conflict
from turnout.core.kill import stopped_by
from turnout.core.moves import Move
from turnout.core.reasons import Reason
from turnout.core.route import programmed
from turnout.core.standing import Standing
from turnout.core.steps import advance, recover, waits_until

Rule = Callable[[Standing], Move | None]


def already_stable(standing: Standing) -> Move | None:
    """The candidate is stable: a record whose status was lost tells of a promotion long done."""
    if standing.stable != standing.rollout.spec.to:
        return None
    return Move(RolloutPhase.PROMOTED, Reason.PROMOTED, "it is stable already")


def aborted(standing: Standing) -> Move | None:
    """A person took it back: abort wins over every other intent at any time."""
    abort = standing.rollout.spec.abort
    if abort is None:
        return None
    why = f": {abort.reason}" if abort.reason else ""
    rest = "" if standing.is_first else "; stable has all traffic"
    message = f"aborted by {abort.by}{why}{rest}"
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


def suspended(standing: Standing) -> Move | None:
    """All traffic is taken off the agent: there is nothing to learn, so nothing steps on."""
    stop = stopped_by(standing.world)
    if stop is None or standing.is_first:
        return None
    return Move(RolloutPhase.PAUSED, Reason.SUSPENDED, stop)


def paused(standing: Standing) -> Move | None:
    """A person holds it: no step forward, traffic as it is."""
    pause = standing.rollout.spec.pause
    if pause is not None:
        why = f": {pause.reason}" if pause.reason else ""
        return Move(RolloutPhase.PAUSED, Reason.PAUSED, f"paused by {pause.by}{why}")
    if standing.world.agent.spec.paused:
        return Move(RolloutPhase.PAUSED, Reason.PAUSED, "spec.paused is true on the Agent")
    return None


def scaled_to_zero(standing: Standing) -> Move | None:
    """Nobody runs a pod: nothing can be tried, and what was not tried is not promoted."""
    if standing.replicas > 0:
        return None
    message = "spec.replicas is 0: the rollout goes on once there are pods to try"
    return Move(RolloutPhase.HELD, Reason.SCALED_TO_ZERO, message)


def name_taken(standing: Standing) -> Move | None:
    """Something else holds a name that the candidate needs: it is left alone, and nothing tried."""
    conflict = name_conflict(standing.world, standing.rollout.spec.to)
    return Move(RolloutPhase.HELD, conflict.reason, conflict.message) if conflict else None


def never_ready(standing: Standing) -> Move | None:
    """Pods that were waited for did not come within the progress deadline."""
    since = standing.status.waiting_since
    if since is None or standing.now < since + standing.progress_deadline:
        return None
    waiting = recover(standing) or arm_lost(standing) or advance(standing)
    if not waiting.waits_for_pods:
        return None
    limit = standing.world.agent.spec.deployment.progress_deadline
    message = f"{waiting.message}, waited for {limit} (deployment.progressDeadline)"
    phase = RolloutPhase.EXPIRED if standing.is_first else RolloutPhase.ROLLED_BACK
    return Move(phase, Reason.PROGRESS_DEADLINE_EXCEEDED, message, weight=0)


def arm_lost(standing: Standing) -> Move | None:
    """One arm has no ready pod: the other one serves, and nothing is concluded from it."""
    candidate, stable = standing.candidate, standing.stable_arm
    if standing.is_first or (stable.ready > 0 and (candidate.ready > 0 or standing.weight == 0)):
        return None
    trouble = f": {candidate.trouble}" if candidate.trouble else ""
    if stable.ready == 0:
        return _stable_lost(standing)
    return Move(
        RolloutPhase.HELD,
        Reason.MINIMUM_REPLICAS_UNAVAILABLE,
        f"no pod of the candidate is ready, stable serves{trouble}",
        waits_for_pods=True,
        again_at=waits_until(standing),
    )


def _stable_lost(standing: Standing) -> Move | None:
    """Hold while stable has no pod: an arm to compare with is missing, and maybe any to serve.

    Before its first pod is ready a candidate is waited for as ever, one that has passed goes on,
    and a person may promote in full. Nothing that was on its way when stable died is promoted for
    being the only one left; what was begun to mend it is, once stable has been dead for long.
    """
    if standing.candidate.ready == 0:
        if standing.weight == 0:
            return None
        message = "neither version has a ready pod: weights stay until one of them has"
    elif standing.needs_no_stable:
        return None
    else:
        message = "stable has no ready pod; the candidate serves meanwhile and is not promoted"
    soon = standing.recovers_at
    again = None if soon is None or soon <= standing.now else soon
    return Move(RolloutPhase.HELD, Reason.STABLE_UNAVAILABLE, message, again_at=again)


def not_programmed(standing: Standing) -> Move | None:
    """The gateway refuses the route: a weight that nobody honours is no step."""
    refusal = programmed(standing.world)
    if standing.is_first or refusal is None:
        return None
    reason, message = refusal
    return Move(RolloutPhase.HELD, reason, message)


def tools_drifted(standing: Standing) -> Move | None:
    """A server tells other tools than the versions were made of: nothing new is tried meanwhile.

    What a person promotes in full goes on, and so does the way back to a version of before.
    """
    drift = standing.world.sources.tools_drift
    if drift is None or standing.is_first or standing.promotes_fully or standing.undoes:
        return None
    message = drift + no_way_back(standing.world)
    return Move(RolloutPhase.HELD, Reason.TOOLS_DRIFTED, message)


def withheld(standing: Standing) -> Move | None:
    """A metric that may only hold failed: the step waits for a person, whatever comes after."""
    if not standing.judged:
        return None
    verdict = standing.evidence.verdict
    message = verdict.message if verdict.verdict is Verdict.FAIL else _withheld_before(standing)
    if message is None:
        return None
    return Move(RolloutPhase.HELD, Reason.REGRESSED, message, measured=True)


def _withheld_before(standing: Standing) -> str | None:
    """Find the failure that this step was held for."""
    told = (
        one.message
        for one in standing.status.timeline
        if one.rule == withheld.__name__ and one.at >= standing.step_started
    )
    return next(told, None)


def inconclusive(standing: Standing) -> Move | None:
    """The declared limit passed without a pass: what onInconclusive says happens."""
    gate = standing.gate
    if not standing.judged or not limit_passed(standing) or confirmed(standing):
        return None
    split, said = standing.evidence.split, standing.evidence.verdict.message
    if split is not None and split.is_off:
        said = split.message
    message = f"no pass within {_limit(standing)}; {said}"
    if gate.on_inconclusive is OnInconclusive.ROLLBACK:
        return Move(RolloutPhase.ROLLED_BACK, Reason.INCONCLUSIVE, message, weight=0)
    return Move(RolloutPhase.HELD, Reason.INCONCLUSIVE, message, measured=True)


def _limit(standing: Standing) -> str:
    after = " after the bake" if bakes(standing) else ""
    lacking = " for lack of data" if standing.evidence.blind else ""
    return f"maxDuration {standing.gate.max_duration}{after}{lacking}"


def budget_burning(standing: Standing) -> Move | None:
    """The whole service uses up an error budget too fast: nobody is blamed, and nothing moves.

    What a person promotes in full or overrides goes on, and so does the way back to a version of
    before.
    """
    if standing.is_first or standing.promotes_fully or standing.is_way_out:
        return None
    message = budget_burns(standing.world, standing.rollout.spec.to.version)
    if message is None:
        return None
    return Move(RolloutPhase.HELD, Reason.ERROR_BUDGET_BURNING, message, measured=True)


def blind(standing: Standing) -> Move | None:
    """What the gate needs is not known, or both arms are bad: hold, and go on by itself."""
    verdict = standing.evidence.verdict
    if not standing.judged or verdict.cause is None or not verdict.cause.holds:
        return None
    known = verdict.reason is Reason.BOTH_ARMS_DEGRADED
    clue = standing.world.clues.sentence if known else ""
    message = f"{verdict.message}; {clue}" if clue else verdict.message
    return Move(RolloutPhase.HELD, verdict.reason, message, measured=True, clue=clue)


def split_off(standing: Standing) -> Move | None:
    """The arms count another share of requests than their weights: what is counted misses some."""
    split = standing.evidence.split
    if not standing.judged or split is None or not split.is_off:
        return None
    if standing.gate.on_split_off is OnSplitOff.RECORD:
        return None
    return Move(RolloutPhase.HELD, Reason.TRAFFIC_SPLIT_OFF, split.message, measured=True)


def unasked(standing: Standing) -> Move | None:
    """Nobody asked the candidate anything for the whole progress deadline."""
    since = unasked_since(standing)
    if since is None:
        return None
    gate = standing.gate
    asked = "a request" if gate.is_statistical else f"{gate.least_requests} requests"
    message = (
        f"no window of {gate.interval} had {asked} of the candidate since "
        f"{datetime.fromtimestamp(since, tz=UTC):%H:%M:%S}Z; it is judged as soon as one has"
    )
    return Move(RolloutPhase.HELD, Reason.NO_TRAFFIC, message)


def unasked_since(standing: Standing) -> float | None:
    """Tell since when a candidate that is to be judged waits to be asked, in unix seconds.

    None while it is asked, or has not waited for the progress deadline yet.
    """
    if not standing.judged or confirmed(standing):
        return None
    counted = standing.evidence.last_counted or 0.0
    since = max(counted, standing.weight_changed.timestamp() + seconds(standing.gate.warmup))
    silence = standing.now.timestamp() - since
    return since if silence >= standing.progress_deadline.total_seconds() else None


RULES: tuple[Rule, ...] = (
    already_stable,
    aborted,
    regressed,
    overspent,
    suspended,
    paused,
    scaled_to_zero,
    name_taken,
    never_ready,
    recover,
    arm_lost,
    not_programmed,
    tools_drifted,
    withheld,
    inconclusive,
    budget_burning,
    budget_spent,
    blind,
    split_off,
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
