"""From stored documents to the core's types; what does not parse is said, never raised."""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from turnout.adapters.documents import Document
from turnout.adapters.pods import pod
from turnout.api.base import Resource
from turnout.api.rollout import RolloutPhase
from turnout.core.phase import has_ended
from turnout.core.quoting import quoted
from turnout.core.reasons import Reason
from turnout.core.world import Child, Pod, Unread
from turnout.errors import Invalid

Known = TypeVar("Known", bound=Resource)

_ENDS: Final = frozenset(phase.value for phase in RolloutPhase if has_ended(phase))

_SHOWN = 64
"""Characters of a value that are shown where it cannot be read."""

_DERIVED = frozenset(
    ("Agent", "Prompt", "ToolRegistry", "AgentPolicy", "RolloutStrategy", "MetricTemplate")
)
"""Kinds whose status is concluded anew at each look; that of others is a record."""


def parse(kind: type[Known], document: Document | Invalid) -> Known | Unread:
    """Read one of our kinds.

    A part of a status that cannot be read is as good as lost where a status may be lost: another
    operator's word there keeps nobody from what the spec asks for.
    """
    if isinstance(document, Invalid):
        return Unread(document.message)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        spoilt = {_top(one["loc"]) for one in error.errors(include_url=False)}
        parts = {part for _, part in spoilt}
        if kind.__name__ in _DERIVED and {top for top, _ in spoilt} == {"status"} and all(parts):
            kept = {key: value for key, value in document["status"].items() if key not in parts}
            return parse(kind, {**document, "status": kept})
        return _unread(error)


def _top(place: tuple[int | str, ...]) -> tuple[str, str]:
    """Name the outermost two fields of a place; "" where there is only one."""
    outer, inner = (*place, "", "")[:2]
    return str(outer), str(inner)


def _unread(error: ValidationError) -> Unread:
    """Say which field cannot be read, its value, what is read there, and the mend."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    found = "" if first["type"] == "missing" else f" is {_shown(first['input'])}"
    return Unread(
        f"{where}{found}: {first['msg']}; change it, or run the operator that its CRDs came with",
        Reason.INVALID_SPEC,
    )


def _shown(value: Any) -> str:
    return quoted(value if isinstance(value, str) else repr(value), _SHOWN)


def pods(documents: Iterable[Document | Invalid]) -> tuple[Pod, ...]:
    """Read an Agent's pods; of one that cannot be read nothing is known."""
    known = (pod(one) for one in documents if not isinstance(one, Invalid))
    return tuple(one for one in known if one is not None)


def is_running(rollout: Document | Invalid) -> bool:
    """Claim that a rollout has not ended, by its phase alone: thousands are asked at a time."""
    if isinstance(rollout, Invalid):
        return False
    return (rollout.get("status") or {}).get("phase") not in _ENDS


def child(document: Document) -> Child:
    """Read a child with what a fenced write of it needs."""
    metadata = document["metadata"]
    return Child(metadata["uid"], metadata["resourceVersion"], document)


__all__ = ["child", "is_running", "parse", "pod", "pods"]
