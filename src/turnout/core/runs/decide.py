"""What becomes of an EvalRun: begun, its pods made, its Job asked, its answer judged, all cleared.

What is decided is on record before it is done. A run ends once, and only an answer of its own Job
that was judged here makes it pass or fail: whatever else happens it has no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from turnout.api.evalrun import EvalPhase, EvalPlan, EvalProgress, EvalRunStatus
from turnout.api.suite import EvalSuite
from turnout.api.task import TaskOutcome, TaskStatus
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim, fold_conditions
from turnout.core.patch import merge_patch, revised, stored
from turnout.core.plan import Action, Announcement, Create, Document, Record, Remove, Target
from turnout.core.reasons import Reason
from turnout.core.runs.arms import lost, missing, never_ready, not_ready
from turnout.core.runs.asked import Asked, ask
from turnout.core.runs.golden import Golden
from turnout.core.runs.planning import Blocked, plan_of
from turnout.core.runs.world import (
    Ending,
    Material,
    RunWorld,
    has_ended,
    jobs_disabled,
    no_run,
    no_verdict,
)
from turnout.core.sources import SourceOutcome, target_of
from turnout.core.tasks import Progress

RECHECK: Final = timedelta(seconds=5)
"""How often a run that cannot be begun is looked at again."""

_EVENTS: Final = {
    EvalPhase.PASSED: Reason.EVAL_PASSED,
    EvalPhase.FAILED: Reason.EVAL_FAILED,
    EvalPhase.INCONCLUSIVE: Reason.EVAL_INCONCLUSIVE,
    EvalPhase.ERROR: Reason.EVAL_ERROR,
}


@dataclass(frozen=True)
class _Step:
    """What a run's record says from now on, and what is done once it does."""

    status: EvalRunStatus
    then: tuple[Create | Remove, ...] = ()
    again_at: datetime | None = None


def decide_run(world: RunWorld) -> SourceOutcome:
    """Decide what to do about a run now."""
    if has_ended(world.run):
        return SourceOutcome(tuple(_cleared(world)))
    found = _next(world)
    step = _Step(_ended(world, found)) if isinstance(found, Ending) else found
    status = _claimed(world, step.status)
    patch = merge_patch(stored(world.run.status), status.to_wire())
    target = target_of(world.run)
    record = (Record(target, patch, world.run.metadata.resource_version),) if patch else ()
    over = isinstance(found, Ending)
    return SourceOutcome(
        actions=(*record, *step.then),
        announcements=(_news(world, target, found),) if isinstance(found, Ending) else (),
        again_at=step.again_at,
        concerns_users=over,
    )


def _next(world: RunWorld) -> _Step | Ending:
    plan = world.run.status.plan
    if plan is None:
        return _begin(world)
    material = _material(world, plan)
    return material if isinstance(material, Ending) else _go_on(world, material)


def _begin(world: RunWorld) -> _Step | Ending:
    status = world.run.status
    try:
        plan = plan_of(world)
    except Blocked as blocked:
        if world.now >= world.since + blocked.patience:
            return no_run(blocked.reason, blocked.message)
        said = revised(status, reason=blocked.reason, message=blocked.message)
        return _Step(said, again_at=world.now + RECHECK)
    message = f"makes pods of {plan.version.version} and {plan.baseline.version}"
    begun = revised(status, plan=plan, started_at=world.now, reason="PodsStarting", message=message)
    return _Step(begun, again_at=world.now)


def _material(world: RunWorld, plan: EvalPlan) -> Material | Ending:
    """Give what a run stands on, or tell why it cannot go on whatever its Job says."""
    agent, suite, golden = world.agent, world.suite, world.golden
    if world.refused is not None:
        return no_run("Refused", f"the API server refuses what the run needs: {world.refused}")
    if agent is None:
        return no_verdict("AgentNotFound", f"Agent {plan.agent} is gone")
    same = isinstance(golden, Golden) and golden.digest == plan.suite.digest
    if isinstance(suite, EvalSuite) and isinstance(golden, Golden) and same:
        return Material(agent, suite, golden, plan)
    message = f"the tasks of EvalSuite {plan.suite.name} are not those that it was begun with"
    return no_verdict("TasksChanged", message)


def _go_on(world: RunWorld, material: Material) -> _Step | Ending:
    waiting = _arms(world, material) if world.run.status.task is None else None
    if waiting is not None:
        return waiting
    asked = ask(world, material)
    return asked if isinstance(asked, Ending) else _asking(world, asked)


def _arms(world: RunWorld, material: Material) -> _Step | Ending | None:
    """Make the pods and wait for them; None once both versions can be asked."""
    plan = material.plan
    if world.way is None:
        return jobs_disabled()
    ending = lost(world, plan)
    if ending is not None:
        return ending
    waits = not_ready(world, plan)
    if waits is None:
        return None
    if world.now >= plan.pods_by:
        return never_ready(world, plan)
    said = revised(world.run.status, reason="PodsStarting", message=waits)
    return _Step(said, tuple(missing(world, material, world.way)), plan.pods_by)


def _asking(world: RunWorld, asked: Asked) -> _Step:
    told = {
        "phase": EvalPhase.RUNNING,
        "task": asked.task,
        "reason": "TrialsRunning",
        "message": f"Job {asked.task.job} runs the trials",
    }
    if asked.progress is not None:
        told["progress"] = _progress(world, asked.progress)
    return _Step(revised(world.run.status, **told), asked.start, asked.again_at)


def _progress(world: RunWorld, told: Progress) -> EvalProgress:
    part = told.done / told.total if told.total else 0.0
    return EvalProgress(
        share=f"{100 * part:.0f}%",
        done=told.done,
        total=told.total,
        eta=world.now + timedelta(seconds=told.left),
    )


def _ended(world: RunWorld, ending: Ending) -> EvalRunStatus:
    """Write how a run ended; its Job is no longer waited for."""
    status = world.run.status
    task = status.task
    return revised(
        status,
        phase=ending.phase,
        finished_at=world.now,
        progress=None,
        task=None if task is None else _task(world, task, ending),
        reason=ending.reason,
        message=ending.message,
        **ending.told,
    )


def _task(world: RunWorld, task: TaskStatus, ending: Ending) -> TaskStatus:
    outcome = TaskOutcome.ANSWERED if ending.told else TaskOutcome.FAILED
    return task.model_copy(update={"ended_at": world.now, "outcome": outcome})


def _claimed(world: RunWorld, status: EvalRunStatus) -> EvalRunStatus:
    generation = world.run.metadata.generation
    conditions = fold_conditions(
        world.run.status.conditions, _claims(status), generation, world.now
    )
    return revised(status, observed_generation=generation, conditions=conditions)


def _claims(status: EvalRunStatus) -> Iterator[Claim]:
    reason, message = status.reason or Reason.PENDING, status.message or ""
    if status.plan is None:
        yield Claim("Started", FALSE, reason, message)
    else:
        yield Claim("Started", TRUE, Reason.STARTED, f"against {status.plan.baseline.version}")
    if status.finished_at is None:
        yield Claim("Completed", UNKNOWN, reason, message)
    elif status.phase in {EvalPhase.PASSED, EvalPhase.FAILED}:
        yield Claim("Completed", TRUE, status.phase.value, message)
    else:
        yield Claim("Completed", FALSE, reason, message)


def _news(world: RunWorld, target: Target, ending: Ending) -> Announcement:
    reason = _EVENTS[ending.phase]
    key = f"{world.run.metadata.uid}-ended"
    warning = ending.phase is not EvalPhase.PASSED
    return Announcement(key, target, reason, ending.message, warning=warning)


def _cleared(world: RunWorld) -> Iterator[Action]:
    """Remove the pods of a run that is over, and a Job that is still at it.

    A Job that has answered ends by itself a moment later; its log is what people look into.
    """
    task = world.run.status.task
    has_answered = task is not None and task.outcome is TaskOutcome.ANSWERED
    for (kind, name), child in sorted(world.children.items()):
        is_done = kind == "Job" and (has_answered or _job_ended(child.document))
        if world.owns(child) and not is_done:
            yield Remove(Target(kind, world.run.metadata.namespace, name), child.uid, child.version)


def _job_ended(job: Document) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(
        one.get("type") in {"Complete", "Failed"} and one.get("status") == "True"
        for one in conditions
    )
