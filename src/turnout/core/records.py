"""Records: versions and rollouts as objects, their states, and how many are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from turnout.api.base import Status, VersionRef
from turnout.api.digest import SCHEME
from turnout.api.rollout import AgentRollout, AgentRolloutSpec, RolloutPhase
from turnout.api.version import (
    AgentVersion,
    AgentVersionSpec,
    ContentRef,
    PlaneDigest,
    VersionImage,
    VersionSource,
)
from turnout.core import naming, render
from turnout.core.arrange import Arrangement
from turnout.core.cause import cause_of
from turnout.core.content import Content
from turnout.core.course import Course, Start
from turnout.core.intake import Wanted
from turnout.core.patch import merge_patch, stored
from turnout.core.phase import has_ended
from turnout.core.plan import Action, Create, Record, Remove, Target
from turnout.core.standby import standby_name
from turnout.core.states import rollout_after, version_after
from turnout.core.world import Stored, World


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
    if world.child("ConfigMap", ref.version) is None:
        yield Create(render.content_map(world, ref, content.files(ref)))
    if ref.version not in world.versions:
        yield _index_entry(world, ref, content.stored(ref), content.version_sources())


def _index_entry(
    world: World, ref: VersionRef, content: Stored, sources: tuple[VersionSource, ...]
) -> Create:
    containers = (content.template.get("spec") or {}).get("containers") or ()
    spec = AgentVersionSpec(
        agent=world.name,
        digest=ref.digest,
        digest_scheme=SCHEME,
        render=render.generation(world, ref.version),
        planes=tuple(PlaneDigest(name=name, digest=one) for name, one in content.planes.items()),
        sources=sources,
        images=tuple(
            VersionImage(container=one["name"], image=one.get("image") or "") for one in containers
        ),
        content_ref=ContentRef(name=ref.version, bytes=content.size),
    )
    return Create(render.record(world, "AgentVersion", ref.version, spec.to_wire()))


def _rollout(world: World, start: Start, stable: VersionRef | None) -> dict[str, Any]:
    wanted: Wanted = start.wanted
    spec = AgentRolloutSpec(
        agent=world.name,
        number=start.number,
        trigger=start.trigger,
        from_=stable,
        to=wanted.ref,
        strategy=wanted.strategy,
        gate=wanted.gate,
        cause=cause_of(world, wanted, stable),
    )
    name = naming.rollout_name(world.name, start.number)
    made = render.record(world, "AgentRollout", name, spec.to_wire())
    made["spec"].setdefault("approvals", [])
    return made


def plan_rollouts(world: World, course: Course) -> Iterator[Action]:
    """Plan the records of rollouts: how far the running one is, what people asked of the others."""
    for rollout in world.rollouts:
        yield from _told(world, rollout, rollout_after(world, course, rollout))


def plan_versions(
    world: World, course: Course, arrangement: Arrangement, wanted: Wanted | None
) -> Iterator[Action]:
    """Plan the index of versions: lost entries of those that run, and each one's state."""
    for arm in arrangement.arms:
        if arm.ref.version not in world.versions:
            yield from _found_again(world, arm.ref, wanted)
    for version in world.versions.values():
        yield from _told(world, version, version_after(world, course, arrangement, version))


def _told(world: World, known: AgentRollout | AgentVersion, after: Status) -> Iterator[Action]:
    if after != known.status:
        target = Target(known.kind, world.namespace, known.metadata.name)
        patch = merge_patch(stored(known.status), after.to_wire())
        yield Record(target, patch, known.metadata.resource_version)


def _found_again(world: World, ref: VersionRef, wanted: Wanted | None) -> Iterator[Action]:
    """Make the index entry of a version anew from its content."""
    content = world.stored.get(ref.version)
    if wanted is not None and wanted.ref == ref and wanted.content is not None:
        known = wanted.content
        yield _index_entry(world, ref, known.stored(ref), known.version_sources())
    elif isinstance(content, Stored) and content.digest == ref.digest:
        yield _index_entry(world, ref, content, ())


def plan_history(world: World, course: Course, wanted: Wanted | None) -> Iterator[Action]:
    """Plan the removal of old records beyond the limit, never of one that still matters.

    While it is not known what is wanted no version goes: it may be the one.
    """
    limit = world.agent.spec.revision_history_limit
    for rollout in _old_rollouts(world, limit):
        meta = rollout.metadata
        yield Remove(
            Target("AgentRollout", world.namespace, meta.name), meta.uid, meta.resource_version
        )
    if wanted is not None:
        yield from _old_versions(world, course, wanted, limit)


def _old_rollouts(world: World, limit: int) -> Iterator[AgentRollout]:
    """List the rollouts to forget: of those that promoted and of the others each the oldest.

    However often something failed since, it can still be read how stable came to be stable.
    """
    ended = [one for one in world.rollouts[:-1] if has_ended(one.status.phase)]
    promoted = [one for one in ended if one.status.phase is RolloutPhase.PROMOTED]
    others = [one for one in ended if one.status.phase is not RolloutPhase.PROMOTED]
    for kind in (promoted, others):
        yield from kind[: max(0, len(kind) - limit)]


def _old_versions(world: World, course: Course, wanted: Wanted, limit: int) -> Iterator[Action]:
    """Forget the versions that were tried longest ago."""
    kept = _kept_versions(world, course, wanted)
    attempts = {one.spec.to.version: one.spec.number for one in world.rollouts}
    others = sorted(
        (one for name, one in world.versions.items() if name not in kept),
        key=lambda one: (
            attempts.get(one.metadata.name, 0),
            one.metadata.creation_timestamp or world.now,
            one.metadata.name,
        ),
    )
    for version in others[: max(0, len(others) - limit)]:
        yield from _forget(world, version)


def _forget(world: World, version: AgentVersion) -> Iterator[Action]:
    meta = version.metadata
    content = world.ours("ConfigMap", meta.name)
    if content is not None:
        target = Target("ConfigMap", world.namespace, meta.name)
        yield Remove(target, content.uid, content.version)
    yield Remove(
        Target("AgentVersion", world.namespace, meta.name), meta.uid, meta.resource_version
    )


def _kept_versions(world: World, course: Course, wanted: Wanted) -> frozenset[str | None]:
    last = course.rollout
    running = {name for kind, name in world.children if kind == "Deployment"}
    return frozenset(
        {
            course.stable.version if course.stable else None,
            wanted.ref.version,
            wanted.asked.version,
            standby_name(world),
            last.spec.to.version if last else None,
            last.spec.from_.version if last and last.spec.from_ else None,
        }
        | running
    )
