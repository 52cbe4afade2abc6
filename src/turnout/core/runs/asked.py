"""A run's Job: asked, heard of, lost.

The word by which the Job proves itself is on record, as a hash, before the Job is made. The word
itself is nowhere but in the Job, so who dies between the two begins again with another word.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from turnout.api.evalrun import EvalPlan
from turnout.api.task import TaskStatus
from turnout.core import naming
from turnout.core.jobs import STARTING, job
from turnout.core.plan import Create, Remove, Target
from turnout.core.quoting import quoted
from turnout.core.runs.question import labels_of, question
from turnout.core.runs.results import find
from turnout.core.runs.trouble import of_job, trouble_of
from turnout.core.runs.world import (
    Ending,
    Material,
    RunWorld,
    jobs_disabled,
    no_run,
    no_verdict,
)
from turnout.core.tasks import Answer, Progress, sha256
from turnout.core.world import Child

MOST_RETRIES: Final = 3
"""How often a Job that went away is made again."""

GRACE: Final = timedelta(seconds=15)
"""How long after a Job's own limit its answer may still be on its way."""

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")


@dataclass(frozen=True)
class Asked:
    """What becomes of a run's Job now.

    Attributes:
        task: Its record from now on.
        start: What makes the Job, once it is on record.
        progress: How far it is, where it just told.
        again_at: When to look again if nothing happens before.
    """

    task: TaskStatus
    start: tuple[Create | Remove, ...] = ()
    progress: Progress | None = None
    again_at: datetime | None = None


def ask(world: RunWorld, material: Material) -> Asked | Ending:
    """Ask, wait or take the answer."""
    before, plan = world.run.status.task, material.plan
    if before is None:
        return _start(world, material)
    answer = world.answer
    if answer is not None and answer.nonce_hash == before.nonce_hash:
        if answer.progress is None:
            return _answered(answer, material)
        return Asked(before, progress=answer.progress, again_at=_limit(before, plan))
    found = world.children.get(("Job", before.job))
    if found is None or _is_of_another_word(world, found, before):
        if before.failures >= MOST_RETRIES:
            return no_verdict("JobGone", f"Job {before.job} went away {MOST_RETRIES} times")
        return _start(world, material)
    return _lost(world, found, before, plan) or Asked(before, again_at=_look(world, before, plan))


def _start(world: RunWorld, material: Material) -> Asked | Ending:
    before, name = world.run.status.task, world.run.metadata.name
    if world.way is None:
        return jobs_disabled()
    task = question(world.run, material)
    record = TaskStatus(
        job=name,
        nonce_hash=sha256(world.nonce),
        asked=task.digest,
        started_at=world.now,
        failures=0 if before is None else before.failures + 1,
    )
    there = world.children.get(("Job", name))
    if there is not None and not world.owns(there):
        return no_run("NameConflict", f"Job {name} was not made for this run: choose another name")
    target = Target("Job", world.run.metadata.namespace, name)
    gone = () if there is None else (Remove(target, there.uid, there.version),)
    labels = labels_of(world.run, material.plan.agent)
    made = Create(job(task, world.run, name, world.nonce, world.way, more=labels))
    return Asked(record, (*gone, made), again_at=_limit(record, material.plan))


def _is_of_another_word(world: RunWorld, found: Child, before: TaskStatus) -> bool:
    """Claim that a Job was made before the record was: nobody knows its word any more."""
    return not world.owns(found) or found.annotation(naming.NONCE_HASH) != before.nonce_hash


def _answered(answer: Answer, material: Material) -> Ending:
    """Judge an answer; one that tells of a problem too is told as far as it goes, never judged."""
    problem = answer.problem
    if problem is None:
        try:
            return find(answer.result, material.golden, material.plan)
        except ValueError as error:
            return no_verdict("UnparsableResult", str(error))
    reason = problem.reason if _WORD.fullmatch(problem.reason) else "Unreadable"
    ending = no_verdict(reason, quoted(problem.message, 800))
    with suppress(ValueError):
        told = find(answer.result, material.golden, material.plan).told
        ending = replace(ending, told=told)
    return ending


def _lost(world: RunWorld, found: Child, before: TaskStatus, plan: EvalPlan) -> Ending | None:
    """Tell why no answer will come any more; None where one still may."""
    status = found.document.get("status") or {}
    ends = {
        one.get("type"): str(one.get("reason") or "")
        for one in status.get("conditions") or ()
        if one.get("status") == "True"
    }
    trouble = trouble_of(of_job(world.pods))
    if "Failed" in ends and trouble is not None and trouble.reason != "NotReady":
        return no_verdict(trouble.reason, f"Job {before.job}: {trouble.message}")
    if ends.get("Failed") == "DeadlineExceeded" or world.now >= _limit(before, plan):
        return no_verdict("TimedOut", f"Job {before.job} had no result within {plan.limit}s")
    if "Failed" in ends:
        return no_verdict("JobFailed", f"Job {before.job} failed: {quoted(ends['Failed'], 64)}")
    if "Complete" in ends:
        return no_verdict("NoResult", f"Job {before.job} ended and told nothing")
    if trouble is not None and trouble.reason == "ImagePull" and world.now >= _pulled(before):
        return no_verdict(trouble.reason, f"Job {before.job}: {trouble.message}")
    return None


def _pulled(before: TaskStatus) -> datetime:
    """Tell when the Job's image must be there."""
    return before.started_at + STARTING


def _look(world: RunWorld, before: TaskStatus, plan: EvalPlan) -> datetime:
    return _pulled(before) if world.now < _pulled(before) else _limit(before, plan)


def _limit(before: TaskStatus, plan: EvalPlan) -> datetime:
    return before.started_at + timedelta(seconds=plan.limit) + STARTING + GRACE
