"""The decision: findings of all metrics in, one of three verdicts out.

What is promised: a version that is no worse than stable is failed with a chance of at most alpha,
however many metrics and looks there are; one that is worse by the margin or more passes with a
chance of at most alpha. In between either may happen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from turnout.api.rollout_status import Verdict
from turnout.api.strategy import OnInconclusive, OnRegression
from turnout.core.reasons import Reason
from turnout.core.sequential.bets import SUSPICIOUS, mixed
from turnout.core.sequential.findings import Finding


class Signal(Enum):
    """How much speaks against the candidate."""

    NONE = "no sign"
    SUSPICIOUS = "suspicious"
    ENOUGH = "enough"


@dataclass(frozen=True)
class Policy:
    """When a gate decides; times in seconds.

    Attributes:
        alpha: Share of rollouts in which each promise may fail.
        min_duration: No Pass before the candidate has been asked for so long.
        min_requests: No Pass before so many requests to the candidate.
        max_duration: After so long without a verdict, ``on_inconclusive`` decides.
        on_inconclusive: What happens then.
    """

    alpha: float = 0.05
    min_duration: float = 900.0
    min_requests: float = 50.0
    max_duration: float = 7200.0
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD

    @property
    def sure(self) -> float:
        """Logarithm of the evidence that is enough."""
        return -math.log(self.alpha)

    def is_safe(self, finding: Finding) -> bool:
        """Claim that a metric is sure by itself that the candidate is not worse by the margin."""
        return (
            finding.safe >= self.sure
            and finding.requests >= self.min_requests
            and not finding.is_below
        )


@dataclass(frozen=True)
class Decision:
    """What the findings come to.

    Attributes:
        verdict: Pass, Fail or Continue.
        reason: Why.
        worse: Logarithm of the evidence of all metrics together that the candidate is worse.
        signal: How much that is.
        cause: The metric to blame, or the one that is waited for; None where nothing is.
    """

    verdict: Verdict
    reason: Reason
    worse: float
    signal: Signal
    cause: Finding | None = None


def decide(
    findings: Sequence[Finding],
    policy: Policy,
    age: float,
    before: Verdict = Verdict.CONTINUE,
) -> Decision:
    """Decide on what is known now.

    Args:
        findings: One for each metric; those that only record are passed over.
        policy: When to decide.
        age: Seconds since the candidate was asked first.
        before: The verdict so far. A Fail stays; a Pass stays unless a Fail comes.
    """
    gating = [one for one in findings if one.on_regression is not OnRegression.RECORD]
    if not gating:
        return Decision(Verdict.CONTINUE, Reason.NOT_RUNNING, 0.0, Signal.NONE)
    worse = together(gating)
    signal = _signal(worse, policy)
    blamed = _blamed(gating, worse, policy)
    if before is Verdict.FAIL or blamed is not None:
        cause = blamed or _heaviest(gating)
        return Decision(Verdict.FAIL, Reason.REGRESSED, worse, signal, cause)
    lacking = next((one for one in gating if not policy.is_safe(one)), None)
    if before is Verdict.PASS or (lacking is None and age >= policy.min_duration):
        return Decision(Verdict.PASS, Reason.SAFE, worse, signal)
    if age >= policy.max_duration:
        return _at_the_limit(gating, policy, worse, signal)
    return Decision(Verdict.CONTINUE, Reason.TOO_FEW_REQUESTS, worse, signal, lacking)


def together(findings: Sequence[Finding]) -> float:
    """Give the logarithm of the evidence of metrics together, each by its importance."""
    weighing = [one for one in findings if one.importance > 0.0]
    if not weighing:
        return 0.0
    whole = sum(one.importance for one in weighing)
    return mixed([one.worse for one in weighing], [one.importance / whole for one in weighing])


def _signal(worse: float, policy: Policy) -> Signal:
    if worse >= policy.sure:
        return Signal.ENOUGH
    return Signal.SUSPICIOUS if worse >= SUSPICIOUS else Signal.NONE


def _weight(finding: Finding) -> float:
    if finding.importance <= 0.0:
        return -math.inf
    return finding.worse + math.log(finding.importance)


def _heaviest(findings: Sequence[Finding]) -> Finding:
    return max(findings, key=_weight)


def _blamed(findings: Sequence[Finding], worse: float, policy: Policy) -> Finding | None:
    """Find the metric to blame: what speaks loudest, unless one that rolls back is enough alone."""
    if worse < policy.sure:
        return None
    alone = [
        one
        for one in findings
        if one.on_regression is OnRegression.ROLLBACK
        and one.exceeds
        and speaks_alone(one, findings, policy)
    ]
    heaviest = _heaviest(alone or findings)
    return heaviest if heaviest.exceeds else None


def speaks_alone(finding: Finding, findings: Sequence[Finding], policy: Policy) -> bool:
    """Claim that one metric's part of the evidence is enough that the candidate is worse.

    By however little: a version that is no worse comes so far with a chance of at most alpha, by
    all its metrics together.
    """
    whole = sum(one.importance for one in findings)
    return whole > 0.0 and _weight(finding) - math.log(whole) >= policy.sure


def _at_the_limit(
    findings: Sequence[Finding], policy: Policy, worse: float, signal: Signal
) -> Decision:
    verdict = Verdict.CONTINUE
    if policy.on_inconclusive is OnInconclusive.ROLLBACK:
        verdict = Verdict.FAIL
    elif policy.on_inconclusive is OnInconclusive.PROMOTE_IF_HEALTHY and healthy(findings, signal):
        verdict = Verdict.PASS
    return Decision(verdict, Reason.INCONCLUSIVE, worse, signal, _heaviest(findings))


def healthy(findings: Sequence[Finding], signal: Signal) -> bool:
    """Tell whether nothing speaks against the candidate, though it may not be proved safe."""
    return signal is Signal.NONE and all(
        one.drop is not None
        and one.margin is not None
        and one.drop <= one.margin
        and not one.is_below
        for one in findings
    )
