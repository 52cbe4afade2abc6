"""What one rollout has used up of the error budgets of its Agent's objectives.

The whole service's failures are everybody's; a rollout answers for those that stable would not
have had. They are counted by the gate's own looks, so by its metric that reads what the
objective does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from turnout.api.base import fraction, seconds
from turnout.api.gate import Gate, GateMetric, GateMetricType
from turnout.api.objectives import Objective
from turnout.api.rollout import AgentRollout
from turnout.core.budget import budget_of
from turnout.core.ledger import NOTHING, Ledger
from turnout.core.objectives import Pledge, pledges, spending_of
from turnout.core.world import World


@dataclass(frozen=True)
class Spend:
    """What a rollout has used up of one error budget.

    Attributes:
        metric: Metric of the gate by which it is counted.
        failures: Failures beyond those that stable would have had; 0 where there are none.
        allowed: Failures that make up the whole budget.
    """

    objective: Objective
    metric: GateMetric
    failures: float
    allowed: float

    @property
    def share(self) -> float:
        """Part of the budget."""
        return self.failures / self.allowed


def spends_of(world: World, rollout: AgentRollout, ledger: Ledger) -> tuple[Spend, ...]:
    """Tell what a running rollout has used up of each error budget, as far as that is known."""
    return tuple(_spends(world, rollout, ledger))


def _spends(world: World, rollout: AgentRollout, ledger: Ledger) -> Iterator[Spend]:
    told = {one.objective: one for one in rollout.status.gate.budget} if rollout.status.gate else {}
    for pledge in pledges(world):
        metric = counted_by(pledge.objective, rollout.spec.gate)
        before = told.get(pledge.objective.name)
        allowed = _allowed(world, pledge) or (float(before.allowed) if before else 0.0)
        excess = ledger.get(metric.name, NOTHING).excess if metric is not None else None
        if metric is not None and excess is not None and allowed > 0.0:
            yield Spend(pledge.objective, metric, max(0.0, excess.failures), allowed)


def _allowed(world: World, pledge: Pledge) -> float | None:
    objective = pledge.objective
    counts = spending_of(world, pledge).get(objective.window)
    return budget_of(counts, fraction(objective.target), pledge.covered(world.now))


def counted_by(objective: Objective, gate: Gate) -> GateMetric | None:
    """Find the metric of a gate that reads what an objective does; None where there is none."""
    return next((one for one in gate.metrics if _reads(one, objective, gate)), None)


def _reads(metric: GateMetric, objective: Objective, gate: Gate) -> bool:
    template = metric.template_ref.name if metric.template_ref is not None else None
    if (template, gate.provider) != (objective.metric, objective.provider):
        return False
    if metric.type is GateMetricType.COST_PER_SUCCESS or objective.slower_than is None:
        return metric.type is not GateMetricType.COST_PER_SUCCESS
    bound = metric.slower_than
    return bound is not None and seconds(bound) == seconds(objective.slower_than)
