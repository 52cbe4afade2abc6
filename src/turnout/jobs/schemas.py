"""Schemas of an OpenAPI document as JSON Schema 2020-12 that stands by itself.

What a schema refers to is put in its place; what refers to itself is kept under ``$defs``. OpenAPI
3.1 has JSON Schema 2020-12; 3.0 has a dialect of its own, of which ``nullable`` and the flags
``exclusiveMinimum`` and ``exclusiveMaximum`` are put into other words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from turnout.core.checks_text import DIALECT
from turnout.core.jsontext import DEEPEST
from turnout.core.pins import MOST_SCHEMA
from turnout.errors import TaskFailed

_COMPONENTS: Final = "#/components/"
_MOST_HOPS: Final = 8
"""References to references that are followed."""

_MOST_SPENT: Final = 4 * MOST_SCHEMA
"""Characters that one tool's schema is made of at most, with what is left out of it."""

_DEEPEST: Final = 2 * DEEPEST
"""Levels that are followed: a reference is one, and leaves none behind."""

_ONE: Final = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"dependentSchemas", "patternProperties", "properties"})
_LEFT_OUT: Final = frozenset(
    {"$comment", "$defs", "definitions", "discriminator", "externalDocs", "xml"}
)
_STRANGE: Final = frozenset(
    {
        "$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef",
        "$schema", "$vocabulary",
    }
)  # fmt: skip
"""Words that make a schema mean something else elsewhere."""

NOTES: Final = frozenset(
    {"default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)
"""Words that tell of a value and refuse none."""


def unsupported(message: str) -> TaskFailed:
    """Make the answer to what may be right, and cannot be taken."""
    return TaskFailed("Unsupported", message)


def misshapen() -> TaskFailed:
    """Make the answer to what is no OpenAPI."""
    return TaskFailed("DiscoveryFailed", "its document is not what OpenAPI describes")


class Components:
    """What the parts of one document refer to.

    Attributes:
        legacy: True where its schemas are of OpenAPI 3.0.
    """

    def __init__(self, document: Mapping[str, Any], *, legacy: bool) -> None:
        self.legacy = legacy
        registry: Registry[Any] = Registry().with_resource("", Resource.opaque(document))
        self._resolver = registry.resolver()
        self._links: dict[str, frozenset[str]] = {}

    def find(self, ref: object) -> Any:
        """Return what a reference leads to.

        Raises:
            TaskFailed: It leads nowhere, or out of the document's components.
        """
        if not isinstance(ref, str) or not ref.startswith(_COMPONENTS):
            raise unsupported("it refers to something outside #/components/ of its document")
        try:
            return self._resolver.lookup(ref).contents
        except (Unresolvable, ValueError, TypeError):
            raise unsupported("it refers to something that its document lacks") from None

    def at(self, value: object) -> Mapping[str, Any]:
        """Return an object that stands here, or that a Reference Object here leads to.

        Raises:
            TaskFailed: There is none.
        """
        for _ in range(_MOST_HOPS):
            if not isinstance(value, Mapping):
                raise misshapen()
            if "$ref" not in value:
                return value
            value = self.find(value["$ref"])
        raise unsupported("its references lead on and on")

    def is_recursive(self, ref: str) -> bool:
        """Claim that what a reference leads to refers to itself, however far round."""
        seen: set[str] = set()
        ahead = list(self._linked(ref))
        while ahead:
            one = ahead.pop()
            if one == ref:
                return True
            if one not in seen:
                seen.add(one)
                ahead += self._linked(one)
        return False

    def _linked(self, ref: str) -> frozenset[str]:
        """Return the references in what a reference leads to."""
        if ref not in self._links:
            try:
                self._links[ref] = frozenset(_references(self.find(ref)))
            except TaskFailed:
                self._links[ref] = frozenset()
        return self._links[ref]


def _references(value: object) -> Iterator[str]:
    """Give every reference inside a value; parts that YAML shares are looked at once."""
    seen: set[int] = set()
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if id(one) in seen or not isinstance(one, dict | list):
            continue
        seen.add(id(one))
        ahead += one if isinstance(one, list) else one.values()
        ref = one.get("$ref") if isinstance(one, dict) else None
        if isinstance(ref, str):
            yield ref


class Translation:
    """The schema of one tool in the making: bounded, whatever it refers to."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._spent = 0
        self._awaited: dict[str, str] = {}

    def schema(self, value: object, level: int = 0) -> Any:
        """Translate one schema.

        Raises:
            TaskFailed: It is none, has a word that cannot be taken, or grows too large.
        """
        if isinstance(value, bool):
            return value
        if not isinstance(value, Mapping):
            raise misshapen()
        self._spend(level, value)
        if "$ref" not in value:
            return self._plain(value, level)
        beside = {} if self._components.legacy else {k: v for k, v in value.items() if k != "$ref"}
        return _joined(self._referred(value["$ref"], level), self._plain(beside, level))

    def definitions(self) -> dict[str, Any]:
        """Translate everything that refers to itself and was met so far, by name."""
        done: dict[str, Any] = {}
        while self._awaited.keys() - done.keys():
            for name in sorted(self._awaited.keys() - done.keys()):
                done[name] = self.schema(self._components.find(self._awaited[name]), 1)
        return done

    def _referred(self, ref: object, level: int) -> Any:
        found = self._components.find(ref)
        if not isinstance(ref, str) or not self._components.is_recursive(ref):
            return self.schema(found, level + 1)
        name = unquote(ref).removeprefix(_COMPONENTS).removeprefix("schemas/")
        self._awaited[name] = ref
        return {"$ref": "#/$defs/" + quote(name.replace("~", "~0").replace("/", "~1"))}

    def _plain(self, value: Mapping[str, Any], level: int) -> dict[str, Any]:
        taken = {
            key: self._part(key, part, level + 1)
            for key, part in value.items()
            if not (key in _LEFT_OUT or key.startswith("x-") or _is_usual(key, part))
        }
        if "example" in taken:
            taken.setdefault("examples", [taken["example"]])
            del taken["example"]
        return _without_read_only(_modern(taken) if self._components.legacy else taken)

    def _part(self, key: str, part: object, level: int) -> Any:
        if key in _STRANGE:
            raise unsupported("a schema of it is identified or extended by words of its own")
        if key in _ONE:
            return self.schema(part, level)
        if key in _LISTS and isinstance(part, list):
            return [self.schema(one, level) for one in part]
        if key in _MAPS and isinstance(part, Mapping):
            self._spend(level, part)
            return {name: self.schema(one, level) for name, one in part.items()}
        if key in _LISTS | _MAPS or (key == "required" and not _are_names(part)):
            raise misshapen()
        return self._copied(part, level)

    def _copied(self, value: object, level: int) -> Any:
        """Copy what is no schema: an example, a default, a number."""
        self._spend(level, value)
        if isinstance(value, Mapping):
            return {key: self._copied(one, level + 1) for key, one in value.items()}
        if isinstance(value, list):
            return [self._copied(one, level + 1) for one in value]
        return value

    def _spend(self, level: int, value: object) -> None:
        """Count a value: its text, or the keys of an object."""
        self._spent += 1
        if isinstance(value, str):
            self._spent += len(value)
        if isinstance(value, Mapping):
            self._spent += sum(map(len, value))
        if level > _DEEPEST or self._spent > _MOST_SPENT:
            raise TaskFailed("TooLarge", "its schema is larger than a registry may hold")


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_usual(key: str, part: object) -> bool:
    return key == "$schema" and part == DIALECT


def _joined(found: Any, beside: dict[str, Any]) -> Any:
    """Join what was referred to with what stands beside the reference: both hold."""
    if not beside:
        return found
    if isinstance(found, dict) and (beside.keys() <= NOTES or "$ref" in found):
        return found | beside
    return beside | {"allOf": [found, *beside.get("allOf", ())]}


def _modern(schema: dict[str, Any]) -> dict[str, Any]:
    """Put what OpenAPI 3.0 says in its own words into those of JSON Schema 2020-12."""
    nullable, kind = schema.pop("nullable", False), schema.get("type")
    if nullable is True and isinstance(kind, str):
        schema["type"] = [kind, "null"]
    for flag, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(flag), bool):
            exclusive = schema.pop(flag)
            if exclusive and limit in schema:
                schema[flag] = schema.pop(limit)
    return schema


def _without_read_only(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out properties that only answers have: nobody sends them."""
    properties = schema.get("properties", {})
    dropped = {
        name
        for name, one in properties.items()
        if isinstance(one, dict) and one.get("readOnly") is True
    }
    if not dropped:
        return schema
    kept = {name: one for name, one in properties.items() if name not in dropped}
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name not in dropped]
    return schema | {"properties": kept}
