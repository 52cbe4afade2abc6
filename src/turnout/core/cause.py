"""What a rollout is for: which parts changed, what was written to change them, by what, and why.

It is read from the objects as they are when the rollout begins. A field manager is a program's
name; where nothing tells who changed something, nobody is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from turnout.api.agent import Agent
from turnout.api.base import FieldManager, ObjectMeta, VersionRef
from turnout.api.rollout import Cause, ChangedBy
from turnout.api.version import AgentVersion, Plane
from turnout.core.content import Content
from turnout.core.intake import Wanted
from turnout.core.quoting import quoted
from turnout.core.world import World

CHANGE_CAUSE: Final = "kubernetes.io/change-cause"
"""Annotation in which kubectl and its users keep why they changed something."""

TOGETHER: Final = timedelta(seconds=2)
"""What was written within so long was written by one command: so long content is waited for."""

_OF_THE_AGENT: Final = frozenset({Plane.RUNTIME, Plane.MODEL})
"""Planes that are written in the Agent itself."""

_NOBODY: Final = FieldManager()
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def cause_of(world: World, wanted: Wanted, stable: VersionRef | None) -> Cause:
    """Tell the cause of a rollout that begins now."""
    before = world.versions.get(stable.version) if stable is not None else None
    planes = _changed_planes(world, wanted, before, first=stable is None)
    if wanted.fallback is not None:
        return Cause(planes=planes)  # nobody wrote anything
    changed = _last_written(_changed(world.agent, wanted.content, before, planes))
    causes = [one.annotations[CHANGE_CAUSE] for one in changed if CHANGE_CAUSE in one.annotations]
    managers = [_last_write(one).manager for one in changed if _last_write(one).manager]
    return Cause(
        planes=planes,
        change_cause=quoted(causes[0]) if causes else None,
        changed_by=ChangedBy(manager=quoted(managers[0])) if managers else None,
    )


def _last_written(changed: Iterable[ObjectMeta]) -> list[ObjectMeta]:
    """Keep what was written last: of several objects that one command applied all of them."""
    found = sorted(changed, key=_written_at, reverse=True)
    return [one for one in found if _written_at(found[0]) - _written_at(one) <= TOGETHER]


def _changed_planes(
    world: World, wanted: Wanted, before: AgentVersion | None, *, first: bool
) -> tuple[Plane, ...]:
    """Name the planes that differ; none where the version before is not known any more."""
    if before is None and not first:
        return ()
    former, planes = _planes(before), _planes(world.versions.get(wanted.ref.version))
    if wanted.content is not None:
        planes = wanted.content.digests.planes
    return tuple(one for one in Plane if planes and planes.get(one) != former.get(one))


def _planes(version: AgentVersion | None) -> Mapping[Plane, str]:
    return {one.name: one.digest for one in version.spec.planes} if version is not None else {}


def _changed(
    agent: Agent,
    content: Content | None,
    before: AgentVersion | None,
    planes: tuple[Plane, ...],
) -> Iterator[ObjectMeta]:
    """Give the objects that were written to bring the change about.

    A shared object was where its generation is another one. The Agent was where one of its own
    planes differs or it is pinned, and, for a reference that it changed, where it was written
    since the version before was made.
    """
    known = _generations(before)
    if content is None or _OF_THE_AGENT & {*planes} or _is_newer(agent.metadata, before):
        yield agent.metadata
    if content is None:
        return
    for found, source in zip(content.shared, content.version_sources(), strict=True):
        if source.plane in planes and known.get(source.uid) != source.generation:
            yield found.metadata


def _generations(version: AgentVersion | None) -> Mapping[str, int]:
    return {one.uid: one.generation for one in version.spec.sources} if version is not None else {}


def _is_newer(metadata: ObjectMeta, before: AgentVersion | None) -> bool:
    """Tell whether an object was written after a version was made, as far as is known."""
    made = before.metadata.creation_timestamp if before is not None else None
    return made is not None and _written_at(metadata) > made


def _last_write(metadata: ObjectMeta) -> FieldManager:
    """Find who wrote an object last; of what is written by itself, as a status, nothing."""
    own = [one for one in metadata.managed_fields if not one.subresource]
    return max(own, key=lambda one: one.time or _NEVER, default=_NOBODY)


def _written_at(metadata: ObjectMeta) -> datetime:
    return _last_write(metadata).time or _NEVER
