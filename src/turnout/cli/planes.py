"""What differs between two versions, plane by plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from turnout.api.base import Content
from turnout.api.digest import FOREIGN_KEYS, FOREIGN_PREFIXES, Digests
from turnout.api.prompt import PromptSpec
from turnout.api.tools import Tool, ToolRegistrySpec
from turnout.api.version import Plane
from turnout.cli.changes import ABSENT, ORDER, Change, Json, changes
from turnout.cli.schemas import schema_changes
from turnout.core.jsontext import parse
from turnout.core.stored import Parts


class Fate(StrEnum):
    """What became of a part from one version to the next."""

    ADDED = "Added"
    REMOVED = "Removed"
    CHANGED = "Changed"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both versions."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Part:
    """A prompt, a tool, or all of a plane that has no names inside.

    Attributes:
        name: Its name; empty for all of a plane.
        fields: What differs in it; where it was added or removed, all that it has.
        text: A prompt's text where that differs.
    """

    name: str
    fate: Fate
    fields: tuple[Change, ...] = ()
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class PlaneDifference:
    """One plane in two versions.

    Attributes:
        differs: Whether the digests differ, which is what counts.
        parts: In what; empty where this program does not know the field that differs.
        total: Parts in the later version.
    """

    plane: Plane
    differs: bool
    parts: tuple[Part, ...] = ()
    total: int = 0


def compare(
    before: tuple[Parts, Digests], after: tuple[Parts, Digests]
) -> tuple[PlaneDifference, ...]:
    """Find what differs, in each plane that either version has.

    Digests say whether a plane differs, and only then are its fields compared: what is no
    content, as a label that a deployment tool wrote, is never shown.
    """
    (old, old_digests), (new, new_digests) = before, after
    found = []
    for plane in sorted({*old_digests.planes, *new_digests.planes}, key=SHOWN.index):
        differs = old_digests.planes.get(plane) != new_digests.planes.get(plane)
        look = _LOOKS.get(plane)
        parts = tuple(look(old, new)) if differs and look is not None else ()
        found.append(PlaneDifference(plane, differs, parts, _count(new, plane)))
    return tuple(found)


def _count(parts: Parts, plane: Plane) -> int:
    if plane is Plane.TOOLS:
        return len(parts.tools.tools) if parts.tools else 0
    return len(parts.prompts) if plane is Plane.PROMPT else 1


def _prompts(old: Parts, new: Parts) -> Iterator[Part]:
    for name in dict.fromkeys((*old.prompts, *new.prompts)):
        before, after = old.prompts.get(name), new.prompts.get(name)
        if before != after:
            fields = tuple(changes(_prompt_fields(before), _prompt_fields(after)))
            yield Part(name, _fate(before, after), fields, _text(before, after))
    yield from _order("", [*old.prompts], [*new.prompts])


def _prompt_fields(prompt: PromptSpec | None) -> Json:
    if prompt is None:
        return {}
    return {key: value for key, value in prompt.to_wire().items() if key != "text"}


def _text(before: PromptSpec | None, after: PromptSpec | None) -> Text | None:
    found = Text(*((one.text if one else None) or "" for one in (before, after)))
    return found if found.before != found.after else None


def _tools(old: Parts, new: Parts) -> Iterator[Part]:
    before, after = _by_name(old.tools), _by_name(new.tools)
    rest = tuple(changes(_around_tools(old.tools), _around_tools(new.tools)))
    if rest:
        yield Part("", Fate.CHANGED, rest)
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one != other:
            yield Part(name, _fate(one, other), tuple(_tool_changes(one, other)))
    yield from _order("", [*before], [*after])


def _by_name(registry: ToolRegistrySpec | None) -> dict[str, Tool]:
    return {one.name: one for one in registry.tools} if registry else {}


def _around_tools(registry: ToolRegistrySpec | None) -> Json:
    """Give what a registry holds besides its tools."""
    if registry is None:
        return {}
    return {key: value for key, value in registry.to_wire().items() if key != "tools"}


def _tool_changes(before: Tool | None, after: Tool | None) -> Iterator[Change]:
    old, new = (_tool_fields(one) for one in (before, after))
    schemas = [side.pop("inputSchema", ABSENT) for side in (old, new)]
    yield from changes(old, new)
    look = changes if before is None or after is None else schema_changes
    yield from look(schemas[0], schemas[1], "inputSchema")


def _tool_fields(tool: Tool | None) -> dict[str, Any]:
    if tool is None:
        return {}
    wire = {key: value for key, value in tool.to_wire().items() if key != "name"}
    return wire | {"inputSchema": _json(wire.get("inputSchema", ABSENT))}


def _policy(old: Parts, new: Parts) -> Iterator[Part]:
    yield from _whole(old.policy, new.policy)


def _model(old: Parts, new: Parts) -> Iterator[Part]:
    yield from _whole(old.model, new.model)


def _whole(before: Content | None, after: Content | None) -> Iterator[Part]:
    """Compare what has no named parts; JSON in its texts is looked into."""
    old, new = (_opened(one.to_wire()) if one else {} for one in (before, after))
    yield Part("", _fate(before, after), tuple(changes(old, new)))


def _runtime(old: Parts, new: Parts) -> Iterator[Part]:
    before, after = (
        _without_foreign(one.template) | ({"container": one.container} if one.container else {})
        for one in (old, new)
    )
    yield Part("", Fate.CHANGED, tuple(changes(before, after)))


def _without_foreign(template: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the metadata that deployment tools write: it is no content."""
    metadata = template.get("metadata") or {}
    own = {
        kind: {key: value for key, value in (pairs or {}).items() if not _is_foreign(key)}
        for kind, pairs in metadata.items()
        if kind in {"labels", "annotations"}
    }
    return {**template, "metadata": {kind: pairs for kind, pairs in own.items() if pairs}}


def _is_foreign(key: str) -> bool:
    return key in FOREIGN_KEYS or key.startswith(FOREIGN_PREFIXES)


def _opened(document: Json) -> Json:
    """Read JSON that travels in a field `extra`."""
    extra = document.get("extra")
    return document if extra is None else document | {"extra": _json(extra)}


def _json(value: Json) -> Json:
    """Read a text as JSON, or leave it as it is."""
    if not isinstance(value, str):
        return value
    try:
        return parse("", value)
    except ValueError:
        return value


def _fate(before: object | None, after: object | None) -> Fate:
    if before is None:
        return Fate.ADDED
    return Fate.REMOVED if after is None else Fate.CHANGED


def _order(name: str, before: list[str], after: list[str]) -> Iterator[Part]:
    """Say where what both have changed places."""
    old, new = [one for one in before if one in after], [one for one in after if one in before]
    if old != new:
        yield Part(name, Fate.CHANGED, (Change(ORDER, old, new),))


_LOOKS: Mapping[Plane, Callable[[Parts, Parts], Iterator[Part]]] = {
    Plane.PROMPT: _prompts,
    Plane.TOOLS: _tools,
    Plane.POLICY: _policy,
    Plane.MODEL: _model,
    Plane.RUNTIME: _runtime,
}

SHOWN: tuple[Plane, ...] = (*_LOOKS, *(one for one in Plane if one not in _LOOKS))
"""The planes in the order in which people look at them."""
