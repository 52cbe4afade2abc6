"""What a Kubernetes schema can say and a Python type cannot: marks on wire types.

The marks change nothing in Python. They ride in the JSON schema that pydantic makes and are read
by `turnout.api.crds`.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

JsonSchema = dict[str, Any]

RULES = "x-kubernetes-validations"


@dataclass(frozen=True)
class Cel:
    """A rule in CEL, evaluated by the API server at admission.

    Attributes:
        rule: Expression over `self` (and `oldSelf`, which makes it a rule about changes).
        message: What the person reads who broke it: one clause that says what must hold.
    """

    rule: str
    message: str

    def wire(self) -> JsonSchema:
        """The rule as an item of `x-kubernetes-validations`."""
        return {"rule": self.rule, "message": self.message}

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        schema = handler(core)
        return {**schema, RULES: [*schema.get(RULES, ()), self.wire()]}


@dataclass(frozen=True)
class Mark:
    """Keywords that Kubernetes adds to JSON Schema, put next to the type that they qualify."""

    keywords: tuple[tuple[str, Any], ...]

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {**handler(core), **dict(self.keywords)}


def keyed_by(*keys: str) -> Mark:
    """A list whose items are told apart by `keys`: no two alike, merged one by one."""
    return Mark(
        (("x-kubernetes-list-type", "map"), ("x-kubernetes-list-map-keys", list(keys))),
    )


ATOMIC = Mark((("x-kubernetes-list-type", "atomic"),))
"""A list that is replaced as a whole: its order means something."""

SET = Mark((("x-kubernetes-list-type", "set"),))
"""A list of scalars without duplicates."""

NO_DEFAULTS = "x-turnout-no-defaults"
"""Marks types whose fields get no defaults from the API server: content and status."""

POD_TEMPLATE = "x-turnout-pod-template"
"""Stands where the schema of a Kubernetes PodTemplateSpec is filled in."""
