"""How Turnout comes to own the fields of what it created.

A create is a POST, so that it never takes over what is there. Its fields are owned by an
"Update" entry, though, and a later server-side apply would leave a field that it no longer
names: only fields of an "Apply" entry go away. So the first apply joins both entries into one,
as kubectl does for objects that were made by `kubectl create`.
"""

from collections.abc import Mapping
from typing import Any

from turnout.adapters.documents import FIELD_MANAGER, Document, version_of

_Fields = Mapping[str, Any]


def joined(document: Document) -> list[Mapping[str, Any]] | None:
    """Return the JSON patch that joins our entries, None where there is nothing to join."""
    entries = list(document["metadata"].get("managedFields") or ())
    created = [entry for entry in entries if _is_ours(entry, "Update")]
    applied = [entry for entry in entries if _is_ours(entry, "Apply")]
    if not created or not applied:
        return None
    fields: _Fields = {}
    for entry in created + applied:
        fields = _union(fields, entry["fieldsV1"])
    others = [entry for entry in entries if entry not in created + applied]
    owned = [*others, {**applied[0], "fieldsV1": fields}]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version_of(document)},
        {"op": "replace", "path": "/metadata/managedFields", "value": owned},
    ]


def _is_ours(entry: Mapping[str, Any], operation: str) -> bool:
    """Claim that an entry is ours and about the object itself, not its status."""
    told = (entry.get("manager"), entry.get("operation"), entry.get("subresource", ""))
    return told == (FIELD_MANAGER, operation, "")


def _union(one: _Fields, other: _Fields) -> _Fields:
    return {key: _union(one.get(key, {}), other.get(key, {})) for key in {**one, **other}}
