"""Tools of a server that an OpenAPI document describes: the operations with these names.

The document is JSON or YAML; YAML is read as OpenAPI has it: a date is text, and so is ``no``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from typing_extensions import override
from yaml.nodes import MappingNode, ScalarNode

from turnout.core.checks_text import DIALECT
from turnout.core.pins import MOST_TOOLS
from turnout.errors import TaskFailed
from turnout.jobs.offered import Asked, Offered
from turnout.jobs.operations import Operation, offered, operations_of
from turnout.jobs.reach import Reach, body_of
from turnout.jobs.schemas import Components, misshapen, unsupported

_ACCEPT: Final = "application/json, application/yaml;q=0.9, */*;q=0.5"
_VERSION: Final = re.compile(r"3\.([01])\.[0-9]+(-.*)?")
_DIALECTS: Final = (DIALECT, "https://spec.openapis.org/oas/3.1/dialect/base")
_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final = frozenset({"bool", "float", "int", "map", "null", "seq", "str"})
"""What JSON has too; YAML can name more, and this refuses it."""


class _Reader(yaml.SafeLoader):
    """Reads plain words as YAML 1.2 does, and every key as a string."""

    @override
    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                key.tag = f"{_TAG}str"
        return super().construct_mapping(node, deep)


_Reader.yaml_constructors = {
    tag: way
    for tag, way in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.removeprefix(_TAG) in _KINDS
}
_Reader.yaml_implicit_resolvers = {}
for _word, _form, _first in (
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Reader.add_implicit_resolver(_TAG + _word, re.compile(_form), _first)


async def listed(asked: Asked, reach: Reach) -> Sequence[Offered]:
    """Read a server's document and list its operations as tools.

    An operation that cannot be a tool is passed over, unless the registry lists it.

    Raises:
        TaskFailed: It cannot be read, or one that the registry lists cannot be a tool.
    """
    async with reach.client({"Accept": _ACCEPT, **asked.headers}) as http:
        answer = await http.get(asked.url)
    document = _document(body_of(answer))
    components = Components(document, legacy=_is_legacy(document))
    operations = list(operations_of(document, components))
    if len(operations) > MOST_TOOLS:
        message = f"it offers {len(operations)} tools, at most {MOST_TOOLS} are read"
        raise TaskFailed("TooLarge", message)
    return list(_tools(operations, components, asked))


def _tools(
    operations: Sequence[Operation], components: Components, asked: Asked
) -> Iterator[Offered]:
    given = {name.lower() for name in asked.headers}
    times = Counter(one.name for one in operations)
    for one in operations:
        wanted = one.name in asked.wanted
        try:
            if wanted and times[one.name] > 1:
                raise unsupported("more than one operation has this operationId")
            yield offered(one, components, given)
        except TaskFailed as failed:
            if wanted:
                message = f"its tool {one.name}: {failed.message}"
                raise TaskFailed(failed.reason, message) from None


def _document(content: bytes) -> Mapping[str, Any]:
    """Read the document.

    Raises:
        TaskFailed: It is none.
    """
    try:
        text = content.decode("utf-8-sig")
        is_json = text.lstrip().startswith("{")
        found = json.loads(text) if is_json else _Reader(text).get_single_data()
    except (ValueError, LookupError, yaml.YAMLError, RecursionError):
        raise misshapen() from None
    if not isinstance(found, dict):
        raise misshapen()
    return found


def _is_legacy(document: Mapping[str, Any]) -> bool:
    """Tell whether a document is of OpenAPI 3.0.

    Raises:
        TaskFailed: It is neither of 3.0 nor of 3.1, or its schemas are in a language of their own.
    """
    said = document.get("openapi", document.get("swagger"))
    if not isinstance(said, str):
        raise misshapen()
    version = _VERSION.fullmatch(said)
    if version is None:
        raise unsupported("its document is not of OpenAPI 3.0 or 3.1")
    if document.get("jsonSchemaDialect", DIALECT) not in _DIALECTS:
        raise unsupported("its schemas are not JSON Schema 2020-12")
    return version[1] == "0"
