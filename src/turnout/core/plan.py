"""What a decision asks the shell to do: a closed union of actions.

Each action is one request to the API server. Their order is part of the decision: the record
of a decision comes before the act that it explains, and traffic moves before pods do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """The object an action is about, by its kind as in a manifest."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Create:
    """Make an object that does not exist; one that does is left alone and read again."""

    manifest: Document


@dataclass(frozen=True)
class Apply:
    """Server-side apply of the fields given, refused where the object changed meanwhile.

    Attributes:
        manifest: The fields that shall hold, with apiVersion, kind and metadata; its uid keeps the
            API server from making the object anew where it was deleted meanwhile.
        version: resourceVersion that the decision was made on: the fence.
        whole: True where the manifest names all that we want of the object, so that what it
            lacks of ours goes; False where it changes some fields and keeps the others.
    """

    manifest: Document
    version: str
    whole: bool = True


@dataclass(frozen=True)
class Record:
    """Write an object's status, refused where the object changed meanwhile."""

    target: Target
    status: Document
    version: str


@dataclass(frozen=True)
class Remove:
    """Delete exactly the object that was seen, never a successor of the same name."""

    target: Target
    uid: str
    version: str


@dataclass(frozen=True)
class Release:
    """Drop the mark by which an object is known as ours: it stays, and we leave it alone."""

    target: Target
    version: str


@dataclass(frozen=True)
class Annotate:
    """Set annotations of a pod that runs, or remove (None), refused where it changed meanwhile."""

    target: Target
    annotations: Mapping[str, str | None]
    version: str


Action = Create | Apply | Record | Remove | Release | Annotate


@dataclass(frozen=True)
class Announcement:
    """One Kubernetes Event: a change that a person would want to be told of.

    Attributes:
        key: What makes it the same announcement after a restart (the rollout and its step).
        regarding: The object whose ``kubectl describe`` shows it.
        warning: True for what asks for a person's attention.
    """

    key: str
    regarding: Target
    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True)
class Decision:
    """What to do about one Agent now, and why.

    Attributes:
        rule: Name of the rule that spoke.
        reason: CamelCase word shown in conditions.
        message: Sentence with the metric, the values and the rule.
        actions: Requests in their order.
        announcements: Events, sent after the actions succeeded.
        again_in: When to look again if nothing happens before; None leaves it to events.
    """

    rule: str
    reason: str
    message: str
    actions: tuple[Action, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    again_in: timedelta | None = None
