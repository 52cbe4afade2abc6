"""Walks the schemas of our CRDs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from turnout.api.crds import render
from turnout.api.kinds import Kind

TEMPLATE = ".spec.template"
"""Kubernetes' own schema: bounded by its types and the API server, not described."""


@dataclass(frozen=True)
class Field:
    """One node of a schema.

    Attributes:
        kind: The kind that it is part of.
        path: Where it stands: `.spec.steps[]`, `.spec.matchLabels{}`.
        schema: The node itself.
        named: Whether it is a field, not an item of a list or a value of a map.
    """

    kind: str
    path: str
    schema: dict[str, Any]
    named: bool = True

    @property
    def is_template(self) -> bool:
        """Whether it is Kubernetes' part."""
        return self.kind == "Agent" and self.path.startswith(f"{TEMPLATE}.")


def root(kind: Kind) -> dict[str, Any]:
    """The schema of a kind."""
    schema: dict[str, Any] = render(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def fields(kind: Kind) -> Iterator[Field]:
    """Every node below spec and status."""
    properties = root(kind)["properties"]
    for part in ("spec", "status"):
        yield from _below(Field(kind.name, f".{part}", properties[part]))


def _below(field: Field) -> Iterator[Field]:
    yield field
    for name, child in field.schema.get("properties", {}).items():
        yield from _below(Field(field.kind, f"{field.path}.{name}", child))
    for inner, sign in (("items", "[]"), ("additionalProperties", "{}")):
        if inner in field.schema:
            child = field.schema[inner]
            yield from _below(Field(field.kind, field.path + sign, child, named=False))
