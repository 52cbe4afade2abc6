"""Pods of a run: whether they are ready, and what keeps them from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from turnout.core import naming
from turnout.core.plan import Document
from turnout.core.quoting import quoted

_NO_IMAGE: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
)
_KILLED: Final = "OOMKilled"


@dataclass(frozen=True)
class Trouble:
    """What keeps a pod from doing its work.

    Attributes:
        reason: ImagePull, OOMKilled or NotReady.
        message: The same in the words of kubelet or scheduler, made safe to show.
    """

    reason: str
    message: str


def of_version(pods: Iterable[Document], version: str) -> tuple[Document, ...]:
    """Give the pods in which a version runs to be evaluated."""
    return tuple(one for one in pods if _label(one, naming.VERSION_LABEL) == version)


def of_job(pods: Iterable[Document]) -> tuple[Document, ...]:
    """Give the pods of the run's Job."""
    return tuple(one for one in pods if _label(one, naming.TASK_LABEL) is not None)


def is_ready(pod: Document) -> bool:
    """Claim that requests can reach a pod."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def trouble_of(pods: Iterable[Document]) -> Trouble | None:
    """Tell what is wrong with pods, the plainest first; None where nothing shows."""
    found = [one for pod in pods for one in _troubles(pod)]
    order = ("ImagePull", _KILLED, "NotReady")
    return min(found, key=lambda one: order.index(one.reason), default=None)


def _troubles(pod: Document) -> Iterator[Trouble]:
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield Trouble("NotReady", _said("pod", condition))
    lists = (status.get(name) or () for name in ("initContainerStatuses", "containerStatuses"))
    for container in chain(*lists):
        name = f"container {container.get('name')}"
        for kept in ("lastState", "state"):
            for state in (container.get(kept) or {}).values():
                yield from _told(name, state)


def _told(name: str, state: Mapping[str, Any]) -> Iterator[Trouble]:
    reason = state.get("reason")
    if reason in _NO_IMAGE:
        yield Trouble("ImagePull", _said(name, state))
    elif reason == _KILLED:
        yield Trouble(_KILLED, f"{name} was killed: it needs more memory than its limit")
    elif reason not in {None, "ContainerCreating", "PodInitializing", "Completed"}:
        yield Trouble("NotReady", _said(name, state))


def _said(what: str, part: Mapping[str, Any]) -> str:
    reason, message = part.get("reason") or "not ready", part.get("message")
    return quoted(f"{what} {reason}: {message}" if message else f"{what} {reason}")


def _label(pod: Document, name: str) -> str | None:
    found: str | None = (pod["metadata"].get("labels") or {}).get(name)
    return found
