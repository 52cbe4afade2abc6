"""How an agent keeps its objectives: what is left of each error budget, and how fast it goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from turnout.api.agent import Agent
from turnout.api.objectives import BudgetState, NewRollouts, Objective, ObjectiveStatus
from turnout.api.rollout import AgentRollout
from turnout.cli.rows import aligned
from turnout.cli.screen import safe
from turnout.cli.times import since

LEAST: Final = 0.5
"""Fewer failures than this are told as none."""

_STYLES: Final = {BudgetState.WITHIN: "", BudgetState.BURNING: "red", BudgetState.UNKNOWN: "yellow"}
_HEADS: Final = ("BUDGET", "promised", "left", "times as fast as allowed", "state")


def budget_lines(agent: Agent, now: datetime) -> Iterator[Text]:
    """Write a line for each objective; nothing before any was looked at."""
    told = agent.status.objectives
    if not told:
        return
    promised = {one.name: one for one in agent.spec.objectives}
    heads, *rows = aligned([_HEADS, *(_cells(one, promised.get(one.name), now) for one in told)])
    yield Text(heads, "bold")
    for one, row in zip(told, rows, strict=True):
        yield Text(row, _STYLES.get(one.state, ""))
        if one.state is not BudgetState.WITHIN:
            yield Text(f"    {safe(one.message)}", "dim")


def _cells(told: ObjectiveStatus, promised: Objective | None, now: datetime) -> tuple[str, ...]:
    frozen = ", no new rollouts" if told.new_rollouts is NewRollouts.FROZEN else ""
    rates = ", ".join(f"{one.rate} over {one.over}" for one in told.burn_rates)
    return (
        f"  {told.name}",
        f"{promised.target} in {promised.window}" if promised is not None else "-",
        told.remaining or "-",
        rates or "-",
        f"{told.state.value}{frozen}, {since(told.since, now)}",
    )


def costs(rollout: AgentRollout) -> Iterator[str]:
    """Say what a rollout has cost users, by metric, and how much of which budget that is."""
    gate = rollout.status.gate
    for metric in gate.metrics if gate is not None else ():
        more = float(metric.extra_failures or 0)
        if gate is not None and more >= LEAST:
            parts = "".join(
                f", {one.spent} of the error budget of {one.objective} ({float(one.allowed):.0f})"
                for one in gate.budget
                if one.metric == metric.name
            )
            yield f"{metric.name}: {more:.0f} failures that stable would not have had{parts}"


def budget_document(agent: Agent) -> list[dict[str, Any]]:
    """Write the objectives for programs."""
    promised = {one.name: one.to_wire() for one in agent.spec.objectives}
    return [promised.get(one.name, {}) | one.to_wire() for one in agent.status.objectives]
