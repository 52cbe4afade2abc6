"""An operation of an OpenAPI document as a tool: what it is called, told of, and called with.

Parameters in the path, the query and headers are arguments by their names, and so are the
properties of a JSON body, unless that could be read in two ways: then the body is the argument
``body``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

from turnout.jobs.offered import Offered
from turnout.jobs.schemas import NOTES, Components, Translation, misshapen, unsupported

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_JSON: Final = "application/json"
_PLACES: Final = frozenset({"path", "query", "header"})
_OTHERS_HEADERS: Final = frozenset({"accept", "authorization", "content-type"})
"""Headers that OpenAPI describes elsewhere: a parameter of such a name means nothing."""

_BODY: Final = "body"
_PARTS: Final = NOTES | {"additionalProperties", "properties", "required", "type"}
"""Words of a schema that is an object of properties and nothing else."""


@dataclass(frozen=True)
class Operation:
    """One operation that a registry can name.

    Attributes:
        shared: Parameters of all operations of its path.
        said: The operation as it stands in the document.
    """

    name: str
    shared: object
    said: Mapping[str, Any]


def operations_of(document: Mapping[str, Any], components: Components) -> Iterator[Operation]:
    """Give every operation with a name that a tool can have.

    Raises:
        TaskFailed: The paths are misshapen, or refer to what cannot be read.
    """
    for path in _object(document.get("paths", {})).values():
        item = components.at(path)
        for method in _METHODS:
            said = item.get(method)
            name = said.get("operationId") if isinstance(said, Mapping) else None
            if isinstance(said, Mapping) and isinstance(name, str) and _NAME.fullmatch(name):
                yield Operation(name, item.get("parameters", []), said)


def offered(operation: Operation, components: Components, given: AbstractSet[str]) -> Offered:
    """Make a tool of an operation.

    Args:
        operation: The operation.
        components: What it may refer to.
        given: Names of headers that the registry gives, in lower case: no arguments.

    Raises:
        TaskFailed: It cannot be one; the message says why, in our own words.
    """
    said = operation.said
    told = said.get("description") or said.get("summary") or ""
    if not isinstance(told, str):
        raise misshapen()
    arguments = _Arguments(components)
    for (place, name), parameter in _parameters(operation, components).items():
        if place != "header" or name.lower() not in _OTHERS_HEADERS | given:
            arguments.add(place, name, parameter)
    if "requestBody" in said:
        arguments.add_body(components.at(said["requestBody"]))
    schema = arguments.schema()
    try:
        rfc8785.dumps([told, schema])
    except ValueError as error:
        cause = type(error).__name__
        raise unsupported(f"it holds a value that JSON cannot carry ({cause})") from None
    return Offered(operation.name, told, schema)


def _parameters(
    operation: Operation, components: Components
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Give the parameters by place and name: the operation's own win over its path's."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for part in (operation.shared, operation.said.get("parameters", [])):
        if not isinstance(part, list):
            raise misshapen()
        for parameter in map(components.at, part):
            place, name = parameter.get("in"), parameter.get("name")
            if not isinstance(place, str) or not isinstance(name, str):
                raise misshapen()
            found[place, name] = parameter
    return found


class _Arguments:
    """The arguments of a tool in the making."""

    def __init__(self, components: Components) -> None:
        self._translation = Translation(components)
        self._properties: dict[str, Any] = {}
        self._required: set[str] = set()
        self._more: dict[str, Any] = {}

    def add(self, place: str, name: str, parameter: Mapping[str, Any]) -> None:
        """Add a parameter by its name."""
        if place not in _PLACES:
            raise unsupported("a parameter of it is not in the path, the query or a header")
        if name in self._properties:
            raise unsupported("two parameters of it, in different places, have the same name")
        found = _json_of(parameter["content"]) if "content" in parameter else parameter
        schema = self._translation.schema(found.get("schema", {}))
        self._properties[name] = _described(schema, parameter)
        if place == "path" or parameter.get("required") is True:
            self._required.add(name)

    def add_body(self, body: Mapping[str, Any]) -> None:
        """Add a body: its properties, or all of it by one name."""
        schema = self._translation.schema(_json_of(body.get("content", {})).get("schema", {}))
        needed = body.get("required") is True
        if self._fits(schema, needed=needed):
            self._properties |= schema["properties"]
            self._required |= set(schema.get("required", ()))
            self._more = {k: v for k, v in schema.items() if k == "additionalProperties"}
            return
        if _BODY in self._properties:
            raise unsupported("it has a body, and a parameter named body besides")
        self._properties[_BODY] = _described(schema, body)
        if needed:
            self._required.add(_BODY)

    def _fits(self, schema: Any, *, needed: bool) -> bool:
        """Claim that a body's properties can stand beside the parameters and mean the same."""
        if not isinstance(schema, dict) or not schema.keys() <= _PARTS:
            return False
        if "properties" not in schema or schema.get("type", "object") != "object":
            return False
        if schema.get("required") and not needed:
            return False
        return not schema["properties"].keys() & self._properties.keys()

    def schema(self) -> dict[str, Any]:
        """Give the schema of all of them."""
        schema = {"type": "object", "properties": self._properties, **self._more}
        if self._required:
            schema["required"] = sorted(self._required)
        definitions = self._translation.definitions()
        if definitions:
            schema["$defs"] = definitions
        return schema


def _json_of(content: object) -> Mapping[str, Any]:
    """Return what is said of JSON among the media types that something is sent as.

    Raises:
        TaskFailed: It is sent as something else.
    """
    for media, said in _object(content).items():
        if media.partition(";")[0].strip().lower() == _JSON:
            return _object(said)
    raise unsupported(f"it takes a body or parameter that is not {_JSON}")


def _described(schema: Any, said: Mapping[str, Any]) -> Any:
    """Add what is said of an argument here to what is said of its type."""
    told = said.get("description")
    if not isinstance(told, str) or not told or schema is False:
        return schema
    return ({} if schema is True else schema) | {"description": told}


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise misshapen()
    return value
