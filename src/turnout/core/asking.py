"""When an object's task is due, and what becomes of the one under way.

The word by which a Job proves itself is recorded, as a hash, before the Job is made: what is there
under the Job's name without that word was made by somebody else, and its answer counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from turnout.api.base import Resource
from turnout.api.task import TaskOutcome, TaskStatus
from turnout.core.jobs import STARTING, JobSettings, job, job_name
from turnout.core.plan import Create, Remove, Target
from turnout.core.shared import Users
from turnout.core.sources import Pinned
from turnout.core.tasks import Answer, Problem, Task, sha256
from turnout.core.world import Child, Unread

FIRST_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(minutes=5)
GRACE = timedelta(seconds=15)
"""How long after a Job's own limit its answer may still be on its way."""


@dataclass(frozen=True)
class SourceWorld:
    """One object whose content lies outside the cluster, and all that bears on it.

    Attributes:
        source: The object.
        task: Its newest task, from its status.
        users: Agents that refer to it.
        jobs: Jobs made for it, by name.
        answer: What a Job reported just now, if any.
        pinned: What its status says is pinned; None where it names nothing.
        nonce: A fresh word for the next Job.
        way: How Jobs are run; None where the administrator lets none run.
        refused: What the API server said when it refused the Job.
    """

    now: datetime
    source: Resource
    task: TaskStatus | None = None
    users: Users = field(default_factory=dict)
    jobs: Mapping[str, Child] = field(default_factory=dict)
    answer: Answer | None = None
    pinned: Pinned | Unread | None = None
    nonce: str = ""
    way: JobSettings | None = None
    refused: str | None = None


@dataclass(frozen=True)
class Asking:
    """What becomes of an object's task now.

    Attributes:
        task: The task for the object's status; None where nothing is asked.
        start: The Job to be made once the status is on record, and before it the end of the last.
        answer: A usable answer that came just now.
        problem: Why there is no usable answer; stays until one comes.
        again_at: When to look again if nothing happens before.
    """

    task: TaskStatus | None = None
    start: tuple[Create | Remove, ...] = ()
    answer: Answer | None = None
    problem: Problem | None = None
    again_at: datetime | None = None


def ask(world: SourceWorld, task: Task | None, interval: timedelta | None = None) -> Asking:
    """Decide whether to ask, to wait or to take the answer.

    Args:
        world: Whose task it is.
        task: What is to be asked; None for nothing.
        interval: Pause between two askings; None to ask once for each question.
    """
    if task is None:
        return Asking()
    if task.too_large is not None:
        return Asking(problem=Problem("InvalidSpec", f"the task {task.too_large}"))
    before = world.task
    if before is None or before.asked != task.digest:
        return _start(world, task, 0)
    if before.ended_at is None:
        return _under_way(world, task, before)
    return _at_rest(world, task, before, interval)


def _start(world: SourceWorld, task: Task, failures: int, problem: str = "") -> Asking:
    if world.way is None:
        message = "the operator was given no image to run Jobs with (jobs.image)"
        return Asking(world.task, problem=Problem("JobsDisabled", message))
    name = job_name(task, world.source, world.now)
    status = TaskStatus(
        job=name,
        nonce_hash=sha256(world.nonce),
        asked=task.digest,
        started_at=world.now,
        failures=failures,
        message=problem,
    )
    made = Create(job(task, world.source, name, world.nonce, world.way))
    start: tuple[Create | Remove, ...] = (*_dropped(world), made)
    return Asking(status, start, problem=_remembered(status), again_at=_limit(task, status))


def _dropped(world: SourceWorld) -> Iterator[Remove]:
    """Remove the last Job: nobody waits for its answer any more, and only the newest is kept."""
    before = world.task
    if before is None or before.job not in world.jobs:
        return
    found = world.jobs[before.job]
    target = Target("Job", world.source.metadata.namespace, before.job)
    yield Remove(target, found.uid, found.version)


def _under_way(world: SourceWorld, task: Task, before: TaskStatus) -> Asking:
    answer = world.answer
    if answer is not None and answer.nonce_hash == before.nonce_hash:
        return _answered(world, before, answer)
    problem = _lost(world, task, before)
    if problem is not None:
        return _failed(world, before, problem)
    return Asking(before, problem=_remembered(before), again_at=_limit(task, before))


def _answered(world: SourceWorld, before: TaskStatus, answer: Answer) -> Asking:
    """Take an answer; one in part is taken too, and asked for again soon."""
    if answer.problem is None:
        return Asking(_ended(world, before, TaskOutcome.ANSWERED), answer=answer)
    failed = _failed(world, before, answer.problem)
    return replace(failed, answer=answer) if answer.result else failed


def _lost(world: SourceWorld, task: Task, before: TaskStatus) -> Problem | None:
    """Say why no answer will come any more, None where one still may."""
    if world.refused is not None:
        return Problem("JobRefused", f"the API server refuses the Job: {world.refused}")
    found = world.jobs.get(before.job)
    if found is None:
        return Problem("JobFailed", f"Job {before.job} is gone")
    conditions = (found.document.get("status") or {}).get("conditions") or ()
    failed = next((one for one in conditions if _holds(one, "Failed")), None)
    if failed is not None:
        return Problem("JobFailed", f"Job {before.job} failed: {failed.get('reason') or 'Failed'}")
    if world.now >= _limit(task, before):
        return Problem("JobFailed", f"Job {before.job} did not answer in time")
    return None


def _holds(condition: Mapping[str, str], kind: str) -> bool:
    return condition.get("type") == kind and condition.get("status") == "True"


def _failed(world: SourceWorld, before: TaskStatus, problem: Problem) -> Asking:
    ended = _ended(world, before, TaskOutcome.FAILED, problem)
    return Asking(ended, problem=problem, again_at=world.now + _backoff(ended))


def _ended(
    world: SourceWorld, before: TaskStatus, outcome: TaskOutcome, problem: Problem | None = None
) -> TaskStatus:
    failures = 0 if problem is None else min(before.failures + 1, 1000)
    said = "" if problem is None else f"{problem.reason}: {problem.message}"
    change = {"ended_at": world.now, "outcome": outcome, "failures": failures, "message": said}
    return before.model_copy(update=change)


def _at_rest(
    world: SourceWorld, task: Task, before: TaskStatus, interval: timedelta | None
) -> Asking:
    due = _due(before, interval)
    if due is not None and world.now >= due:
        return _start(world, task, before.failures, before.message)
    return Asking(before, problem=_remembered(before), again_at=due)


def _due(before: TaskStatus, interval: timedelta | None) -> datetime | None:
    """Tell when to ask again: soon after a failure, else an interval after the last time."""
    if before.failures:
        return (before.ended_at or before.started_at) + _backoff(before)
    return None if interval is None else before.started_at + interval


def _backoff(before: TaskStatus) -> timedelta:
    return min(FIRST_BACKOFF * (1 << min(before.failures - 1, 10)), LONGEST_BACKOFF)


def _limit(task: Task, before: TaskStatus) -> datetime:
    return before.started_at + task.timeout + STARTING + GRACE


def _remembered(before: TaskStatus) -> Problem | None:
    """Give back the problem that the last task ended with, from its record."""
    if not before.failures:
        return None
    reason, _, message = before.message.partition(": ")
    return Problem(reason, message)
