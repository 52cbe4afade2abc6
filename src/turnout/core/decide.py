"""The decision about one Agent: world in, decision out.

observe -> **decide** -> apply. The same function runs in production, in simulations and in the
timelines of the tests; it knows no clock and does no I/O.

The order of actions is: the record of what was decided, then the act, then the Agent's status.
Whoever is killed between two of them finds the record and finishes the act; nothing is decided
twice and no weight is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from turnout.api.agent import AgentPhase
from turnout.api.base import seconds
from turnout.core.announce import announce
from turnout.core.arrange import Arrangement, arrange
from turnout.core.children import plan_children
from turnout.core.course import SETTLING, Course, steer
from turnout.core.evidence import FIRST, Evidence
from turnout.core.gates import Blind
from turnout.core.intake import Wanted, take_in
from turnout.core.ledger import Ledger
from turnout.core.orders import orders_again_in, plan_orders
from turnout.core.patch import merge_patch, stored
from turnout.core.plan import Action, Decision, Record, Target
from turnout.core.records import plan_history, plan_rollouts, plan_start, plan_versions
from turnout.core.report import report
from turnout.core.world import World


@dataclass(frozen=True)
class Outcome:
    """A decision, and what the next one goes on from.

    Attributes:
        decision: What to do.
        ledger: What is kept of each metric's looks, in memory between checkpoints.
        blind: Metrics that could not be read at this look; they stay so until the next one.
        phase: Where the Agent stands now.
        course: Where things go, for telemetry.
    """

    decision: Decision
    ledger: Ledger
    blind: Mapping[str, Blind]
    phase: AgentPhase
    course: Course


def decide(world: World) -> Outcome:
    """Decide what to do about an Agent now."""
    wanted = take_in(world)
    asked = wanted if isinstance(wanted, Wanted) else None
    course = steer(world, wanted)
    arrangement = arrange(world, course)
    status = report(world, course, arrangement, wanted)
    patch = merge_patch(stored(world.agent.status), status.to_wire())
    told = [_record(world, patch)] if patch and course.rule != SETTLING else []
    decision = Decision(
        rule=course.rule,
        reason=course.reason.value,
        message=course.message,
        actions=tuple(_ordered(world, course, arrangement, asked, told)),
        announcements=announce(world, course),
        again_in=_again_in(world, course, arrangement),
    )
    evidence = course.evidence or Evidence(FIRST, {})
    return Outcome(decision, evidence.ledger, evidence.blind, status.phase, course)


def _record(world: World, patch: Mapping[str, object]) -> Record:
    target = Target("Agent", world.namespace, world.name)
    return Record(target, patch, world.agent.metadata.resource_version)


def _ordered(
    world: World,
    course: Course,
    arrangement: Arrangement,
    asked: Wanted | None,
    told: Iterable[Action],
) -> Iterable[Action]:
    yield from plan_rollouts(world, course)
    yield from plan_orders(world)
    yield from plan_children(world, course, arrangement, asked)
    yield from plan_versions(world, course, arrangement, asked)
    if course.start is None:
        yield from told
    else:
        yield from plan_start(world, course.start, course.stable, told)
    yield from plan_history(world, course, asked)


def _again_in(world: World, course: Course, arrangement: Arrangement) -> timedelta | None:
    """Look again at the soonest of: the rule's own time, the next look, the scale-down."""
    moments = [course.again_at, _next_look(world, course)]
    moments += [arm.until for arm in arrangement.arms]
    recheck = orders_again_in(world)
    if recheck is not None:
        moments.append(world.now + recheck)
    if world.settles_in > 0:
        moments.append(world.now + timedelta(seconds=world.settles_in))
    soonest = min((one for one in moments if one is not None), default=None)
    return None if soonest is None else max(soonest - world.now, timedelta(0))


def _next_look(world: World, course: Course) -> datetime | None:
    """Look when the next window can close: at its end and a scrape later, the same for all."""
    if not course.running or course.rollout is None or course.status is None:
        return None
    if course.stable is None:
        return None
    interval = seconds(course.rollout.spec.gate.interval)
    now = world.now.timestamp()
    end = (now - world.scrape) // interval * interval + interval
    return world.now + timedelta(seconds=end + world.scrape - now)
