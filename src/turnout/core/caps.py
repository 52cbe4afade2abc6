"""How much of an error budget a rollout may use up, and what becomes of it where it has."""

from __future__ import annotations

from typing import Final

from turnout.api.base import fraction
from turnout.api.gate import OnRegression
from turnout.api.rollout import RolloutPhase
from turnout.core.budget_holds import override_for
from turnout.core.moves import Move
from turnout.core.reasons import Reason
from turnout.core.spend import Spend
from turnout.core.standing import Standing

AGAIN: Final = 0.5
"""Part of the cap below which a rollout goes on that was held for it: at the cap itself it would
stop and go with every request."""


def overspent(standing: Standing) -> Move | None:
    """It is proved worse, by however little, and has used up its part of an error budget."""
    for spend in _overdrawn(standing):
        metric = spend.metric
        if metric.name in standing.evidence.proved and metric.action is OnRegression.ROLLBACK:
            said = _said(spend, standing.max_budget_spend)
            message = f"{said}; {metric.name} is proved worse than stable"
            return Move(RolloutPhase.ROLLED_BACK, Reason.ERROR_BUDGET_SPENT, message, weight=0)
    return None


def budget_spent(standing: Standing) -> Move | None:
    """It has used up its part of an error budget, and nobody knows whether it was chance."""
    spent = _overdrawn(standing)
    if not spent:
        return None
    said = "; ".join(_said(one, standing.max_budget_spend) for one in spent)
    advice = "it is not proved worse; it goes on by itself once stable has failed as often"
    message = f"{said}; {advice}"
    return Move(RolloutPhase.HELD, Reason.ERROR_BUDGET_SPENT, message, measured=True)


def _overdrawn(standing: Standing) -> list[Spend]:
    """Find the budgets of which a rollout has used up what it may.

    What a person promotes in full or overrides, and the way back to a version of before, may use up
    more.
    """
    cap, version = standing.max_budget_spend, standing.rollout.spec.to.version
    if cap is None or standing.promotes_fully or standing.undoes:
        return []
    if override_for(standing.world, version) is not None:
        return []
    was_held = standing.status.reason == Reason.ERROR_BUDGET_SPENT
    least = fraction(cap) * (AGAIN if was_held else 1.0)
    return [one for one in standing.evidence.spends if one.share >= least]


def _said(spend: Spend, cap: str | None) -> str:
    """Name the objective, what was used up of its budget, and by how many failures."""
    promise = f"{spend.objective.target} in {spend.objective.window}"
    return (
        f"{spend.objective.name}: this rollout has used up {100 * spend.share:.1f}% of the error "
        f"budget ({promise}), maxBudgetSpend is {cap}: {spend.failures:.1f} failures beyond those "
        f"that stable would have had, of {spend.allowed:.0f} allowed"
    )
