"""Status of the objects that Agents share: who uses them, and how far their content came.

An edit of a Prompt does not raise any Agent's generation, so whoever waits for the edit waits
here: ``RolledOut`` is Unknown until every Agent that uses the object has promoted its present
content or taken it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from turnout.api.agent import Agent
from turnout.api.base import Condition
from turnout.api.use import Use, User, UseState
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim, fold_conditions
from turnout.core.content import Shared
from turnout.core.reasons import Reason
from turnout.core.world import Unread

Users: TypeAlias = Mapping[str, Agent | Unread]
"""The Agents that refer to an object, by name; one that cannot be read is not passed over."""

MOST_USES: Final = 256
"""So many are listed in a status; all of them are judged."""


def uses_of(source: Shared, digest: str | None, users: Users) -> tuple[Use, ...]:
    """Tell how far an object's present content came in each Agent that refers to it."""
    return tuple(
        Use(agent=name) if isinstance(agent, Unread) else _use(source, digest, agent)
        for name, agent in users.items()
    )


def listed(uses: Sequence[User]) -> dict[str, Any]:
    """List as many uses as a status has room for, and how many it has not."""
    return {"used_by": tuple(uses[:MOST_USES]), "truncated": max(0, len(uses) - MOST_USES) or None}


def _use(source: Shared, digest: str | None, agent: Agent) -> Use:
    """Tell how far an object's present content came in one Agent, from the Agent's own status."""
    status = agent.status
    read = any(
        (one.kind, one.name, one.digest) == (source.kind, source.metadata.name, digest)
        for one in status.sources
    )
    desired, stable = status.desired, status.stable
    if not read or desired is None:
        return Use(agent=agent.metadata.name, state=UseState.PENDING)
    if stable is not None and stable.digest == desired.digest:
        state = UseState.PROMOTED
    elif desired.rejected:
        state = UseState.REJECTED
    elif status.rollout is not None and status.rollout.queue is not None:
        state = UseState.QUEUED
    else:
        state = UseState.IN_PROGRESS
    return Use(agent=agent.metadata.name, version=desired.version, state=state)


def standing(problem: str | None, uses: Sequence[Use], remark: str = "") -> Iterator[Claim]:
    """Claim Accepted, RolledOut and what follows them; what cannot be used does not go out."""
    if problem is None:
        yield Claim("Accepted", TRUE, Reason.VALID, remark)
        yield from followed(rolled_out(uses))
    else:
        yield Claim("Accepted", FALSE, Reason.INVALID_SPEC, problem)
        yield from followed(Claim("RolledOut", FALSE, Reason.INVALID_SPEC, problem))


def followed(outcome: Claim) -> Iterator[Claim]:
    """Claim RolledOut and what follows it: Ready, and Reconciling or Stalled while they apply."""
    said = (outcome.reason, outcome.message)
    yield outcome
    yield Claim("Ready", outcome.status, *said)
    if outcome.status is UNKNOWN:
        yield Claim("Reconciling", TRUE, *said)
    if outcome.status is FALSE:
        yield Claim("Stalled", TRUE, *said)


def rolled_out(uses: Sequence[Use]) -> Claim:
    """Claim how far an object's present content came over all that use it."""
    if not uses:
        return Claim("RolledOut", TRUE, Reason.NOT_USED, "no Agent refers to it")
    rejected = [use.agent for use in uses if use.state is UseState.REJECTED]
    if rejected:
        message = f"taken back in {', '.join(rejected[:8])}"
        return Claim("RolledOut", FALSE, Reason.ROLLED_BACK, message)
    waiting = [use.agent for use in uses if use.state is not UseState.PROMOTED]
    if {use.state for use in uses} - {UseState.PROMOTED} == {UseState.QUEUED}:
        message = f"waits for its turn in {', '.join(waiting[:8])}"
        return Claim("RolledOut", UNKNOWN, Reason.QUEUED, message)
    if waiting:
        message = f"on its way in {', '.join(waiting[:8])}"
        return Claim("RolledOut", UNKNOWN, Reason.IN_PROGRESS, message)
    return Claim("RolledOut", TRUE, Reason.ALL_PROMOTED, f"stable in {len(uses)} agents")


def accepted(before: Iterable[Condition], generation: int, now: datetime) -> tuple[Condition, ...]:
    """Report an object that is valid as the API server stored it."""
    claims = (Claim("Accepted", TRUE, Reason.VALID), Claim("Ready", TRUE, Reason.VALID))
    return fold_conditions(before, claims, generation, now)
