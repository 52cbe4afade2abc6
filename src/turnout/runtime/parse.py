"""From stored documents to the core's types; what does not parse is said, never raised.

Both are frozen, so all who look at the same version of an object hold the same value. Without that
a fleet of canaries takes twice the memory: each Agent would hold its own copies of what they share.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, ValidationError

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
    (
        "Agent",
        "Prompt",
        "ToolRegistry",
        "AgentPolicy",
        "RolloutStrategy",
        "MetricTemplate",
        "EvalSuite",
    )
)
"""Kinds whose status is concluded anew at each look; that of others is a record."""


_Version: TypeAlias = tuple[str, str, str]
_HELD: Final[WeakValueDictionary[_Version, Resource]] = WeakValueDictionary()
_NAMES: Final[WeakValueDictionary[frozenset[str], set[str]]] = WeakValueDictionary()


def parse(kind: type[Known], document: Document | Invalid) -> Known | Unread:
    """Read one of our kinds, or take what was read of this very version and is still held."""
    if isinstance(document, Invalid):
        return Unread(document.message)
    metadata = document["metadata"]
    version = kind.__name__, metadata.get("uid", ""), metadata.get("resourceVersion", "")
    held = _HELD.get(version)
    if isinstance(held, kind):
        return held
    found = _read(kind, document)
    if isinstance(found, Resource) and all(version):
        _share_names(found)
        _HELD[version] = found
    return found


def _share_names(node: Any) -> None:
    """Let values share the sets of names that pydantic keeps of the fields that were given."""
    if isinstance(node, BaseModel):
        names = node.model_fields_set
        shared = _NAMES.setdefault(frozenset(names), names)
        object.__setattr__(node, "__pydantic_fields_set__", shared)
        for value in vars(node).values():
            _share_names(value)
    elif isinstance(node, tuple):
        for value in node:
            _share_names(value)


def _read(kind: type[Known], document: Document) -> Known | Unread:
    """Read one of our kinds.

    A part of a status that cannot be read is as good as lost where a status may be lost: another
    operator's word there keeps nobody from what the spec asks for.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        spoilt = {_top(one["loc"]) for one in error.errors(include_url=False)}
        parts = {part for _, part in spoilt}
        if kind.__name__ in _DERIVED and {top for top, _ in spoilt} == {"status"} and all(parts):
            kept = {key: value for key, value in document["status"].items() if key not in parts}
            return _read(kind, {**document, "status": kept})
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


def runs(phase: str | None) -> bool:
    """Claim that a rollout of this phase has not ended: thousands are asked at a time."""
    return phase not in _ENDS


def is_running(rollout: Document | Invalid) -> bool:
    """Claim that a rollout has not ended."""
    if isinstance(rollout, Invalid):
        return False
    return runs((rollout.get("status") or {}).get("phase"))


def child(document: Document) -> Child:
    """Read a child with what a fenced write of it needs."""
    metadata = document["metadata"]
    return Child(metadata["uid"], metadata["resourceVersion"], document)


__all__ = ["child", "is_running", "parse", "pod", "pods", "runs"]
