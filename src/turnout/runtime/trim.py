"""What the Store keeps of a document: enough to decide, little enough to keep thousands.

The shape stays Kubernetes' own, so a trimmed document reads like a whole one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from turnout.adapters.documents import (
    CONFIG_MAP,
    HTTP_ROUTE,
    JOB,
    OWN_KINDS,
    POD,
    Document,
    Kind,
    Ref,
)
from turnout.errors import Invalid

DATA_VERSION = "dataVersion"
"""Stands in a kept ConfigMap for its data, which is not read: each version may have other data."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MESSAGE_LIMIT = 256
_POD_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "labels",
    "annotations",
    "ownerReferences",
    "creationTimestamp",
    "deletionTimestamp",
)
_POD_STATUS = ("phase", "reason", "message", "startTime")
_CONDITION = ("type", "status", "reason", "message", "lastTransitionTime")
_CONTAINER = ("name", "ready", "restartCount", "imageID")
_STATE = ("reason", "message", "exitCode", "finishedAt")
_MANAGER = ("manager", "operation", "time")


def trim(kind: Kind, document: Document) -> Document:
    """Return the part of a document that decisions look at."""
    if kind == POD:
        return _pod(document)
    kept = {key: value for key, value in document.items() if key not in {"apiVersion", "kind"}}
    kept["metadata"] = _metadata(document["metadata"], managers=kind in (*OWN_KINDS, HTTP_ROUTE))
    if kind == JOB:
        return {key: value for key, value in kept.items() if key != "spec"}
    if kind == CONFIG_MAP:
        return {"metadata": kept["metadata"], DATA_VERSION: document["metadata"]["resourceVersion"]}
    return kept


def slimmed(ref: Ref, item: Document | Invalid) -> Document | Invalid:
    """Trim an item of a list at once, while the rest of the list is still to come.

    What does not have the shape of its kind is left for the Store to say so.
    """
    try:
        return item if isinstance(item, Invalid) else trim(ref.kind, item)
    except (AttributeError, KeyError, TypeError):
        return item


def _metadata(metadata: Document, *, managers: bool) -> Document:
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    if managers:
        kept["managedFields"] = [
            _some(entry, _MANAGER)
            for entry in metadata.get("managedFields") or ()
            if not entry.get("subresource")
        ]
    annotations = metadata.get("annotations") or {}
    if _LAST_APPLIED in annotations:
        kept["annotations"] = {k: v for k, v in annotations.items() if k != _LAST_APPLIED}
    return kept


def _pod(pod: Document) -> Document:
    status = pod.get("status") or {}
    return {
        "metadata": _some(pod["metadata"], _POD_METADATA),
        "status": _some(status, _POD_STATUS)
        | {
            "conditions": [_some(entry, _CONDITION) for entry in status.get("conditions") or ()],
            "initContainerStatuses": _containers(status.get("initContainerStatuses")),
            "containerStatuses": _containers(status.get("containerStatuses")),
        },
    }


def _containers(statuses: Iterable[Document] | None) -> list[Document]:
    return [
        _some(entry, _CONTAINER)
        | {key: _states(entry[key]) for key in ("state", "lastState") if entry.get(key)}
        for entry in statuses or ()
    ]


def _states(states: Mapping[str, Document]) -> Document:
    """Keep what each state ("waiting", "terminated", "running") says about itself."""
    return {name: _some(detail, _STATE) for name, detail in states.items()}


def _some(document: Document, keys: Iterable[str]) -> dict[str, Any]:
    return {key: _short(document[key]) for key in keys if key in document}


def _short(value: Any) -> Any:
    """Cut a foreign text; names and reasons are shorter than the limit by Kubernetes' rules."""
    return value[:_MESSAGE_LIMIT] if isinstance(value, str) else value
