"""Why an agent is where it is, in one sentence, and what a person may do about it."""

from __future__ import annotations

from dataclasses import dataclass

from turnout.api.agent import Agent, AgentPhase
from turnout.api.base import Condition, ConditionStatus
from turnout.api.rollout import AgentRollout, RolloutPhase
from turnout.cli.agents import Record
from turnout.core.bake import BAKE
from turnout.core.reasons import Reason

FIRST = ("Accepted", "ResolvedRefs", "Forbidden", "Available", "Programmed")
"""Conditions that explain more than any rollout does, the most telling first."""


@dataclass(frozen=True, slots=True)
class Why:
    """The reason of a state.

    Attributes:
        reason: One CamelCase word, as in the conditions.
        message: The same in a sentence.
    """

    reason: str
    message: str


def why(record: Record) -> Why:
    """Say why an agent is where it is."""
    wrong = _wrong(record.agent)
    if wrong is not None:
        return Why(wrong.reason, wrong.message)
    rollout = _telling(record)
    if rollout is not None:
        return Why(rollout.status.reason or "Pending", _told(rollout))
    return _at_rest(record)


def _wrong(agent: Agent) -> Condition | None:
    conditions = {one.type: one for one in agent.status.conditions}
    for name in FIRST:
        found = conditions.get(name)
        bad = ConditionStatus.TRUE if name == "Forbidden" else ConditionStatus.FALSE
        if found is not None and found.status is bad and found.reason != "Suspended":
            return found
    return None


def _telling(record: Record) -> AgentRollout | None:
    """Find the rollout that explains the state: the running one, or one that ended badly."""
    newest = record.newest
    if newest is None or record.running is not None:
        return newest
    if is_drifting(record):
        return None
    taken_back = record.agent.status.phase in {AgentPhase.ROLLED_BACK, AgentPhase.DEGRADED}
    return newest if taken_back and newest.status.phase is not RolloutPhase.PROMOTED else None


def _told(rollout: AgentRollout) -> str:
    gate = rollout.status.gate.summary if rollout.status.gate else None
    said = rollout.status.message or ""
    running = rollout.status.finished_at is None
    return f"{said} ({gate})" if running and gate and gate not in said else said


def _at_rest(record: Record) -> Why:
    conditions = {one.type: one for one in record.agent.status.conditions}
    found = conditions.get("Progressing")
    if found is not None and found.message:
        return Why(found.reason, found.message)
    if not conditions:
        return Why("Pending", "the operator has not looked at it yet; is it running?")
    return Why(found.reason if found else "AtRest", "what is asked for is what runs")


def is_drifting(record: Record) -> bool:
    """Claim that the agent is where it is for its stable version does worse without a change."""
    conditions = {one.type: one for one in record.agent.status.conditions}
    found = conditions.get("Progressing")
    told = found is not None and found.reason == Reason.DEGRADED
    return told and record.running is None


def frozen_switch(agent: Agent) -> str | None:
    """Say what waits until a person acknowledges switches that nobody asked for."""
    conditions = {one.type: one for one in agent.status.conditions}
    found = conditions.get("Progressing")
    return found.message if found is not None and found.reason == Reason.FLAPPING else None


def awaits_acknowledgement(record: Record) -> str | None:
    """Say what waits for it: a frozen switch, or content that another version stands in for."""
    if not is_drifting(record) or record.agent.status.phase is not AgentPhase.HELD:
        return frozen_switch(record.agent)
    conditions = {one.type: one for one in record.agent.status.conditions}
    return conditions["Progressing"].message


def next_steps(record: Record) -> str | None:
    """Name the command that a person may want now."""
    name = record.name
    if record.running is not None:
        return _next_of(record.running, name)
    if awaits_acknowledgement(record) is not None:
        return f"turnout acknowledge {name}"
    if is_drifting(record):
        return f"a version that served before: turnout undo {name}; other content: its own rollout"
    if record.agent.status.phase is AgentPhase.ROLLED_BACK:
        return f"other content is a new version; the same one again: turnout retry {name}"
    return None


def _next_of(running: AgentRollout, name: str) -> str | None:
    status = running.status
    if running.spec.pause is not None:
        return f"turnout resume {name}"
    if status.reason == Reason.AWAITING_APPROVAL:
        return f"turnout approve {name}   or   turnout abort {name}"
    if status.phase in {RolloutPhase.PAUSED, RolloutPhase.HELD} and not _ends(running):
        how = " --full" if _past_steps(running) else ""
        return f"turnout promote {name}{how}   or   turnout abort {name}"
    return None


def _past_steps(rollout: AgentRollout) -> bool:
    """Claim that every step is taken: a person can only let it out in full."""
    step = rollout.status.step
    return step is not None and step.index > len(rollout.spec.strategy.steps)


def _ends(rollout: AgentRollout) -> bool:
    """Claim that the step ends by itself; a bake that is held may not."""
    step = rollout.status.step
    return step is not None and step.ends_at is not None and step.name != BAKE
