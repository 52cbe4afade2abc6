"""An agent's rollouts, one after another: what came of each, why, and who had a hand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rich.text import Text

from turnout.api.rollout import AgentRollout, RolloutPhase, Trigger
from turnout.cli.agents import Record
from turnout.cli.rows import aligned
from turnout.cli.screen import Marks, safe
from turnout.cli.sight import changed_planes, short
from turnout.cli.times import clock, span
from turnout.core.phase import has_ended

_HEADS: Final = ("", "WHEN", "FROM", "", "TO", "CHANGED", "VERDICT", "TOOK", "BY")
_INDENT: Final = "     "
_STYLES: Final = {
    RolloutPhase.PROMOTED: "green",
    RolloutPhase.ROLLED_BACK: "red",
    RolloutPhase.ABORTED: "red",
    RolloutPhase.EXPIRED: "red",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One rollout of the past, or the one that runs.

    Attributes:
        planes: What its version changed; empty where one of the two is no longer known.
        cause: Why it ended as it did, in a sentence.
        change: What wrote the change, and why, as it stood on what was written.
        by: Who had a hand in it; empty where nobody had.
        why: What they gave as a reason.
        took: From its begin to its end, or until now.
    """

    rollout: AgentRollout
    planes: tuple[str, ...]
    cause: str
    change: str
    by: str
    why: str
    took: timedelta


def past(record: Record, now: datetime) -> list[Line]:
    """Tell an agent's rollouts, newest first."""
    return [line_of(record, one, now) for one in reversed(record.rollouts)]


def line_of(record: Record, rollout: AgentRollout, now: datetime) -> Line:
    """Tell one rollout."""
    spec, status = rollout.spec, rollout.status
    before = spec.from_.version if spec.from_ else None
    people = list(_people(rollout))
    began = status.started_at or rollout.metadata.creation_timestamp or now
    return Line(
        rollout=rollout,
        planes=_planes(rollout) or tuple(changed_planes(record, before, spec.to.version)),
        cause=status.message or status.reason or "",
        change=_change(rollout),
        by=", ".join(dict.fromkeys(by for by, _ in people)),
        why="; ".join(why for _, why in people if why),
        took=(status.finished_at or now) - began,
    )


def _planes(rollout: AgentRollout) -> tuple[str, ...]:
    """Name the planes that changed, as the rollout says itself."""
    cause = rollout.spec.cause
    return tuple(one.value.lower() for one in cause.planes) if cause is not None else ()


def _change(rollout: AgentRollout) -> str:
    """Say which program wrote the change, and what was given as its cause."""
    cause = rollout.spec.cause
    if cause is None:
        return ""
    by = f"changed by {cause.changed_by.manager}" if cause.changed_by is not None else "changed"
    if cause.change_cause:
        return f'{by}: "{cause.change_cause}"'
    return by if cause.changed_by is not None else ""


def _people(rollout: AgentRollout) -> Iterator[tuple[str, str]]:
    """Give who asked for something, and why."""
    spec = rollout.spec
    for wish in (
        spec.abort,
        spec.promote,
        *spec.approvals,
        spec.pause,
        spec.retry,
        spec.acknowledge,
    ):
        if wish is not None:
            yield wish.by, wish.reason or ""


def past_lines(record: Record, now: datetime, marks: Marks) -> Iterator[Text]:
    """Write the rollouts for people."""
    lines = past(record, now)
    if not lines:
        yield Text(f"{record.name} has had no rollout")
        return
    heads, *rows = aligned([_HEADS, *(_cells(record, one, now, marks) for one in lines)], "  ")
    yield Text(heads, "bold")
    for line, row in zip(lines, rows, strict=True):
        yield Text(row, _STYLES.get(line.rollout.status.phase, ""))
        for said in (line.change, line.cause, f'"{line.why}"' if line.why else ""):
            if said:
                yield Text(_INDENT + safe(said), "dim")


def _cells(record: Record, line: Line, now: datetime, marks: Marks) -> tuple[str, ...]:
    spec, name = line.rollout.spec, record.name
    started = line.rollout.status.started_at
    return (
        f"r{spec.number}".ljust(len(_INDENT) - 2),
        clock(started, now) if started else "-",
        short(spec.from_.version, name) if spec.from_ else "-",
        marks.to,
        short(spec.to.version, name),
        _changed(line),
        f"{_mark(line.rollout.status.phase, marks)} {line.rollout.status.phase.value}",
        span(line.took),
        safe(line.by) or "-",
    )


def _changed(line: Line) -> str:
    """Say what changed, and how it began where that was no change of content."""
    trigger = line.rollout.spec.trigger
    how = [] if trigger is Trigger.CONTENT_CHANGED else [trigger.value]
    return ", ".join([*how, *line.planes]) or "?"


def _mark(phase: RolloutPhase, marks: Marks) -> str:
    if phase is RolloutPhase.PROMOTED:
        return marks.done
    if phase in _STYLES:
        return marks.bad
    return marks.empty if has_ended(phase) else marks.now


def past_document(record: Record, now: datetime) -> dict[str, Any]:
    """Write the rollouts for programs."""
    return {
        "agent": record.name,
        "namespace": record.agent.metadata.namespace,
        "rollouts": [_line_document(one) for one in past(record, now)],
    }


def _line_document(line: Line) -> dict[str, Any]:
    spec, status = line.rollout.spec, line.rollout.status
    return {
        "name": line.rollout.metadata.name,
        "number": spec.number,
        "trigger": spec.trigger.value,
        "startedAt": status.started_at.isoformat() if status.started_at else None,
        "finishedAt": status.finished_at.isoformat() if status.finished_at else None,
        "seconds": round(line.took.total_seconds(), 1),
        "from": spec.from_.version if spec.from_ else None,
        "to": spec.to.version,
        "changed": list(line.planes),
        "changeCause": spec.cause.change_cause if spec.cause else None,
        "changedBy": spec.cause.changed_by.manager
        if spec.cause and spec.cause.changed_by
        else None,
        "phase": status.phase.value,
        "cause": line.cause,
        "by": line.by,
        "reason": line.why,
    }
