"""The schemas of our CRDs, checked as the API server checks them, in its words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from jsonschema_rs import Draft4Validator, ValidationError

from turnout.api.crds import KEPT, render
from turnout.api.kinds import KINDS, Kind
from turnout.api.schema import RULES, Cel, JsonSchema
from turnout.cli.lint.problems import Path, Problem, dotted
from turnout.core.quoting import quoted

OURS: Final = {kind.name: kind for kind in KINDS}
"""Kinds of our group by their names."""

_QUALIFIED: Final = (
    "'^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'"
)
_KEYS: Final = Cel(
    f"self.all(key, key.matches({_QUALIFIED}))",
    "keys are names of letters, digits, -, _ and ., maybe with a DNS name and / before them",
)
_TEXTS: Final = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    RULES: [_KEYS.wire()],
}
_LABEL: Final = {
    "type": "string",
    "maxLength": 63,
    "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
}
_METADATA: Final[JsonSchema] = {
    "type": "object",
    "description": "Standard object's metadata. Example: {name: support}.",
    "properties": {
        "name": {"type": "string", "description": "Name of the object. Example: support."},
        "namespace": {"type": "string", "description": "Its namespace."},
        "labels": _TEXTS | {"additionalProperties": _LABEL},
        "annotations": _TEXTS,
        "finalizers": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[^/]+/[^/]+$"},
        },
        "ownerReferences": {"type": "array", "items": {"type": "object"}},
        "managedFields": {"type": "array", "items": {"type": "object"}},
        "generation": {"type": "integer"},
        **{
            name: {"type": "string"}
            for name in (
                "creationTimestamp",
                "deletionTimestamp",
                "generateName",
                "resourceVersion",
                "selfLink",
                "uid",
            )
        },
    },
    "required": ["name"],
}
_BOUNDS: Final = {"int32": 2**31, "int64": 2**63}
_JUDGED: Final = [key for key in KEPT if key not in {"default", "description", "format"}]
"""Keywords that mean the same in JSON Schema."""

_SAID: Final = {
    "enum": "Unsupported value: supported values: {}",
    "maxItems": "Too many: must have at most {} items",
    "maxLength": "Too long: may not be more than {} bytes",
    "maxProperties": "Too many: must have at most {} items",
    "maximum": "should be less than or equal to {}",
    "minItems": "should have at least {} items",
    "minLength": "should be at least {} chars long",
    "minimum": "should be greater than or equal to {}",
    "pattern": "should match '{}'",
    "type": "must be of type {}",
}


@lru_cache(maxsize=len(KINDS))
def schema_of(kind: Kind) -> JsonSchema:
    """The schema of a kind, with what every object's metadata has."""
    root = render(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    properties = root["properties"] | {"metadata": _METADATA}
    return {**root, "properties": properties, "required": [*root["required"], "metadata"]}


@lru_cache(maxsize=len(KINDS))
def _validator(kind: Kind) -> Draft4Validator:
    return Draft4Validator(_plain(schema_of(kind)))


def _plain(node: JsonSchema) -> JsonSchema:
    """Say in JSON Schema what a structural schema says; a field that it lacks is refused."""
    said: JsonSchema = {key: node[key] for key in _JUDGED if key in node}
    if node.get("x-kubernetes-int-or-string"):
        said["type"] = ["integer", "string"]
    bound = _BOUNDS.get(node.get("format", ""))
    if bound is not None:
        said = {"minimum": -bound, "maximum": bound - 1} | said
    if "items" in node:
        said["items"] = _plain(node["items"])
    if "additionalProperties" in node:
        said["additionalProperties"] = _plain(node["additionalProperties"])
    elif "properties" in node:
        said["properties"] = {name: _plain(one) for name, one in node["properties"].items()}
        said["additionalProperties"] = False
    return said


def defaulted(node: JsonSchema, value: Any) -> Any:
    """Fill in defaults as the API server does before it looks; a null is as good as nothing."""
    if isinstance(value, list) and "items" in node:
        return [defaulted(node["items"], item) for item in value]
    if not isinstance(value, dict):
        return value
    if "additionalProperties" in node:
        return {name: defaulted(node["additionalProperties"], one) for name, one in value.items()}
    fields = node.get("properties", {})
    given = {name: one for name, one in value.items() if one is not None or name not in fields}
    missing = {name: one["default"] for name, one in fields.items() if "default" in one}
    return {name: defaulted(fields.get(name, {}), one) for name, one in (missing | given).items()}


def schema_problems(kind: Kind, document: Any) -> Iterator[Problem]:
    """Say where a document with its defaults breaks its kind's schema."""
    schema = schema_of(kind)
    for error in _validator(kind).iter_errors(document):
        yield from _told(schema, error)
    yield from _alike(schema, document, ())


def _told(schema: JsonSchema, error: ValidationError) -> Iterator[Problem]:
    path, found = tuple(error.instance_path), error.kind
    node = _node(schema, path)
    match found.name:
        case "required":
            field = (*path, str(found.value))
            said = f"Required value: {dotted(field)} is missing"
            yield Problem(field, "Required", said, _about(schema, field))
        case "additionalProperties":
            for name in found.value:
                yield Problem((*path, name), "UnknownField", *_unknown(node, path, name))
        case name:
            said = _SAID.get(name, "{}").format(_listed(found.value))
            yield Problem(path, "InvalidValue", said, _about(schema, path))


def _listed(limit: Any) -> str:
    if isinstance(limit, list):
        return ", ".join(str(one) for one in limit)
    return str(limit)


def _unknown(node: JsonSchema, path: Path, name: str) -> tuple[str, str]:
    fields = list(node.get("properties", {}))
    near = get_close_matches(name, fields, n=1)
    mend = f"did you mean {near[0]}?" if near else f"fields here are {', '.join(fields[:20])}"
    return f'unknown field "{dotted((*path, quoted(name)))}"', mend


def _about(schema: JsonSchema, path: Path) -> str:
    """Say what a field is for; of a pod kubectl knows more than we keep."""
    said: str = _node(schema, path).get("description", "")
    if not said and path[:2] == ("spec", "template"):
        words = ".".join(part for part in path[2:] if isinstance(part, str))
        return f"kubectl explain podtemplate.template.{words}"
    return said


def _node(schema: JsonSchema, path: Path) -> JsonSchema:
    for part in path:
        inner = "items" if isinstance(part, int) else "additionalProperties"
        schema = schema.get("properties", {}).get(part) or schema.get(inner) or {}
    return schema


def _alike(node: JsonSchema, value: Any, path: Path) -> Iterator[Problem]:
    """Say which items of a list, that is a map or a set, are given twice."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _alike(_node(node, (name,)), one, (*path, name))
    elif isinstance(value, list):
        keys = node.get("x-kubernetes-list-map-keys", [])
        unique = keys or node.get("x-kubernetes-list-type") == "set"
        seen: set[str] = set()
        for at, item in enumerate(value):
            mark = json.dumps(_mark(item, keys), sort_keys=True)
            if unique and mark in seen:
                mend = (
                    f"give each its own {' and '.join(keys)}" if keys else "leave one of them out"
                )
                yield Problem((*path, at), "Duplicate", "Duplicate value", mend)
            seen.add(mark)
            yield from _alike(node.get("items", {}), item, (*path, at))


def _mark(item: Any, keys: list[str]) -> Any:
    return [item.get(key) for key in keys] if keys and isinstance(item, dict) else item
