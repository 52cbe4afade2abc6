"""Objects whose content lies outside the cluster: what is pinned of it, and what to do about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from turnout.api.base import LocalRef, Resource, Status
from turnout.core import naming
from turnout.core.jobs import owner_reference
from turnout.core.patch import merge_patch, stored
from turnout.core.plan import Action, Announcement, Create, Record, Remove, Target
from turnout.core.world import Unread


@dataclass(frozen=True)
class Pinned:
    """The ConfigMap that holds what was read outside, as it was read back.

    Attributes:
        name: Its name.
        uid: Its identity, for a delete.
        version: Its resourceVersion, for a delete.
        data: Its files.
    """

    name: str
    uid: str
    version: str
    data: Mapping[str, str]


@dataclass(frozen=True)
class SourceOutcome:
    """What to do about one such object now.

    Attributes:
        actions: Requests in their order.
        announcements: Events, sent after the actions succeeded.
        again_at: When to look again if nothing happens before.
        concerns_users: True where the Agents that refer to it have to look at it again.
    """

    actions: tuple[Action, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    again_at: datetime | None = None
    concerns_users: bool = False


def target_of(source: Resource) -> Target:
    """Name such an object, for what is written on it and told of it."""
    return Target(type(source).__name__, source.metadata.namespace, source.metadata.name)


def content_ref(source: Resource, data: Mapping[str, str] | None) -> LocalRef | None:
    """Name the ConfigMap of what was read; None where nothing was."""
    return None if data is None else LocalRef(name=pinned_name(source, data))


def actions_of(
    source: Resource,
    before: Status,
    status: Status,
    data: Mapping[str, str] | None,
    pinned: Pinned | Unread | None,
) -> Iterator[Action]:
    """Write what was read before it is named, and drop the old only once it is not.

    Args:
        source: The object.
        before: Its status as it is stored.
        status: Its status from now on.
        data: What was read, as the files of its ConfigMap; None where nothing was.
        pinned: The ConfigMap that the stored status names.
    """
    there = pinned if isinstance(pinned, Pinned) else None
    name = None if data is None else pinned_name(source, data)
    if data is not None and (there is None or there.name != name):
        yield Create(pinned_map(source, data))
    patch = merge_patch(stored(before), status.to_wire())
    if patch:
        yield Record(target_of(source), patch, source.metadata.resource_version)
    if there is not None and there.name != name:
        target = Target("ConfigMap", source.metadata.namespace, there.name)
        yield Remove(target, there.uid, there.version)


def pinned_name(source: Resource, data: Mapping[str, str]) -> str:
    """Name the ConfigMap by the bytes in it."""
    return f"{source.metadata.name}-{_hexes(data)}"


def pinned_map(source: Resource, data: Mapping[str, str]) -> dict[str, Any]:
    """Render the immutable ConfigMap that goes away with its object."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": pinned_name(source, data),
            "namespace": source.metadata.namespace,
            "labels": {naming.MANAGED_BY: naming.MANAGER},
            "ownerReferences": [owner_reference(source)],
        },
        "immutable": True,
        "data": dict(data),
    }


def read_pinned(name: str, document: Mapping[str, Any]) -> Pinned | Unread:
    """Read such a ConfigMap, and prove that it holds the bytes that it is named for."""
    data, metadata = document.get("data") or {}, document["metadata"]
    if not name.endswith(f"-{_hexes(data)}"):
        return Unread(f"ConfigMap {name} does not hold what was pinned")
    return Pinned(name, metadata["uid"], metadata["resourceVersion"], data)


def _hexes(data: Mapping[str, str]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(data))).hexdigest()[: naming.SHORTEST_HEX]
