"""What becomes of an EvalSuite: its tasks read, its last run told, old runs cleared away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from turnout.api.evalrun import EvalPhase, EvalRun, Purpose
from turnout.api.suite import EvalSuite, LastRun
from turnout.core.conditions import FALSE, TRUE, Claim, fold_conditions
from turnout.core.patch import merge_patch, revised, stored
from turnout.core.plan import Action, Record, Remove, Target
from turnout.core.reasons import Reason
from turnout.core.runs.golden import Golden
from turnout.core.runs.world import has_ended
from turnout.core.sources import SourceOutcome, target_of
from turnout.core.world import Unread


@dataclass(frozen=True)
class SuiteWorld:
    """One EvalSuite and all that bears on it.

    Attributes:
        now: The only time there is.
        suite: The suite.
        golden: Its tasks, or why they cannot be read.
        runs: Runs that name it.
    """

    now: datetime
    suite: EvalSuite
    golden: Golden | Unread
    runs: Sequence[EvalRun] = ()


def decide_suite(world: SuiteWorld) -> SourceOutcome:
    """Decide what to do about a suite now."""
    return SourceOutcome(actions=(*_told(world), *_cleared(world)))


def _told(world: SuiteWorld) -> Iterator[Action]:
    suite, golden = world.suite, world.golden
    known = golden if isinstance(golden, Golden) else None
    status = revised(
        suite.status,
        observed_generation=suite.metadata.generation,
        digest=known.digest if known else None,
        task_count=len(known.tasks) if known else None,
        last_run=_last(world),
        conditions=fold_conditions(
            suite.status.conditions, _claims(golden), suite.metadata.generation, world.now
        ),
    )
    patch = merge_patch(stored(suite.status), status.to_wire())
    if patch:
        yield Record(target_of(suite), patch, suite.metadata.resource_version)


def _claims(golden: Golden | Unread) -> Iterator[Claim]:
    if isinstance(golden, Unread):
        yield Claim("Accepted", FALSE, golden.reason, golden.message)
        yield Claim("Ready", FALSE, golden.reason, golden.message)
        yield Claim("Stalled", TRUE, golden.reason, golden.message)
        return
    message = f"{len(golden.tasks)} tasks"
    yield Claim("Accepted", TRUE, Reason.VALID, message)
    yield Claim("Ready", TRUE, Reason.VALID, message)


def _last(world: SuiteWorld) -> LastRun | None:
    """Tell of the run that ended last; one that was cleared away stays told."""
    known = world.suite.status.last_run
    ended = [
        LastRun(name=run.metadata.name, verdict=run.status.phase, at=run.status.finished_at)
        for run in world.runs
        if run.status.finished_at is not None
    ]
    return max([*ended, *([known] if known else [])], key=lambda one: one.at, default=None)


def _cleared(world: SuiteWorld) -> Iterator[Remove]:
    """Remove what is beyond the history limits: the oldest of each outcome.

    Those that a rollout waited for go with it.
    """
    limits = world.suite.spec.history_limits
    manual = (run for run in world.runs if run.spec.purpose is not Purpose.GATE)
    ended = [run for run in manual if has_ended(run)]
    passed = [run for run in ended if run.status.phase is EvalPhase.PASSED]
    others = [run for run in ended if run.status.phase is not EvalPhase.PASSED]
    yield from _beyond(passed, limits.successful)
    yield from _beyond(others, limits.failed)


def _beyond(runs: Sequence[EvalRun], kept: int) -> Iterator[Remove]:
    newest = sorted(runs, key=_ended_at, reverse=True)
    for run in newest[kept:]:
        target = Target("EvalRun", run.metadata.namespace, run.metadata.name)
        yield Remove(target, run.metadata.uid, run.metadata.resource_version)


def _ended_at(run: EvalRun) -> tuple[str, str]:
    at = run.status.finished_at
    return (at.isoformat() if at else "", run.metadata.name)
