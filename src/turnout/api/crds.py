"""CustomResourceDefinitions from the wire types.

Run as `python -m turnout.api.crds DIRECTORY...` it writes one file a kind into each directory.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from turnout.api.base import GROUP, VERSION
from turnout.api.kinds import CATEGORY, KINDS, Column, Kind
from turnout.api.schema import NO_DEFAULTS, POD_TEMPLATE, RULES, JsonSchema

INT32 = 2**31 - 1
KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
)
SAID_OTHERWISE = {"title", "$ref", "anyOf", "additionalProperties", "properties", "items", "const"}
ROOT_FIELDS = {
    "apiVersion": {
        "description": "Group and version of this representation: turnout.dev/v1alpha1.",
        "type": "string",
    },
    "kind": {"description": "Kind of this object.", "type": "string"},
    "metadata": {"type": "object"},
}


class UnsayableError(TypeError):
    """A type was used that a structural schema has no words for."""


def render(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    names = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.name.lower(),
        "shortNames": [kind.short_name],
        "categories": [CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def to_yaml(kind: Kind) -> str:
    """The CustomResourceDefinition as the text of a file."""
    head = "# Generated from src/turnout/api by `make crds`.\n"
    unshared = json.loads(json.dumps(render(kind)))  # YAML would show sharing as anchors
    return head + yaml.safe_dump(unshared, sort_keys=False, width=100, allow_unicode=True)


def _version(kind: Kind) -> dict[str, Any]:
    subresources: dict[str, Any] = {"status": {}}
    if kind.scale:
        subresources["scale"] = {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(kind)},
        "subresources": subresources,
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return version


def _column(column: Column) -> dict[str, Any]:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**shown, "priority": 1} if column.wide else shown


def _root(kind: Kind) -> JsonSchema:
    schema = kind.model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    own = {name: schema["properties"][name] for name in ("spec", "status")}
    root = _structural({**schema, "properties": own, "required": ["spec"]}, definitions)
    root["properties"] = {**ROOT_FIELDS, **root["properties"]}
    return root


def _structural(node: JsonSchema, definitions: JsonSchema, *, defaults: bool = True) -> JsonSchema:
    """Say in Kubernetes' structural schema what pydantic says in JSON Schema 2020-12."""
    node = _flat(node, definitions)
    if node.get(POD_TEMPLATE):
        return {**_pod_template(), "description": _line(node["description"])}
    unsayable = [key for key in node if not _sayable(key)]
    if unsayable:
        raise UnsayableError(f"no words in a structural schema for {unsayable} of {node}")
    said = {key: node[key] for key in KEPT if key in node}
    if "description" in said:
        said["description"] = _line(said["description"])
    if not defaults or not isinstance(said.get("default", ""), str | int):
        said.pop("default", None)
    if said.get("type") == "integer":
        said["format"] = "int32" if node["maximum"] <= INT32 else "int64"
    said |= {key: value for key, value in node.items() if key.startswith("x-kubernetes-")}
    return said | _children(node, definitions, defaults=defaults and not node.get(NO_DEFAULTS))


def _children(node: JsonSchema, definitions: JsonSchema, *, defaults: bool) -> JsonSchema:
    for inner in ("items", "additionalProperties"):
        if inner in node:
            return {inner: _structural(node[inner], definitions, defaults=defaults)}
    fields = node.get("properties", {}).items()
    said = {name: _structural(child, definitions, defaults=defaults) for name, child in fields}
    return {"properties": said} if said else {}


def _flat(node: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Put references and "or null" in place; what stands nearer to the field wins."""
    while "$ref" in node or "anyOf" in node:
        near = {key: value for key, value in node.items() if key not in {"$ref", "anyOf"}}
        far = _target(node, definitions)
        rules = [*far.get(RULES, ()), *near.get(RULES, ())]
        node = {**far, **near} | ({RULES: rules} if rules else {})
    return {**node, "enum": [node["const"]]} if "const" in node else node


def _target(node: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    if "$ref" in node:
        found: JsonSchema = definitions[node["$ref"].rpartition("/")[2]]
        return found
    choices = [choice for choice in node["anyOf"] if choice != {"type": "null"}]
    if len(choices) != 1:
        raise UnsayableError(f"a union is no structural schema: {node}")
    return dict(choices[0])


def _sayable(key: str) -> bool:
    ours = {NO_DEFAULTS, POD_TEMPLATE}
    return key in KEPT or key in SAID_OTHERWISE or key in ours or key.startswith("x-kubernetes-")


def _line(text: str) -> str:
    return " ".join(text.split())


def _pod_template() -> JsonSchema:
    source = files("turnout.api").joinpath("podtemplate.json").read_text(encoding="utf-8")
    schema: JsonSchema = json.loads(source)
    return schema


def main(directories: list[str]) -> None:
    """Write every kind's file into each of the directories."""
    for directory in map(Path, directories):
        directory.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            (directory / f"{kind.plural}.yaml").write_text(to_yaml(kind), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
