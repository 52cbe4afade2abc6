"""What is told of a stable version under watch: whether it does as recorded, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from turnout.api.drift import Attribution, DriftMetric, DriftState, DriftStatus
from turnout.api.tools import ToolRegistry
from turnout.api.tools_status import DriftChange
from turnout.core.baselines import is_watched, plan_of
from turnout.core.clues import MOST_TOLD, NO_CLUES, Clues, model_in_words, tools_in_words
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.gates import percent
from turnout.core.objectives import burns, objectives_of
from turnout.core.patch import revised
from turnout.core.plan import Announcement, Target
from turnout.core.reasons import Reason
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.words import money
from turnout.core.stable import stable_of
from turnout.core.watching import (
    ENOUGH,
    LEARNED_LOOKS,
    LEARNED_REQUESTS,
    MISSED,
    NEW,
    NO_PEERS,
    Peers,
    Plan,
    Sighting,
    Subject,
    Watching,
    begin,
)
from turnout.core.world import World

_LACKING: Final = {
    Reason.PENDING: "nothing was read yet",
    Reason.TOO_FEW_REQUESTS: "too few requests in the last hour",
    Reason.LEARNING: (
        "how it does is being learned, from "
        f"{LEARNED_REQUESTS:.0f} requests in at least {LEARNED_LOOKS} minutes, of a cost an hour"
    ),
}


@dataclass(frozen=True)
class Around:
    """What else tells of a version's trouble.

    Attributes:
        peers: Others whose model the same provider serves.
        tools: Which tools changed, in words; empty where none did.
        objectives: Objectives whose error budget is used up too fast, with what is told of them.
        clues: What its calls tell.
    """

    peers: Peers = NO_PEERS
    tools: str = ""
    objectives: tuple[tuple[str, str], ...] = ()
    clues: Clues = NO_CLUES


def around(world: World) -> Around:
    """Tell what else is known of an Agent's trouble."""
    burning = tuple((one.name, one.message) for one in objectives_of(world) if burns(one))
    return Around(world.peers, _changed_tools(world), burning, world.clues)


def _changed_tools(world: World) -> str:
    registry = world.sources.registry
    if not isinstance(registry, ToolRegistry):
        return ""
    changes = (one for one in registry.status.drift if one.change is not DriftChange.NEW)
    return ", ".join(f"{one.tool} ({one.change.value})" for one in changes)


def drift_of(world: World) -> DriftStatus | None:
    """Tell how stable does; the very same as before where nothing is new."""
    if not is_watched(world):
        return None
    before, stable, plan = world.agent.status.drift, stable_of(world), plan_of(world)
    if before is not None and (stable is None or before.version != stable.version):
        before = None
    if plan is None:
        return before
    return stance(plan, world.watching, around(world), before, world.now)


def stance(
    plan: Plan,
    watching: Watching | None,
    beside: Around,
    before: DriftStatus | None,
    now: datetime,
) -> DriftStatus:
    """Tell how stable does; the very same as before where nothing is new.

    Args:
        plan: What is watched.
        watching: What was seen so far; None where nothing was.
        beside: What else is known.
        before: What was told of it before.
        now: When this is told.
    """
    seen = (watching or begin(plan)).metrics
    known = {one.name: one for one in before.metrics} if before is not None else {}
    metrics = tuple(
        _metric(one, seen.get(one.name, NEW), known.get(one.name)) for one in plan.subjects
    )
    objectives = tuple(name for name, _ in beside.objectives)
    state = _state(metrics, objectives)
    told = DriftStatus(
        state=state,
        version=plan.stable.version,
        since=before.since if before is not None and before.state is state else now,
        metrics=metrics,
        objectives=objectives,
    )
    if state is DriftState.DEGRADED:
        told = _attributed(told, beside, before)
    if before is not None and revised(told, message=before.message) == before:
        return before
    return revised(told, message=_message(told, plan, seen, beside))


def _state(metrics: tuple[DriftMetric, ...], objectives: tuple[str, ...]) -> DriftState:
    states = {one.state for one in metrics}
    if DriftState.DEGRADED in states or objectives:
        return DriftState.DEGRADED
    return DriftState.UNKNOWN if DriftState.UNKNOWN in states else DriftState.STEADY


def _metric(subject: Subject, seen: Sighting, before: DriftMetric | None) -> DriftMetric:
    recorded = subject.recorded or seen.recorded
    told = DriftMetric(
        name=subject.name,
        state=DriftState.STEADY,
        reason=Reason.AS_RECORDED,
        recorded=None if recorded is None else _value(subject, recorded),
    )
    was_worse = before is not None and before.state is DriftState.DEGRADED
    if seen.drift.is_worse:
        lately = _value(subject, seen.drift.lately)
        measured = before.measured if before is not None and was_worse else lately
        worse = {"state": DriftState.DEGRADED, "reason": Reason.DEGRADED}
        return revised(told, **worse, measured=measured)
    was_known = before is not None and before.state is DriftState.STEADY
    lacking = _lacking(subject, seen, recorded, was_known=was_known)
    if lacking is None:
        return told
    return revised(told, state=DriftState.UNKNOWN, reason=lacking)


def _value(subject: Subject, rate: Rate) -> str:
    """Write a share of good ones, or what a success costs."""
    value = rate.good / rate.total if rate.total > 0.0 else None
    return money(value) if subject.is_cost else percent(value)


def _lacking(
    subject: Subject, seen: Sighting, recorded: Rate | None, *, was_known: bool
) -> Reason | None:
    """Say what is not known of a metric; a look or two may tell nothing."""
    if subject.problem is not None:
        return subject.problem.reason
    if seen.blind is not None and (seen.missed >= MISSED or not was_known):
        return seen.blind.reason
    if recorded is None:
        return Reason.LEARNING if seen.looks else Reason.PENDING
    if seen.drift.is_learning and not was_known:
        return Reason.LEARNING
    least = ENOUGH / 2 if was_known else ENOUGH
    return None if seen.drift.asked >= least else Reason.TOO_FEW_REQUESTS


def _attributed(told: DriftStatus, beside: Around, before: DriftStatus | None) -> DriftStatus:
    """Say what is likely to be the cause; what was found once stays until it is over."""
    tools = before.tools if before is not None else ()
    known = {one.name for one in tools}
    tools += tuple(one for one in beside.clues.tools if one.name not in known)
    found = revised(
        told,
        tools=tools[:MOST_TOLD],
        model_change=(before.model_change if before else None) or beside.clues.model,
    )
    return revised(found, attribution=_attribution(found, beside, before))


def _attribution(told: DriftStatus, beside: Around, before: DriftStatus | None) -> Attribution:
    """Name the likeliest cause: what calls tell is told before what others suffer from."""
    known = before.attribution if before is not None else None
    if told.model_change is not None:
        return Attribution.PROVIDER
    if told.tools:
        return Attribution.TOOL
    if known is Attribution.PROVIDER or beside.peers.suffer:
        return Attribution.PROVIDER
    if beside.tools:
        return Attribution.TOOL
    return Attribution.OWN if beside.peers.known else known or Attribution.UNKNOWN


def _message(told: DriftStatus, plan: Plan, seen: Mapping[str, Sighting], beside: Around) -> str:
    if told.state is DriftState.STEADY:
        return f"{told.version} does as recorded when it was promoted"
    if told.state is DriftState.UNKNOWN:
        unknown = (one for one in told.metrics if one.state is DriftState.UNKNOWN)
        lacks = (_lacks(one, plan, seen.get(one.name, NEW)) for one in unknown)
        return f"whether {told.version} does as recorded is not known: {'; '.join(lacks)}"
    worse = [
        f"{one.name} {one.measured}, recorded {one.recorded or '-'}"
        for one in told.metrics
        if one.state is DriftState.DEGRADED
    ]
    worse += [message for _, message in beside.objectives]
    known = "; ".join([*worse, *_causes(told, beside)])
    return f"{told.version} does worse without a change: {known}"


def _lacks(one: DriftMetric, plan: Plan, seen: Sighting) -> str:
    problem = next(subject.problem for subject in plan.subjects if subject.name == one.name)
    blind = problem or seen.blind
    if blind is not None and blind.reason.value == one.reason:
        return blind.message
    return f"{one.name}: {_LACKING[Reason(one.reason)]}"


def _causes(told: DriftStatus, beside: Around) -> Iterator[str]:
    """Say what is known of the cause, the most telling first."""
    found = [
        *model_in_words(told.model_change),
        *tools_in_words(told.tools, is_cut=beside.clues.is_cut),
    ]
    if beside.peers.suffer or (told.attribution is Attribution.PROVIDER and not found):
        found.append(
            "others that ask the same provider do worse, too, so that is the likelier cause"
        )
    found += [f"tools changed: {beside.tools}"] if beside.tools else []
    if told.attribution is Attribution.OWN:
        found.append("others that ask the same provider do not")
    yield from found or [
        "no other watched agent asks the same provider, so nobody can tell whose it is"
    ]


def drift_claims(world: World, told: DriftStatus | None) -> Iterator[Claim]:
    """Claim that stable does as recorded, where it is watched."""
    if told is None:
        if is_watched(world):
            yield Claim("Steady", UNKNOWN, Reason.PENDING, "no version at rest was watched yet")
        return
    if told.state is DriftState.STEADY:
        yield Claim("Steady", TRUE, Reason.AS_RECORDED, told.message)
    elif told.state is DriftState.DEGRADED:
        yield Claim("Steady", FALSE, Reason.DEGRADED, told.message)
    else:
        unknown = (one for one in told.metrics if one.state is DriftState.UNKNOWN)
        yield Claim("Steady", UNKNOWN, Reason(next(unknown).reason), told.message)


def degraded(world: World) -> str | None:
    """Say how stable does worse than recorded, and why; None where that is not known."""
    told = drift_of(world)
    return told.message if told is not None and told.state is DriftState.DEGRADED else None


def announce_drift(world: World) -> Iterator[Announcement]:
    """Announce that stable begins to do worse, what is found to be the cause, and the end."""
    before, after = world.agent.status.drift, drift_of(world)
    if after is None:
        return
    agent = Target("Agent", world.namespace, world.name)
    known = before if before is not None and before.version == after.version else None
    was = known.state if known is not None else DriftState.UNKNOWN
    key = f"drift-{after.version}-{after.since:%Y%m%d%H%M%S}"
    if after.state is DriftState.DEGRADED:
        if was is not after.state or (known and known.attribution is not after.attribution):
            key = f"{key}-{after.attribution}"
            yield Announcement(key, agent, Reason.DEGRADED.value, after.message, warning=True)
    elif was is DriftState.DEGRADED:
        yield Announcement(key, agent, Reason.RECOVERED.value, after.message)
