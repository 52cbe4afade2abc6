"""Records: versions and rollouts as objects, their states, and how many are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from turnout.api.base import VersionRef
from turnout.api.digest import SCHEME
from turnout.api.rollout import AgentRolloutSpec, RolloutPhase, Trigger
from turnout.api.version import (
    AgentVersion,
    AgentVersionSpec,
    AgentVersionStatus,
    ContentRef,
    PlaneDigest,
    Rejection,
    VersionState,
)
from turnout.core import naming, render
from turnout.core.content import Content
from turnout.core.course import Course, Start
from turnout.core.intake import Wanted
from turnout.core.patch import merge_patch, stored
from turnout.core.phase import has_ended
from turnout.core.plan import Action, Create, Record, Remove, Target
from turnout.core.reasons import Reason
from turnout.core.world import World

TAKEN_BACK = frozenset({RolloutPhase.ROLLED_BACK, RolloutPhase.ABORTED})


def plan_start(
    world: World, start: Start, stable: VersionRef | None, told: Iterable[Action]
) -> Iterator[Action]:
    """Plan the objects of a new rollout: content, index entry, the Agent's status, rollout.

    The status reserves the rollout's number before an object of that name exists.
    """
    wanted = start.wanted
    if wanted.content is not None:
        yield from _new_version(world, wanted.ref, wanted.content)
    yield from told
    yield Create(_rollout(world, start, stable))


def _new_version(world: World, ref: VersionRef, content: Content) -> Iterator[Action]:
    files = content.files(ref)
    if world.child("ConfigMap", ref.version) is None:
        yield Create(render.content_map(world, ref, files))
    if ref.version in world.versions:
        return
    spec = AgentVersionSpec(
        agent=world.name,
        digest=ref.digest,
        digest_scheme=SCHEME,
        render=render.GENERATION,
        planes=tuple(
            PlaneDigest(name=name, digest=digest) for name, digest in content.digests.planes.items()
        ),
        sources=content.version_sources(),
        images=content.images(),
        content_ref=ContentRef(
            name=ref.version, bytes=sum(len(text.encode()) for text in files.values())
        ),
    )
    yield Create(render.record(world, "AgentVersion", ref.version, spec.to_wire()))


def _rollout(world: World, start: Start, stable: VersionRef | None) -> dict[str, Any]:
    wanted: Wanted = start.wanted
    spec = AgentRolloutSpec(
        agent=world.name,
        number=start.number,
        trigger=start.trigger,
        from_=stable if start.trigger is not Trigger.INITIAL else None,
        to=wanted.ref,
        strategy=wanted.strategy,
        gate=wanted.gate,
    )
    name = naming.rollout_name(world.name, start.number)
    made = render.record(world, "AgentRollout", name, spec.to_wire())
    made["spec"].setdefault("approvals", [])
    return made


def plan_rollout(world: World, course: Course) -> Iterator[Action]:
    """Plan the write of the running rollout's record, and the end of any older one left open."""
    for old in world.rollouts[:-1]:
        if not has_ended(old.status.phase):
            target = Target("AgentRollout", world.namespace, old.metadata.name)
            closed = {"phase": RolloutPhase.SUPERSEDED.value, "reason": Reason.SUPERSEDED.value}
            yield Record(target, closed, old.metadata.resource_version)
    rollout, status = course.rollout, course.status
    if rollout is None or status is None:
        return
    patch = merge_patch(stored(rollout.status), status.to_wire())
    if patch:
        target = Target("AgentRollout", world.namespace, rollout.metadata.name)
        yield Record(target, patch, rollout.metadata.resource_version)


def plan_versions(world: World, course: Course) -> Iterator[Action]:
    """Plan the states of versions: who is candidate, stable, previous, retired, rejected."""
    for version in world.versions.values():
        after = _state(world, course, version)
        patch = merge_patch(stored(version.status), after.to_wire())
        if patch:
            target = Target("AgentVersion", world.namespace, version.metadata.name)
            yield Record(target, patch, version.metadata.resource_version)


def _state(world: World, course: Course, version: AgentVersion) -> AgentVersionStatus:
    before, digest = version.status, version.spec.digest
    if course.stable is not None and course.stable.digest == digest:
        if before.state is VersionState.STABLE:
            return before
        return AgentVersionStatus(state=VersionState.STABLE, promoted_at=world.now)
    attempt = course.rollout if course.rollout and course.rollout.spec.to.digest == digest else None
    if attempt is not None and course.running:
        return before.model_copy(update={"state": VersionState.CANDIDATE})
    if attempt is not None and course.status is not None and course.status.phase in TAKEN_BACK:
        return before if before.state is VersionState.REJECTED else _rejected(world, course)
    if before.state in {None, VersionState.CANDIDATE, VersionState.STABLE}:
        stable_before = before.state is VersionState.STABLE
        state = VersionState.PREVIOUS if stable_before else VersionState.RETIRED
        return before.model_copy(update={"state": state})
    return before


def _rejected(world: World, course: Course) -> AgentVersionStatus:
    rollout, status = course.rollout, course.status
    verdict = course.evidence.verdict if course.evidence else None
    cause = verdict.cause.name if verdict and verdict.cause else None
    return AgentVersionStatus(
        state=VersionState.REJECTED,
        rejected_at=world.now,
        rejected_by=Rejection(
            rollout=rollout.metadata.name if rollout else "",
            metric=cause,
            message=(status.message if status else None) or "",
        ),
    )


def plan_history(world: World, course: Course, wanted: Wanted | None) -> Iterator[Action]:
    """Plan the removal of old records beyond the limit, never of one that still matters."""
    limit = world.agent.spec.revision_history_limit
    ended = [one for one in world.rollouts[:-1] if has_ended(one.status.phase)]
    for rollout in ended[: max(0, len(ended) - limit)]:
        meta = rollout.metadata
        yield Remove(
            Target("AgentRollout", world.namespace, meta.name), meta.uid, meta.resource_version
        )
    kept = _kept_versions(world, course, wanted)
    others = sorted(
        (one for name, one in world.versions.items() if name not in kept),
        key=lambda one: (one.metadata.creation_timestamp or world.now, one.metadata.name),
    )
    for version in others[: max(0, len(others) - limit)]:
        meta = version.metadata
        content = world.child("ConfigMap", meta.name)
        if content is not None and naming.is_ours(content.metadata, world.name):
            target = Target("ConfigMap", world.namespace, meta.name)
            yield Remove(target, content.uid, content.version)
        yield Remove(
            Target("AgentVersion", world.namespace, meta.name), meta.uid, meta.resource_version
        )


def _kept_versions(world: World, course: Course, wanted: Wanted | None) -> frozenset[str | None]:
    last = course.rollout
    return frozenset(
        {
            course.stable.version if course.stable else None,
            wanted.ref.version if wanted else None,
            world.agent.spec.pinned_version,
            last.spec.to.version if last else None,
            last.spec.from_.version if last and last.spec.from_ else None,
        }
    )
