"""Objectives and error budgets that are taken as they are, and do not do what they seem to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from turnout.api.agent import Agent
from turnout.api.base import as_timedelta, fraction
from turnout.api.metric import MetricTemplate
from turnout.api.objectives import ErrorBudget, Objective, PauseOnBurn
from turnout.api.strategy import Gate
from turnout.cli.lint.problems import Path, Problem
from turnout.core.measures import promised_share
from turnout.core.reasons import Reason
from turnout.core.spend import counted_by
from turnout.core.world import Unread

Templates = Mapping[str, MetricTemplate | Unread]


def objective_problems(agent: Agent, gate: Gate | None, templates: Templates) -> Iterator[Problem]:
    """Say what is surprising about an Agent's objectives, and what its gate makes of them.

    Args:
        agent: The Agent.
        gate: The gate in force, its own or that of the strategy it names; None where not given.
        templates: The MetricTemplates that were given.
    """
    own = agent.spec.gate
    if own is not None and own.error_budget is not None and not agent.spec.objectives:
        said = "the gate has an errorBudget, and the Agent no objectives that would have a budget"
        mend = "add spec.objectives, or leave errorBudget out"
        yield Problem(("spec", "gate", "errorBudget"), "NoObjectives", said, mend, warning=True)
    budget = (gate.error_budget if gate is not None else None) or ErrorBudget()
    for at, objective in enumerate(agent.spec.objectives):
        path: Path = ("spec", "objectives", at)
        template = templates.get(objective.metric)
        if isinstance(template, MetricTemplate):
            yield from _template_problems(objective, template, path)
        if gate is not None and budget.max_budget_spend is not None:
            yield from _cap_problems(objective, gate, path)
        for pace in budget.paces:
            yield from _pace_problems(objective, pace, path)


def _template_problems(
    objective: Objective, template: MetricTemplate, path: Path
) -> Iterator[Problem]:
    if promised_share(objective, template.spec) is None:
        said = f"MetricTemplate {objective.metric} does not fit"
        mend = "an objective reads type Ratio, or Histogram with slowerThan"
        yield Problem((*path, "metric"), Reason.METRIC_NOT_FOUND, said, mend, warning=True)


def _cap_problems(objective: Objective, gate: Gate, path: Path) -> Iterator[Problem]:
    if counted_by(objective, gate) is None:
        said = "maxBudgetSpend does not count for it: no metric of the gate reads what it does"
        mend = (
            f"a metric of the gate with templateRef {objective.metric}, the same slowerThan, and "
            "the same provider"
        )
        yield Problem((*path, "metric"), "NotCounted", said, mend, warning=True)


def _pace_problems(objective: Objective, pace: PauseOnBurn, path: Path) -> Iterator[Problem]:
    """Say where a pace cannot be exceeded, or is one over more than the promise is about."""
    highest = 1 / (1 - fraction(objective.target))
    if float(pace.rate) >= highest:
        said = (
            f"pauseOnBurn {pace.rate} is never exceeded: with a target of {objective.target} the "
            f"budget is used up {highest:g} times as fast as allowed where everything fails"
        )
        mend = f"name rates below {highest:g} in gate.errorBudget.pauseOnBurn"
        yield Problem((*path, "target"), "NeverBurns", said, mend, warning=True)
    longest = max(pace.over, key=as_timedelta)
    if as_timedelta(longest) > as_timedelta(objective.window):
        said = f"pauseOnBurn looks at {longest}, longer than the objective's {objective.window}"
        mend = f"a window of at least {longest}, or shorter ones in gate.errorBudget.pauseOnBurn"
        yield Problem((*path, "window"), "ShortWindow", said, mend, warning=True)
