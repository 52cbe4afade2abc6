"""What the conditions of a rollout and of a version claim: what ``kubectl wait`` waits for."""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.rollout import AgentRollout, AgentRolloutStatus, RolloutPhase, Verdict
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.evidence import Evidence
from turnout.core.phase import has_ended
from turnout.core.reasons import Reason

FAILED = frozenset({RolloutPhase.ROLLED_BACK, RolloutPhase.ABORTED, RolloutPhase.EXPIRED})
UNAPPROVED = frozenset({Reason.AWAITING_APPROVAL, Reason.TIMED_OUT, Reason.APPROVAL_UNPROTECTED})
ENDS = {
    RolloutPhase.PROMOTED: Reason.PROMOTED,
    RolloutPhase.ROLLED_BACK: Reason.ROLLED_BACK,
    RolloutPhase.ABORTED: Reason.ABORTED,
    RolloutPhase.SUPERSEDED: Reason.SUPERSEDED,
    RolloutPhase.EXPIRED: Reason.EXPIRED,
}


def rollout_claims(
    rollout: AgentRollout, status: AgentRolloutStatus, evidence: Evidence | None
) -> Iterator[Claim]:
    """Claim every condition of a rollout; Reconciling and Stalled only where they hold.

    Args:
        rollout: The rollout and what people want of it.
        status: Its record from now on.
        evidence: What the gate knows; None once the rollout has ended.
    """
    reason, message = status.reason or Reason.PENDING, status.message or ""
    yield Claim("Accepted", TRUE, Reason.VALID)
    yield _progressing(status, reason, message)
    yield gate_claim(status, evidence)
    yield _approved(rollout, status)
    yield _completed(status, message)
    if status.phase in {RolloutPhase.PROGRESSING, RolloutPhase.HELD}:
        yield Claim("Reconciling", TRUE, reason, message)
    if status.phase in FAILED:
        yield Claim("Stalled", TRUE, reason, message)


def _progressing(status: AgentRolloutStatus, reason: str, message: str) -> Claim:
    if has_ended(status.phase):
        return Claim("Progressing", FALSE, reason, message)
    if status.phase is RolloutPhase.PAUSED:
        return Claim("Progressing", UNKNOWN, reason, message)
    return Claim("Progressing", TRUE, reason, message)


def gate_claim(status: AgentRolloutStatus, evidence: Evidence | None) -> Claim:
    """Claim GatesPassing: the gate's verdict as it stands in a rollout's record."""
    gate = status.gate
    if status.reason == Reason.REGRESSED or (gate is not None and gate.verdict is Verdict.FAIL):
        return Claim("GatesPassing", FALSE, Reason.REGRESSED, status.message or "")
    if gate is None:
        return Claim("GatesPassing", UNKNOWN, Reason.NOT_RUNNING)
    if status.reason == Reason.TRAFFIC_SPLIT_OFF:
        return Claim("GatesPassing", UNKNOWN, Reason.TRAFFIC_SPLIT_OFF, status.message or "")
    if gate.verdict is Verdict.PASS:
        return Claim("GatesPassing", TRUE, Reason.SAFE, gate.summary or "")
    if evidence is None or has_ended(status.phase):
        return Claim("GatesPassing", UNKNOWN, Reason.NOT_RUNNING, gate.summary or "")
    reason = evidence.verdict.reason
    return Claim("GatesPassing", UNKNOWN, reason, gate.summary or "")


def _approved(rollout: AgentRollout, status: AgentRolloutStatus) -> Claim:
    """Claim whether people approved: of several approve steps the first that waits decides."""
    every = enumerate(rollout.spec.strategy.steps, start=1)
    steps = [(number, step) for number, step in every if step.approve]
    index = status.step.index if status.step else 1
    if not steps:
        return Claim("Approved", TRUE, Reason.NOT_REQUIRED, "no step asks for approval")
    waiting = next((step for number, step in steps if number >= index), None)
    if waiting is None:
        return Claim("Approved", TRUE, Reason.APPROVED)
    if status.reason is not None and status.reason in UNAPPROVED:
        return Claim("Approved", FALSE, status.reason, status.message or "")
    return Claim("Approved", UNKNOWN, Reason.PENDING, f"step {waiting.name} is not reached")


def _completed(status: AgentRolloutStatus, message: str) -> Claim:
    end = ENDS.get(status.phase)
    if end is None:
        return Claim("Completed", UNKNOWN, Reason.PENDING, "the rollout is running")
    return Claim("Completed", TRUE if end is Reason.PROMOTED else FALSE, end, message)
