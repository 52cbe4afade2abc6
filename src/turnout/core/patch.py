"""JSON merge patch (RFC 7386) between two documents, and whether one holds in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from turnout.api.base import Wire

_Wire = TypeVar("_Wire", bound=Wire)


def stored(status: Wire) -> dict[str, Any]:
    """Give a status as it stands in the cluster, without the defaults that parsing filled in."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


def revised(model: _Wire, **changes: Any) -> _Wire:
    """Change fields of a wire value, held to its schema: texts are clipped, bounds are kept.

    Where nothing is changed it is the very same value: what compares it later sees that at once.
    """
    known = dict(model)
    if all(known[name] is value or known[name] == value for name, value in changes.items()):
        return model
    return model.model_validate(known | changes)


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Give the smallest merge patch that makes ``after`` of ``before``; empty if they are equal."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if key in before and old == value:
            continue
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            patch[key] = merge_patch(old, value)
        else:
            patch[key] = value
    return patch


def holds(wanted: Any, found: Any) -> bool:
    """Tell whether everything wanted is found; what the API server added besides is no matter."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            holds(value, found.get(key)) for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        if not wanted and found is None:
            return True
        return (
            isinstance(found, list | tuple)
            and len(wanted) == len(found)
            and all(holds(one, other) for one, other in zip(wanted, found, strict=True))
        )
    return bool(wanted == found)
