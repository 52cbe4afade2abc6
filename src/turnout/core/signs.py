"""Signs: all that the rules of a running rollout see of evidence and of the time.

Next to every look at a rollout finds the same signs as the one before. Where nothing but time and
evidence is new, the same rule then speaks and says the same, so it need not be asked.
"""

from __future__ import annotations

from typing import TypeAlias

from turnout.core.bake import bake_lasts, confirmed, limit_passed
from turnout.core.moves import step_ends
from turnout.core.rules import unasked_since
from turnout.core.standing import Standing

Signs: TypeAlias = tuple[object, ...]
"""What was seen, to compare; measured values are not in it, for no rule goes by them."""


def signs_of(standing: Standing) -> Signs:
    """Gather what rules see of evidence and of the time."""
    return (*_of_evidence(standing), *_of_time(standing))


def _of_evidence(standing: Standing) -> Signs:
    evidence = standing.evidence
    verdict, cause = evidence.verdict, evidence.verdict.cause
    return (
        verdict.verdict,
        verdict.reason,
        None if cause is None else (cause.name, cause.verdict, cause.reason, cause.on_regression),
        tuple(one.verdict for one in verdict.metrics),
        bool(evidence.blind),
        evidence.split is not None and evidence.split.is_off,
        evidence.healthy,
        evidence.rise,
        evidence.lacking,
    )


def _of_time(standing: Standing) -> Signs:
    """Tell which moments have passed that rules wait for."""
    now, waiting = standing.now, standing.status.waiting_since
    ends = step_ends(standing.step, standing.step_started)
    return (
        waiting is not None and now >= waiting + standing.progress_deadline,
        ends is not None and now >= ends,
        standing.recovers,
        standing.out_of_time,
        limit_passed(standing),
        standing.old_enough,
        bake_lasts(standing),
        confirmed(standing),
        unasked_since(standing),
    )
