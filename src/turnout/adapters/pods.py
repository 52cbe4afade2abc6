"""Pods as their kubelet tells of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from turnout.adapters.documents import Document
from turnout.core.naming import KILL, KILL_REPEAT_AT, MODE_LABEL, RENDER, VERSION_LABEL
from turnout.core.pods import LIVE
from turnout.core.world import Pod

_STARTING = {"ContainerCreating", "PodInitializing"}


def pod(document: Document) -> Pod | None:
    """Read a pod of an agent; None for one without a version, or that serves no users."""
    metadata, status = document["metadata"], document.get("status") or {}
    labels = metadata.get("labels") or {}
    version = labels.get(VERSION_LABEL)
    if version is None or labels.get(MODE_LABEL, LIVE) != LIVE:
        return None
    annotations = metadata.get("annotations") or {}
    going = "deletionTimestamp" in metadata
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready", {}).get("status") == "True"
    return Pod(
        name=metadata["name"],
        version=version,
        ready=ready and not going,
        created=datetime.fromisoformat(metadata["creationTimestamp"]).timestamp(),
        trouble=None if ready else _trouble(status, conditions),
        resource=metadata["resourceVersion"],
        order=annotations.get(KILL),
        repeat_at=annotations.get(KILL_REPEAT_AT),
        hears=RENDER in annotations and not going,
    )


def _trouble(status: Mapping[str, Any], conditions: Mapping[str, Any]) -> str | None:
    """Say why a pod is not ready, in the words of kubelet or scheduler."""
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return _said(scheduled)
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        stopped = state.get("waiting") or state.get("terminated")
        if stopped and stopped.get("reason") not in _STARTING:
            return f"container {container['name']} {_said(stopped)}"
    return None


def _said(part: Mapping[str, Any]) -> str:
    reason, message = part.get("reason") or "not ready", part.get("message") or ""
    return f"{reason}: {message}"[:200] if message else str(reason)
