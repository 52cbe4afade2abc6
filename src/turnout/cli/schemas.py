"""What differs between two JSON Schemas of a tool's arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from turnout.cli.changes import ABSENT, ITEM, Change, Json, changes

_PRESENCE: Final = "\0"
"""Key under which a property says whether it is required: no schema has one of that name."""

_REQUIRED: Final = "required"
_OPTIONAL: Final = "optional"
_ONE: Final = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains"})
_MANY: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_TEXTS: Final = frozenset({"description", "title", "examples", "default", "$comment"})
"""Keywords that refuse nothing."""

_LOWER: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_BOUNDS: Final = _LOWER | _UPPER


def schema_changes(before: Json, after: Json, path: str) -> Iterator[Change]:
    """Find what differs; a property is `optional` or `required` in place of a name in a list.

    A change is breaking where arguments that were valid before may be refused now.
    """
    for change in changes(_told(before), _told(after), path):
        yield _plain(replace(change, breaking=_is_breaking(change)))


def _told(schema: Json) -> Json:
    """Write into each property whether it is required."""
    if not isinstance(schema, Mapping):
        return schema
    told = {key: _told_inside(key, value) for key, value in schema.items()}
    properties = told.get("properties")
    if not isinstance(properties, Mapping):
        return told
    names = told.get("required")
    required = names if isinstance(names, list) else []
    told["properties"] = {
        name: {**_as_mapping(one), _PRESENCE: _REQUIRED if name in required else _OPTIONAL}
        for name, one in properties.items()
    }
    told["required"] = [name for name in required if name not in properties]
    return told


def _told_inside(key: str, value: Json) -> Json:
    if key in _ONE:
        return _told(value)
    if key in _MANY and isinstance(value, list):
        return [_told(one) for one in value]
    if key in _NAMED and isinstance(value, Mapping):
        return {name: _told(one) for name, one in value.items()}
    return value


def _as_mapping(schema: Json) -> Mapping[str, Json]:
    """Write a schema that is only true or false in full."""
    if isinstance(schema, Mapping):
        return schema
    return {} if schema else {"not": {}}


def _is_breaking(change: Change) -> bool:
    before, after = change.before, change.after
    if _is_property(before) or _is_property(after):
        return before is not ABSENT or bool(after[_PRESENCE] == _REQUIRED)
    word = change.path.rpartition(".")[2]
    if word == _PRESENCE:
        return bool(after == _REQUIRED)
    if word in _TEXTS:
        return False
    if word in _BOUNDS:
        return _is_tighter(word, before, after)
    if word.endswith(ITEM):
        return (after is ABSENT) == word.startswith(("enum", "type"))
    return after is not ABSENT and after is not True


def _is_property(value: Json) -> bool:
    return isinstance(value, Mapping) and _PRESENCE in value


def _is_tighter(word: str, before: Json, after: Json) -> bool:
    if before is ABSENT or after is ABSENT:
        return before is ABSENT
    try:
        return bool(after < before if word in _UPPER else after > before)
    except TypeError:
        return True


def _plain(change: Change) -> Change:
    """Take the marks out again."""
    sides: tuple[Any, ...] = (change.before, change.after)
    told = next((one for one in sides if isinstance(one, Mapping) and _PRESENCE in one), {})
    return replace(
        change,
        path=change.path.removesuffix(f".{_PRESENCE}"),
        before=_unmarked(change.before),
        after=_unmarked(change.after),
        note=str(told.get(_PRESENCE, "")),
    )


def _unmarked(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _unmarked(one) for key, one in value.items() if key != _PRESENCE}
    return [_unmarked(one) for one in value] if isinstance(value, list) else value
