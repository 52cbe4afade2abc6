"""The decision about one Agent: world in, decision out.

observe -> **decide** -> apply. The same function runs in production, in simulations and in the
timelines of the tests; it knows no clock and does no I/O.

The order of actions is: the record of what was decided, then the act, then the Agent's status.
Whoever is killed between two of them finds the record and finishes the act; nothing is decided
twice and no weight is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from turnout.api.agent import AgentPhase
from turnout.api.base import seconds
from turnout.api.drift import DriftStatus
from turnout.core.announce import announce
from turnout.core.arrange import Arrangement, arrange
from turnout.core.checkpoint import is_due
from turnout.core.children import plan_children
from turnout.core.content import Unresolved
from turnout.core.course import SETTLING, Course, go_on, steer
from turnout.core.evidence import FIRST, Evidence
from turnout.core.gates import Blind
from turnout.core.intake import Wanted, take_in
from turnout.core.ledger import Ledger, closed_until
from turnout.core.objectives import objectives_due
from turnout.core.orders import orders_again_in, plan_orders
from turnout.core.patch import merge_patch, stored
from turnout.core.plan import Action, Decision, Record, Target
from turnout.core.records import plan_history, plan_rollouts, plan_start, plan_versions
from turnout.core.report import report
from turnout.core.run_records import plan_runs
from turnout.core.signs import signs_of
from turnout.core.standing import Standing
from turnout.core.traffic import observed_weight
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
        wanted: What the Agent asks for.
        due: When time alone changes something else than the course; None where it never does.
        drift: How stable does beside what was recorded of it; None where it is not watched.
    """

    decision: Decision
    ledger: Ledger
    blind: Mapping[str, Blind]
    phase: AgentPhase
    course: Course
    wanted: Wanted | Unresolved | None = None
    due: datetime | None = None
    drift: DriftStatus | None = None

    @property
    def is_calm(self) -> bool:
        """Claim that a running rollout leaves nothing to do or to tell."""
        told = self.decision.actions or self.decision.announcements
        return self.course.running and self.course.start is None and not told


def decide(world: World) -> Outcome:
    """Decide what to do about an Agent now."""
    wanted = take_in(world)
    asked = wanted if isinstance(wanted, Wanted) else None
    course = steer(world, wanted)
    arrangement = arrange(world, course)
    status = report(world, course, arrangement, wanted)
    patch = merge_patch(stored(world.agent.status), status.to_wire())
    told = [_record(world, patch)] if patch and course.rule != SETTLING else []
    due = _due(world, arrangement)
    decision = Decision(
        rule=course.rule,
        reason=course.reason.value,
        message=course.message,
        actions=tuple(_ordered(world, course, arrangement, asked, told)),
        announcements=announce(world, course),
        again_in=_again_in(world, course, due),
    )
    evidence = course.evidence or Evidence(FIRST, {})
    return Outcome(
        decision,
        evidence.ledger,
        evidence.blind,
        status.phase,
        course,
        wanted,
        due,
        status.drift,
    )


def decide_again(world: World, before: Outcome) -> Outcome | None:
    """Decide where since a calm outcome only time has passed and evidence come.

    Nearly every look at a rollout is like that. The outcome is the one that `decide` would come
    to: evidence speaks through the course, and whatever else time changes has its moment. None
    where there is more to do than to write evidence down, so that everything is to be looked at.
    """
    if not before.is_calm or before.wanted is None or before.course.rollout is None:
        return None
    if before.due is not None and world.now >= before.due:
        return None
    standing = Standing(world, before.course.rollout, before.course.stable)
    if _is_quiet(standing, before.course):
        return _again(world, before, replace(before.course, evidence=standing.evidence))
    course = go_on(standing, before.wanted)
    if _bare(course) == _bare(before.course):
        return _again(world, before, course)
    if _bare(_unwritten(course)) == _bare(_unwritten(before.course)):
        return _again(world, before, course, tuple(plan_rollouts(world, course)))
    return None


def _is_quiet(standing: Standing, before: Course) -> bool:
    """Claim that the rules, asked again, say the same, and that there is nothing to write down.

    What the whole service spends of an error budget is no sign: where there are objectives the
    rules are asked.
    """
    gate, evidence = standing.status.gate, standing.evidence
    if standing.world.spendings or signs_of(standing) != before.signs:
        return False
    if gate is not None and is_due(gate, evidence, standing.now):
        return False
    return before.again_at is None or observed_weight(standing) == standing.weight


def _again(
    world: World, before: Outcome, course: Course, actions: tuple[Action, ...] = ()
) -> Outcome:
    """Go on from an outcome of which nothing changed but what the gate knows."""
    evidence = course.evidence or Evidence(FIRST, {})
    again_in = _again_in(world, course, before.due)
    return replace(
        before,
        decision=replace(before.decision, actions=actions, again_in=again_in),
        ledger=evidence.ledger,
        blind=evidence.blind,
        course=course,
    )


def _bare(course: Course) -> Course:
    return replace(course, evidence=None, again_at=None, signs=())


def _unwritten(course: Course) -> Course:
    """Leave out of a course's record what nothing but a restart goes on from."""
    status = course.status
    if status is None or status.gate is None:
        return course
    kept = {"metrics": (), "budget": (), "checkpointed_at": None, "last_look_at": None}
    gate = status.gate.model_copy(update=kept)
    return replace(course, status=status.model_copy(update={"gate": gate}))


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
    yield from plan_runs(world, course)
    if course.start is None:
        yield from told
    else:
        yield from plan_start(world, course.start, course.stable, told)
    yield from plan_history(world, course, asked)


def _due(world: World, arrangement: Arrangement) -> datetime | None:
    """Tell the soonest of: a scale-down, orders to repeat, content that was still for long."""
    moments = [arm.until for arm in arrangement.arms]
    moments.append(objectives_due(world))
    recheck = orders_again_in(world)
    if recheck is not None:
        moments.append(world.now + recheck)
    if world.settles_in > 0:
        moments.append(world.now + timedelta(seconds=world.settles_in))
    return _soonest(moments)


def _again_in(world: World, course: Course, due: datetime | None) -> timedelta | None:
    """Look again at the soonest of: the rule's own time, the next look, what is due."""
    soonest = _soonest([course.again_at, _next_look(world, course), due])
    return None if soonest is None else max(soonest - world.now, timedelta(0))


def _soonest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)


def _next_look(world: World, course: Course) -> datetime | None:
    """Look when the next window can be closed, or that before must be: the same for all."""
    if not course.running or course.rollout is None or course.status is None:
        return None
    if course.stable is None:
        return None
    cadence = world.cadence(seconds(course.rollout.spec.gate.interval))
    closed = closed_until(course.evidence.ledger) if course.evidence else None
    now = world.now.timestamp()
    return world.now + timedelta(seconds=cadence.next_look(now, closed) - now)
