"""All agents, the worst first; those that are well are a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from turnout.api.agent import Agent, AgentPhase
from turnout.api.base import ConditionStatus
from turnout.cli.screen import Marks, safe
from turnout.cli.sight import STYLES, phase_mark, short
from turnout.cli.times import since

WORST_FIRST: Final = (
    AgentPhase.DEGRADED,
    AgentPhase.ROLLED_BACK,
    AgentPhase.HELD,
    AgentPhase.PAUSED,
    AgentPhase.PROGRESSING,
    AgentPhase.QUEUED,
    AgentPhase.PENDING,
    AgentPhase.SUSPENDED,
    AgentPhase.HEALTHY,
)
"""How much each phase wants to be looked at; one that is new comes before all."""


def fleet_table(
    agents: Sequence[Agent], now: datetime, marks: Marks, namespace: str | None, *, every: bool
) -> RenderableType:
    """Write the table.

    Args:
        agents: All agents.
        now: The present.
        marks: Signs to use.
        namespace: The namespace that was asked for; None for all.
        every: Healthy agents by name too.
    """
    if not agents:
        return Text(f"no agents in {f'namespace {namespace}' if namespace else 'any namespace'}")
    shown = [one for one in _sorted(agents) if every or one.status.phase is not AgentPhase.HEALTHY]
    parts: list[RenderableType] = (
        [_table(shown, now, marks, wide=namespace is None)] if shown else []
    )
    well = len(agents) - len(shown)
    if well:
        parts.append(Text(f"{marks.done} {well} healthy{' besides' if shown else ''}", "green"))
    return Group(*parts)


def _sorted(agents: Sequence[Agent]) -> list[Agent]:
    return sorted(
        agents,
        key=lambda one: (_rank(one.status.phase), one.metadata.namespace, one.metadata.name),
    )


def _rank(phase: AgentPhase) -> int:
    return {one: rank for rank, one in enumerate(WORST_FIRST)}.get(phase, -1)


def _table(agents: Sequence[Agent], now: datetime, marks: Marks, *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    heads = ("AGENT", "PHASE", "STABLE", "CANDIDATE", "STEP", "WEIGHT")
    for head in (*(("NAMESPACE",) if wide else ()), *heads):
        table.add_column(head, no_wrap=True)
    table.add_column("WHY", overflow="fold", ratio=1)
    table.add_column("AGE", no_wrap=True)
    for agent in agents:
        cells = _cells(agent, now, marks)
        table.add_row(*((agent.metadata.namespace, *cells) if wide else cells))
    return table


def _cells(agent: Agent, now: datetime, marks: Marks) -> tuple[RenderableType, ...]:
    status = agent.status
    candidate, stable, rollout = status.candidate, status.stable, status.rollout
    name = agent.metadata.name
    return (
        name,
        Text(
            f"{phase_mark(status.phase, marks)} {status.phase.value}", STYLES.get(status.phase, "")
        ),
        short(stable.version, name) if stable else "-",
        short(candidate.version, name) if candidate else "-",
        (rollout.progress if rollout and candidate else None) or "-",
        f"{candidate.weight} %" if candidate else "-",
        safe(reason_of(agent)),
        since(agent.metadata.creation_timestamp, now),
    )


def reason_of(agent: Agent) -> str:
    """Say in a cell why an agent is where it is."""
    if agent.status.summary:
        return agent.status.summary
    return next(_messages(agent), "")


def _messages(agent: Agent) -> Iterator[str]:
    """Give the messages of the conditions that tell most, the first first."""
    conditions = {one.type: one for one in agent.status.conditions}
    for name in ("Accepted", "ResolvedRefs", "Available", "Programmed"):
        found = conditions.get(name)
        if found is not None and found.status is ConditionStatus.FALSE:
            yield f"{found.reason}: {found.message}" if found.message else found.reason
    for name in ("Stalled", "Reconciling", "Progressing"):
        if name in conditions and conditions[name].message:
            yield conditions[name].message


def fleet_document(agents: Sequence[Agent]) -> dict[str, Any]:
    """Write the fleet for programs."""
    return {
        "agents": [
            {
                "namespace": one.metadata.namespace,
                "name": one.metadata.name,
                "phase": one.status.phase.value,
                "reason": reason_of(one),
                "stable": one.status.stable.version if one.status.stable else None,
                "candidate": one.status.candidate.version if one.status.candidate else None,
                "weight": one.status.candidate.weight if one.status.candidate else None,
            }
            for one in _sorted(agents)
        ]
    }
