"""EvalRuns of rollouts as objects: made when their step waits for them, gone when nobody does."""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.base import PinnedRef
from turnout.api.evalrun import EvalRunSpec, Purpose
from turnout.api.rollout import AgentRollout
from turnout.core import render
from turnout.core.course import Course
from turnout.core.evaluating import is_for, run_name, unpassed
from turnout.core.jobs import owner_reference
from turnout.core.plan import Create, Remove, Target
from turnout.core.reasons import Reason
from turnout.core.runs.world import has_ended
from turnout.core.world import World


def plan_runs(world: World, course: Course) -> Iterator[Create | Remove]:
    """Make the run that the step under way waits for; take away what a rollout that ended left."""
    rollout = course.rollout
    if rollout is None:
        return
    if not course.running:
        yield from _abandoned(world, rollout)
    elif course.reason is Reason.EVALUATING:
        yield from _next(world, course, rollout)


def _next(world: World, course: Course, rollout: AgentRollout) -> Iterator[Create]:
    index = course.status.step.index if course.status and course.status.step else 1
    evaluate = rollout.spec.strategy.steps[index - 1].evaluate
    suite = None if evaluate is None else unpassed(world.runs, rollout, evaluate)
    stable = rollout.spec.from_
    if suite is None or stable is None or run_name(rollout, suite) in world.runs:
        return
    candidate = rollout.spec.to
    spec = EvalRunSpec(
        suite=PinnedRef(name=suite),
        version=PinnedRef(name=candidate.version, digest=candidate.digest),
        baseline=PinnedRef(name=stable.version, digest=stable.digest),
        purpose=Purpose.GATE,
    )
    made = render.record(world, "EvalRun", run_name(rollout, suite), spec.to_wire())
    made["metadata"]["ownerReferences"] = [owner_reference(rollout)]
    yield Create(made)


def _abandoned(world: World, rollout: AgentRollout) -> Iterator[Remove]:
    """Remove runs that nobody waits for any more; what they found stays until its rollout goes."""
    for name, run in sorted(world.runs.items()):
        suite = run.spec.suite.name
        if name == run_name(rollout, suite) and is_for(run, rollout, suite) and not has_ended(run):
            target = Target("EvalRun", world.namespace, name)
            yield Remove(target, run.metadata.uid, run.metadata.resource_version)
