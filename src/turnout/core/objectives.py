"""How an Agent's objectives are kept: told in its status, and heard by its rollouts.

What cannot be read is Unknown: it never makes a budget burn, and never says that it has stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from turnout.api.base import as_timedelta, fraction
from turnout.api.objectives import (
    BudgetState,
    BurnRate,
    ErrorBudget,
    NewRollouts,
    Objective,
    ObjectiveStatus,
    PauseOnBurn,
)
from turnout.api.strategy import Gate, RolloutStrategy
from turnout.core.budget import (
    Spending,
    burn_rate,
    remaining,
    told_rate,
    told_share,
    too_fast,
    unknown,
)
from turnout.core.gates import Blind
from turnout.core.phase import has_ended
from turnout.core.world import World

PATIENCE: Final = timedelta(minutes=2)
"""A change of numbers alone is told no more often."""


@dataclass(frozen=True)
class Pledge:
    """One objective, and what holds of it.

    Attributes:
        budget: What its error budget lets a rollout do.
        made: Since when there is an agent that could keep it; None where nothing tells.
    """

    objective: Objective
    budget: ErrorBudget
    made: datetime | None = None

    @property
    def windows(self) -> tuple[str, ...]:
        """Every window of which counts are needed, each once."""
        paced = (window for pace in self.budget.paces for window in pace.over)
        return tuple(dict.fromkeys((self.objective.window, *paced)))

    def covered(self, now: datetime) -> float:
        """Tell how much of its window the agent has lived through, from 0 to 1."""
        window = as_timedelta(self.objective.window)
        return 1.0 if self.made is None else min(1.0, max(0.0, (now - self.made) / window))


@dataclass(frozen=True)
class Measured:
    """What was counted of an error budget, exactly.

    Attributes:
        remaining: Part of it that is left, from 1 down to 0; None where it is not known.
        rates: How many times as fast as allowed it is used up, by window; None where unknown.
    """

    remaining: float | None
    rates: Mapping[str, float | None]


def measured(pledge: Pledge, spending: Spending, now: datetime) -> Measured:
    """Measure an error budget."""
    target = fraction(pledge.objective.target)
    left = remaining(spending.get(pledge.objective.window), target, pledge.covered(now))
    rates = {window: burn_rate(spending.get(window), target) for window in pledge.windows}
    return Measured(left, rates)


def pledges(world: World) -> tuple[Pledge, ...]:
    """Give the Agent's objectives, with what the gate in force makes of them."""
    metadata, budget = world.agent.metadata, _budget(world)
    return tuple(
        Pledge(one, budget, metadata.creation_timestamp) for one in world.agent.spec.objectives
    )


def _budget(world: World) -> ErrorBudget:
    gate = gate_of(world)
    return (gate.error_budget if gate is not None else None) or ErrorBudget()


def gate_of(world: World) -> Gate | None:
    """Find the gate in force: that of the rollout that runs, or of the next one."""
    newest = world.rollouts[-1] if world.rollouts else None
    if newest is not None and not has_ended(newest.status.phase):
        return newest.spec.gate
    strategy = world.sources.strategy
    if isinstance(strategy, RolloutStrategy):
        return strategy.spec.gate
    return world.agent.spec.gate


def kept(
    pledge: Pledge, spending: Spending, before: ObjectiveStatus | None, now: datetime
) -> ObjectiveStatus:
    """Tell how an objective is kept; what was told stays where only numbers moved just now.

    Args:
        pledge: The objective.
        spending: What was counted.
        before: What was told before.
        now: When this is told.
    """
    told = _told(pledge, spending, before, now)
    if before is None or told.state is not before.state:
        return told
    if told.new_rollouts is not before.new_rollouts:
        return told.model_copy(update={"since": before.since})
    same = told.model_copy(update={"since": before.since, "told_at": before.told_at})
    if same == before or (before.burn_rates and now < before.told_at + PATIENCE):
        return before
    return same.model_copy(update={"told_at": now})


def _told(
    pledge: Pledge, spending: Spending, before: ObjectiveStatus | None, now: datetime
) -> ObjectiveStatus:
    """Tell it anew, with the numbers of before where they are near enough."""
    objective, exact = pledge.objective, measured(pledge, spending, now)
    known = {one.over: one.rate for one in before.burn_rates} if before else {}
    rates = {
        window: told_rate(rate, known.get(window))
        for window, rate in exact.rates.items()
        if rate is not None
    }
    left = exact.remaining
    told = ObjectiveStatus(
        name=objective.name,
        state=BudgetState.UNKNOWN,
        since=now,
        remaining=None if left is None else told_share(left, before.remaining if before else None),
        burn_rates=tuple(BurnRate(over=over, rate=rate) for over, rate in rates.items()),
        told_at=now,
    )
    told = told.model_copy(update={"new_rollouts": _new_rollouts(pledge, left, before)})
    state, pace = too_fast(exact.rates, pledge.budget.paces)
    burned = before is not None and burns(before)
    if pace is not None:
        return told.model_copy(update={"state": state, "message": _burning(pledge, pace, rates)})
    lacking = lacking_of(pledge, spending, state)
    if lacking is None:
        message = f"{told.name}: {told.remaining} of the error budget of {objective.window} left"
    elif burned and state is BudgetState.UNKNOWN:
        state = BudgetState.BURNING
        message = f"{told.name} used up its error budget too fast when it was read last"
        message = f"{message}: {lacking.message}"
    else:
        state, message = BudgetState.UNKNOWN, f"{told.name}: {lacking.message}"
    return told.model_copy(update={"state": state, "message": message})


def lacking_of(pledge: Pledge, spending: Spending, state: BudgetState) -> Blind | None:
    """Say what is not known and needed: of the own window always, of others where they decide."""
    decide = pledge.windows if state is BudgetState.UNKNOWN else pledge.windows[:1]
    found = (unknown(window, spending.get(window)) for window in decide)
    return next((one for one in found if one is not None), None)


def _new_rollouts(
    pledge: Pledge, left: float | None, before: ObjectiveStatus | None
) -> NewRollouts:
    """Tell whether enough is left for new rollouts; not known, it is as it was."""
    least = pledge.budget.freeze_below
    if least is None:
        return NewRollouts.FREE
    if left is None:
        return before.new_rollouts if before is not None else NewRollouts.FREE
    return NewRollouts.FROZEN if left < fraction(least) else NewRollouts.FREE


def burns(status: ObjectiveStatus) -> bool:
    """Claim that a budget is used up too fast."""
    return status.state is BudgetState.BURNING


def _burning(pledge: Pledge, pace: PauseOnBurn, rates: Mapping[str, str]) -> str:
    """Name the objective, the windows, how fast it is and how fast it may be."""
    objective = pledge.objective
    fast = " and ".join(f"about {rates[window]} times over {window}" for window in pace.over)
    return (
        f"{objective.name}: failures use up the error budget ({objective.target} in "
        f"{objective.window}) too fast: {fast} the pace that lasts, {pace.rate} is too much"
    )


def objectives_of(world: World) -> tuple[ObjectiveStatus, ...]:
    """Tell how every objective of the Agent is kept."""
    return tuple(told for _, _, told in changes(world))


def changes(
    world: World,
) -> Iterator[tuple[Pledge, ObjectiveStatus | None, ObjectiveStatus]]:
    """Give each objective with what was told of it, and what is told now."""
    before = {one.name: one for one in world.agent.status.objectives}
    for pledge in pledges(world):
        known = before.get(pledge.objective.name)
        yield pledge, known, kept(pledge, spending_of(world, pledge), known, world.now)


def spending_of(world: World, pledge: Pledge) -> Spending:
    """Give what is known of an objective's requests."""
    return world.spendings.get(pledge.objective.name, {})


def objectives_due(world: World) -> datetime | None:
    """Tell when numbers are told that are kept back now; None where none are."""
    due = (
        told.told_at + PATIENCE
        for pledge, before, told in changes(world)
        if told is before
        and world.now < told.told_at + PATIENCE
        and kept(pledge, spending_of(world, pledge), told, told.told_at + PATIENCE) is not told
    )
    return min(due, default=None)
