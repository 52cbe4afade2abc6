"""`turnout wait`: until a change is out, or will not be; for CI."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from turnout.adapters.access import Access
from turnout.adapters.person import PersonCluster, sign_in
from turnout.adapters.references import content_refs
from turnout.api.agent import Agent
from turnout.api.base import Duration, seconds
from turnout.api.rollout import RolloutPhase
from turnout.cli.agents import Record, read_record
from turnout.cli.exits import Exit
from turnout.cli.options import Form, Goal
from turnout.cli.screen import emit, safe, say
from turnout.cli.why import why
from turnout.errors import Invalid, NotFound, Transient

EVERY: Final = 1.0
"""Seconds between two looks."""

_DURATION: Final[TypeAdapter[str]] = TypeAdapter(Duration)
_WAITS: Final = {RolloutPhase.HELD, RolloutPhase.PAUSED}
_REFUSED: Final = {RolloutPhase.ROLLED_BACK, RolloutPhase.ABORTED, RolloutPhase.EXPIRED}


@dataclass(frozen=True, slots=True)
class Patience:
    """What is waited for, and for how long.

    Attributes:
        version: The version, in a person's words; what the content makes now where None.
        timeout: Longest wait, as 1h30m.
    """

    goal: Goal
    version: str | None
    timeout: str

    @property
    def seconds(self) -> float:
        """Longest wait in seconds.

        Raises:
            Invalid: It is no length of time.
        """
        try:
            return seconds(_DURATION.validate_python(self.timeout))
        except ValidationError:
            said = f"{safe(self.timeout)} is no length of time as 1h30m"
            raise Invalid("BadTimeout", said) from None


@dataclass(frozen=True, slots=True)
class End:
    """How a wait ended.

    Attributes:
        outcome: promoted, refused, held or timeout.
    """

    exit: Exit
    outcome: str
    version: str | None
    message: str


async def wait(access: Access, agent: str, patience: Patience, form: Form) -> Exit:
    """Wait, telling on the way what changes."""
    limit = asyncio.get_running_loop().time() + patience.seconds
    async with sign_in(access) as cluster:
        end = await _await_end(cluster, agent, patience, limit)
    if form is Form.TEXT:
        say(f"{end.outcome}: {end.message}" if end.message else end.outcome)
    else:
        shown = {"agent": agent, "version": end.version, "outcome": end.outcome}
        emit(form, "Wait", {**shown, "message": end.message})
    return end.exit


async def _await_end(cluster: PersonCluster, agent: str, patience: Patience, limit: float) -> End:
    told, late = "", End(Exit.TIMED_OUT, "timeout", None, "nothing could be read of it")
    while True:
        try:
            record = await read_record(cluster, agent)
            fresh = patience.version is not None or await _is_fresh(cluster, record.agent)
        except Transient as error:
            said = str(error)
        else:
            end = end_of(record, patience) if fresh else None
            if end is not None:
                return end
            late, said = late_end(record), _present(record)
        if said != told:
            told = said
            say(safe(said))
        if asyncio.get_running_loop().time() >= limit:
            return late
        await asyncio.sleep(EVERY)


async def _is_fresh(cluster: PersonCluster, agent: Agent) -> bool:
    """Tell whether the operator has seen every edit so far, of the agent and of what it names."""
    if agent.status.observed_generation < agent.metadata.generation:
        return False
    if agent.spec.pinned_version is not None:
        return True
    known = {(one.kind, one.name): one for one in agent.status.sources}
    for ref in content_refs(agent):
        try:
            found = await cluster.get(ref)
        except NotFound:
            return False
        source = known.get((ref.kind.kind, ref.name))
        digest = (found.get("status") or {}).get("digest")
        if source is None or source.generation < found["metadata"]["generation"]:
            return False
        if digest is not None and digest != source.digest:
            return False
    return True


def end_of(record: Record, patience: Patience) -> End | None:
    """Say how a wait ends with what is now; None where it goes on."""
    version = _awaited(record, patience.version)
    if version is None:
        return None
    if version == record.stable:
        return End(Exit.DONE, "promoted", version, f"{version} is stable")
    refusal = _refusal(record, version, named=patience.version is not None)
    if refusal is None:
        return None
    settled = patience.goal is Goal.SETTLED
    return End(Exit.DONE if settled else Exit.ROLLED_BACK, "refused", version, refusal)


def _awaited(record: Record, word: str | None) -> str | None:
    """Find the version that is waited for; None where it is not made yet."""
    try:
        return record.desired if word is None else record.version(word)
    except NotFound:
        return None


def _refusal(record: Record, version: str, *, named: bool) -> str | None:
    """Say why a version will not be promoted; None where it still may be.

    One that was superseded will not, if it is the very one that is waited for.
    """
    desired = record.agent.status.desired
    attempts = [one for one in record.rollouts if one.spec.to.version == version]
    last = attempts[-1] if attempts else None
    if last is None:
        refused = desired is not None and desired.version == version and desired.rejected
        return why(record).message if refused else None
    over = _REFUSED | {RolloutPhase.SUPERSEDED} if named else _REFUSED
    if last.status.phase not in over or last.spec.retry is not None:
        return None
    return last.status.message or last.status.phase.value


def late_end(record: Record) -> End:
    """Say how a wait ends that took too long: held, where a rollout waits for something."""
    running = record.running
    held = running is not None and running.status.phase in _WAITS
    code, outcome = (Exit.HELD, "held") if held else (Exit.TIMED_OUT, "timeout")
    return End(code, outcome, record.desired, _present(record))


def _present(record: Record) -> str:
    reason = why(record)
    return f"{record.agent.status.phase.value}: {reason.message or reason.reason}"
