"""`turnout why`: the account of one decision, with all that it was made on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from turnout.adapters.access import Access
from turnout.adapters.person import sign_in
from turnout.api.rollout import AgentRollout, RolloutPhase, TimelineEntry
from turnout.cli.agents import Record, read_record
from turnout.cli.budget import budget_document, budget_lines, costs
from turnout.cli.exits import Exit
from turnout.cli.options import Form
from turnout.cli.past import Line, line_of
from turnout.cli.screen import Marks, marks_of, safe, tell
from turnout.cli.times import clock, span
from turnout.cli.verdict import gate_lines
from turnout.cli.why import Why, is_drifting, next_steps, why
from turnout.core.phase import has_ended
from turnout.core.rules import RULES
from turnout.errors import NotFound

ENDS: Final = {
    RolloutPhase.PROMOTED: "was promoted",
    RolloutPhase.ROLLED_BACK: "was rolled back",
    RolloutPhase.ABORTED: "was aborted",
    RolloutPhase.SUPERSEDED: "was superseded",
    RolloutPhase.EXPIRED: "never became ready",
}
LATEST: Final = 12
"""Lines of what happened."""

_SAYS: Final = {rule.__name__: (rule.__doc__ or "").split("\n")[0] for rule in RULES}
"""What each rule of a running rollout stands for, in its own words."""


@dataclass(frozen=True, slots=True)
class Account:
    """Why an agent, or one of its rollouts, is where it is.

    Attributes:
        rollout: The rollout that explains it; None where none does.
        present: Whether it is about the present, and not about a rollout of the past.
    """

    record: Record
    rollout: AgentRollout | None
    reason: Why
    present: bool

    @property
    def decided(self) -> TimelineEntry | None:
        """The decision that made it so."""
        timeline = self.rollout.status.timeline if self.rollout is not None else ()
        return timeline[-1] if timeline else None


async def account(access: Access, agent: str, rollout: str | None, form: Form) -> Exit:
    """Tell why an agent is where it is, or why one of its rollouts ended as it did."""
    async with sign_in(access) as cluster:
        told = account_of(await read_record(cluster, agent), rollout)
    now = datetime.now(UTC)
    lines = account_lines(told, now, marks_of(sys.stdout))
    tell(form, "Why", account_document(told, now), lines)
    return Exit.DONE


def account_of(record: Record, word: str | None) -> Account:
    """Choose what explains the present, or the rollout that was named.

    Raises:
        NotFound: There is no such rollout.
    """
    if word is None:
        rollout = record.newest if _explains(record) else None
        return Account(record, rollout, why(record), present=True)
    for one in record.rollouts:
        if word in {one.metadata.name, f"r{one.spec.number}", str(one.spec.number)}:
            status = one.status
            reason = Why(status.reason or status.phase.value, status.message or "")
            return Account(record, one, reason, present=one is record.newest)
    kept = ", ".join(f"r{one.spec.number}" for one in record.rollouts) or "none"
    raise NotFound(f"agent {record.name} has no rollout {word}; it has {kept}")


def _explains(record: Record) -> bool:
    """Claim that the newest rollout is why the agent is where it is: what it waits for is not."""
    told = record.agent.status.rollout
    return (told is None or told.queue is None) and not is_drifting(record)


def account_lines(told: Account, now: datetime, marks: Marks) -> Iterator[Text]:
    """Write the account for people."""
    rollout, reason = told.rollout, told.reason
    yield Text(_head(told, now), "bold")
    said = f"{reason.reason}: {safe(reason.message)}" if reason.message else reason.reason
    yield _row("CAUSE", said)
    if rollout is not None:
        if told.decided is not None and told.decided.rule in _SAYS:
            yield _row("RULE", f"{told.decided.rule}: {_SAYS[told.decided.rule]}")
        yield from gate_lines(rollout, now, marks)
        for cost in costs(rollout):
            yield _row("COST", cost)
    if told.present:
        yield from budget_lines(told.record.agent, now)
    if rollout is not None:
        yield from _changed(told, line_of(told.record, rollout, now))
        for entry in rollout.status.timeline[-LATEST:]:
            yield _row("SEEN", f"{clock(entry.at, now)}  {safe(entry.message or entry.reason)}")
    following = next_steps(told.record) if told.present else None
    if following is not None:
        yield _row("NEXT", following)
    yield _row("RECORD", _record(told))


def _row(head: str, said: str) -> Text:
    return Text.assemble((f"{head:<9}", "bold"), said)


def _head(told: Account, now: datetime) -> str:
    """Say in a sentence what became of which version, and who has the traffic."""
    record, rollout = told.record, told.rollout
    stable = f"all traffic is on {record.stable}" if record.stable else "nothing is stable yet"
    if rollout is None or not has_ended(rollout.status.phase):
        tried = f", {record.candidate} is tried" if record.candidate else ""
        there = f"{record.stable} is stable" if record.stable else "nothing is stable yet"
        return f"{record.name} is {record.agent.status.phase.value}: {there}{tried}."
    finished, first = rollout.status.finished_at, rollout.status.weights
    when = f" at {clock(finished, now)}" if finished is not None else ""
    began = first.first_at if first is not None else None
    after = f", {span(finished - began)} after its first traffic" if finished and began else ""
    return f"{rollout.spec.to.version} {ENDS[rollout.status.phase]}{when}{after}; {stable}."


def _changed(told: Account, line: Line) -> Iterator[Text]:
    spec = line.rollout.spec
    if line.planes:
        words = [spec.from_.version, spec.to.version] if spec.from_ is not None else []
        diff = f"   turnout diff {told.record.name} {' '.join(words)}" if words else ""
        yield _row("CHANGED", f"{', '.join(line.planes)}{diff}")
    for said in (line.change, f"{line.by}: {line.why}" if line.why else line.by):
        if said:
            yield _row("", safe(said))


def _record(told: Account) -> str:
    record, rollout = told.record, told.rollout
    namespace = record.agent.metadata.namespace
    kind, name = ("agents", record.name)
    if rollout is not None:
        kind, name = "agentrollouts", rollout.metadata.name
    return f"kubectl -n {namespace} get {kind}.turnout.dev {name} -o yaml"


def account_document(told: Account, now: datetime) -> dict[str, Any]:
    """Write the account for programs."""
    record, rollout, decided = told.record, told.rollout, told.decided
    return {
        "agent": record.name,
        "namespace": record.agent.metadata.namespace,
        "phase": record.agent.status.phase.value,
        "reason": told.reason.reason,
        "message": told.reason.message,
        "rule": decided.rule if decided is not None else None,
        "ruleSays": _SAYS.get(decided.rule) if decided is not None else None,
        "next": next_steps(record) if told.present else None,
        "objectives": budget_document(record.agent) if told.present else [],
        "rollout": _rollout_document(told, rollout, now) if rollout is not None else None,
    }


def _rollout_document(told: Account, rollout: AgentRollout, now: datetime) -> dict[str, Any]:
    line = line_of(told.record, rollout, now)
    cause = rollout.spec.cause.to_wire() if rollout.spec.cause is not None else {}
    return {
        "name": rollout.metadata.name,
        "from": rollout.spec.from_.version if rollout.spec.from_ else None,
        "to": rollout.spec.to.version,
        "changed": list(line.planes),
        "cause": cause,
        "by": line.by,
        "reason": line.why,
        **rollout.status.to_wire(),
    }
