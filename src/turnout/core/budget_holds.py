"""What error budgets hold back: rollouts that run, and rollouts that would begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from turnout.api.objectives import BudgetOverride, BudgetState, NewRollouts, ObjectiveStatus
from turnout.api.rollout import Trigger
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.objectives import Pledge, burns, changes, lacking_of, spending_of
from turnout.core.plan import Announcement, Target
from turnout.core.reasons import Reason
from turnout.core.world import World

FREEZABLE: Final = frozenset({Trigger.CONTENT_CHANGED, Trigger.PINNED, Trigger.RETRY})
"""Triggers of rollouts that try something; the others are ways back, or have no users yet."""


def override_for(world: World, version: str) -> BudgetOverride | None:
    """Find a person's word that a version may go out whatever is left of the error budget."""
    override = world.agent.spec.budget_override
    return override if override is not None and override.version == version else None


def budget_burns(world: World, version: str) -> str | None:
    """Say which budgets are used up too fast for a version's rollout, and what can be done."""
    burning = [told for _, _, told in changes(world) if burns(told)]
    if not burning or override_for(world, version) is not None:
        return None
    advice = "the rollout goes on by itself once that is over; promote it in full if it is the cure"
    return f"{_messages(burning)}; {advice}"


def budget_freezes(world: World, version: str) -> str | None:
    """Say which budgets have too little left for a rollout to begin, and what can be done."""
    frozen = [(pledge, told) for pledge, _, told in changes(world) if _is_frozen(told)]
    if not frozen or override_for(world, version) is not None:
        return None
    told = "; ".join(_too_little(pledge, told) for pledge, told in frozen)
    return f"{version} waits: {told}; spec.budgetOverride can let this version go out all the same"


def _too_little(pledge: Pledge, told: ObjectiveStatus) -> str:
    left = f"{told.remaining} of the error budget" if told.remaining else "too little"
    of = f"{pledge.objective.target} in {pledge.objective.window}"
    return f"{told.name} has {left} left ({of}), freezeBelow is {pledge.budget.freeze_below}"


def _is_frozen(told: ObjectiveStatus) -> bool:
    return told.new_rollouts is NewRollouts.FROZEN


def budget_claims(world: World) -> Iterator[Claim]:
    """Claim that the error budgets last, where there are objectives."""
    every = [(pledge, told) for pledge, _, told in changes(world)]
    burning = [told for _, told in every if burns(told)]
    frozen = [_too_little(*one) for one in every if _is_frozen(one[1])]
    unread = [(pledge, told) for pledge, told in every if told.state is BudgetState.UNKNOWN]
    if burning:
        yield Claim("ErrorBudget", FALSE, Reason.ERROR_BUDGET_BURNING, _messages(burning))
    elif frozen:
        yield Claim("ErrorBudget", FALSE, Reason.ERROR_BUDGET_EXHAUSTED, "; ".join(frozen))
    elif unread:
        pledge, _ = unread[0]
        lacking = lacking_of(pledge, spending_of(world, pledge), BudgetState.UNKNOWN)
        reason = Reason.PENDING if lacking is None else lacking.reason
        yield Claim("ErrorBudget", UNKNOWN, reason, _messages(told for _, told in unread))
    elif every:
        message = _messages(told for _, told in every)
        yield Claim("ErrorBudget", TRUE, Reason.WITHIN_ERROR_BUDGET, message)


def _messages(told: Iterable[ObjectiveStatus]) -> str:
    return "; ".join(one.message for one in told)


def announce_budgets(world: World) -> Iterator[Announcement]:
    """Announce that a budget begins to be used up too fast or has too little left, and the end."""
    agent = Target("Agent", world.namespace, world.name)
    for pledge, before, after in changes(world):
        burned, froze = before is not None and burns(before), before and _is_frozen(before)
        key = f"budget-{after.name}-{after.told_at:%Y%m%d%H%M%S}"
        if burns(after) and not burned:
            reason = Reason.ERROR_BUDGET_BURNING.value
            yield Announcement(key, agent, reason, after.message, warning=True)
        if _is_frozen(after) and not froze:
            reason, message = Reason.ERROR_BUDGET_EXHAUSTED.value, _too_little(pledge, after)
            yield Announcement(key, agent, reason, message, warning=True)
        if (burned or froze) and not (burns(after) or _is_frozen(after)):
            yield Announcement(key, agent, Reason.WITHIN_ERROR_BUDGET.value, after.message)
