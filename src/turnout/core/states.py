"""What becomes of the records of rollouts and versions once a course is taken."""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.rollout import (
    AgentRollout,
    AgentRolloutStatus,
    IntentOutcome,
    RolloutPhase,
    Verdict,
)
from turnout.api.version import AgentVersion, AgentVersionStatus, Rejection, VersionState
from turnout.core import naming
from turnout.core.arrange import Arrangement
from turnout.core.baselines import completed, shown_by
from turnout.core.conditions import FALSE, TRUE, Claim, fold_conditions
from turnout.core.course import Course
from turnout.core.intents import fold_intents
from turnout.core.orders import with_switch
from turnout.core.patch import revised
from turnout.core.phase import has_ended
from turnout.core.reasons import Reason
from turnout.core.rollout_claims import rollout_claims
from turnout.core.standing import TAKEN_BACK
from turnout.core.world import World


def rollout_after(world: World, course: Course, rollout: AgentRollout) -> AgentRolloutStatus:
    """Give a rollout's record from now on; the very same one where nothing is new."""
    newest = rollout is world.rollouts[-1]
    status = _after(world, course, rollout, newest=newest)
    return with_switch(world, status) if newest else status


def _after(
    world: World, course: Course, rollout: AgentRollout, *, newest: bool
) -> AgentRolloutStatus:
    ended = has_ended(rollout.status.phase)
    if newest and not ended and course.status is not None:
        return course.status
    retried = newest and _is_retried(course, rollout)
    if ended and not retried and _is_observed(rollout):
        return rollout.status
    status = rollout.status if ended else _overtaken(world, rollout)
    outcome = IntentOutcome.APPLIED if retried else _refused_retry(rollout, newest=newest)
    return revised(
        status,
        observed_generation=rollout.metadata.generation,
        intents=fold_intents(rollout, world.now, outcome),
        conditions=fold_conditions(
            rollout.status.conditions,
            rollout_claims(rollout, status, None),
            rollout.metadata.generation,
            world.now,
        ),
    )


def _is_observed(rollout: AgentRollout) -> bool:
    return rollout.status.observed_generation == rollout.metadata.generation


def _is_retried(course: Course, rollout: AgentRollout) -> bool:
    start = course.start
    return start is not None and start.retry and start.wanted.ref == rollout.spec.to


def _refused_retry(rollout: AgentRollout, *, newest: bool) -> IntentOutcome | None:
    """Refuse to retry what was promoted or has a successor; otherwise the wish stays open."""
    if newest and rollout.status.phase is not RolloutPhase.PROMOTED:
        return None
    return IntentOutcome.IGNORED


def _overtaken(world: World, rollout: AgentRollout) -> AgentRolloutStatus:
    """End a rollout that has a successor: its own record was lost."""
    return revised(
        rollout.status,
        phase=RolloutPhase.SUPERSEDED,
        reason=Reason.SUPERSEDED.value,
        message="there is a newer rollout",
        finished_at=world.now,
    )


def version_after(
    world: World, course: Course, arrangement: Arrangement, version: AgentVersion
) -> AgentVersionStatus:
    """Give a version's record from now on."""
    generation = version.metadata.generation
    return revised(
        _state(world, course, arrangement, version),
        observed_generation=generation,
        conditions=fold_conditions(
            version.status.conditions,
            _version_claims(world, arrangement, version),
            generation,
            world.now,
        ),
    )


def _version_claims(
    world: World, arrangement: Arrangement, version: AgentVersion
) -> Iterator[Claim]:
    name = version.metadata.name
    content = world.child("ConfigMap", name)
    if content is None:
        message = f"ConfigMap {name} does not exist"
        yield Claim("ContentStored", FALSE, Reason.REFERENCE_NOT_FOUND, message)
    elif content.annotation(naming.DIGEST) == version.spec.digest:
        yield Claim("ContentStored", TRUE, Reason.STORED)
    else:
        message = f"ConfigMap {name} holds something else"
        yield Claim("ContentStored", FALSE, Reason.NAME_CONFLICT, message)
    if not arrangement.replicas(name):
        yield Claim("Available", FALSE, Reason.SCALED_TO_ZERO)
    elif world.arm(name).ready:
        yield Claim("Available", TRUE, Reason.MINIMUM_REPLICAS_AVAILABLE)
    else:
        yield Claim("Available", FALSE, Reason.MINIMUM_REPLICAS_UNAVAILABLE)


def _state(
    world: World, course: Course, arrangement: Arrangement, version: AgentVersion
) -> AgentVersionStatus:
    before, digest = version.status, version.spec.digest
    if course.stable is not None and course.stable.digest == digest:
        return _stable(world, course, version)
    rollout, status = course.rollout, course.status
    if rollout is not None and status is not None and rollout.spec.to.digest == digest:
        if course.running:
            return revised(before, state=VersionState.CANDIDATE)
        if status.phase in TAKEN_BACK:
            known = before.state is VersionState.REJECTED
            return before if known else _rejected(rollout, status)
    return revised(before, state=_former(before, runs=arrangement.runs(version.metadata.name)))


def _stable(world: World, course: Course, version: AgentVersion) -> AgentVersionStatus:
    """Tell of the stable version, and what it is held to: shown when promoted, or learned since.

    Where a promotion shows nothing anew, as that of a way back, what was known stays.
    """
    before = version.status
    if before.state is VersionState.STABLE:
        return revised(before, baseline=completed(world, version))
    made, rollout = (
        AgentVersionStatus(state=VersionState.STABLE, promoted_at=world.now),
        course.rollout,
    )
    shown = shown_by(rollout, course.evidence, world) if rollout is not None else ()
    return revised(made, baseline=shown or before.baseline)


def _former(before: AgentVersionStatus, *, runs: bool) -> VersionState:
    """Name what a version is that is neither stable nor tried now; a rejection stays."""
    if before.rejected_by is not None:
        return VersionState.REJECTED
    served = before.promoted_at is not None
    return VersionState.PREVIOUS if served and runs else VersionState.RETIRED


def _rejected(rollout: AgentRollout, status: AgentRolloutStatus) -> AgentVersionStatus:
    metrics = status.gate.metrics if status.gate else ()
    failed = (one.name for one in metrics if one.verdict is Verdict.FAIL)
    return AgentVersionStatus(
        state=VersionState.REJECTED,
        rejected_at=status.finished_at,
        rejected_by=Rejection(
            rollout=rollout.metadata.name,
            metric=next(failed, None),
            message=status.message or "",
        ),
    )
