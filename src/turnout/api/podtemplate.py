"""The schema of a pod template, taken from Kubernetes' own OpenAPI document.

Run as `python -m turnout.api.podtemplate SWAGGER_JSON` it writes podtemplate.json next to itself.
The document is `api/openapi-spec/swagger.json` of the Go module k8s.io/kubernetes; the version that
was used last stands in `SOURCE`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from turnout.api.schema import RULES, JsonSchema

SOURCE = "k8s.io/kubernetes@v1.36.3"
TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"
SCALARS: dict[str, JsonSchema] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": True},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "x-kubernetes-int-or-string": True,
        "maxLength": 64,
        "pattern": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
    },
}
KEPT = (
    "type",
    "format",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
LEFT_OUT = {("PodSpec", "ephemeralContainers")}  # refused in a template by Kubernetes itself
JSON_INTEGER = 2**53 - 1  # canonical JSON has no greater integers

NAME = {"minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}
BOUNDS: dict[tuple[str, str], JsonSchema] = {
    ("PodSpec", "containers"): {"minItems": 1, "maxItems": 16},
    ("PodSpec", "initContainers"): {"maxItems": 16},
    ("PodSpec", "volumes"): {"maxItems": 128},
    ("Container", "name"): NAME,
    ("Container", "image"): {"minLength": 1, "maxLength": 1024},
    ("Container", "env"): {"maxItems": 256},
    ("Container", "ports"): {"maxItems": 64},
    ("Container", "volumeMounts"): {"maxItems": 128},
    ("ContainerPort", "protocol"): {"default": "TCP"},
}
REQUIRED = {
    "PodTemplateSpec": ["spec"],
    "Container": ["name", "image"],
    "LocalObjectReference": ["name"],  # the key of a list must be there
}
OURS = "turnout.dev/"
METADATA: JsonSchema = {
    "type": "object",
    "properties": {
        what: {
            "type": "object",
            "maxProperties": 64,
            "additionalProperties": {"type": "string", "maxLength": longest},
            RULES: [
                {
                    "rule": f"self.all(key, !key.startsWith('{OURS}'))",
                    "message": f"{what} {OURS}* are the operator's",
                }
            ],
        }
        for what, longest in (("labels", 63), ("annotations", 65_536))
    },
}


def extract(definitions: dict[str, JsonSchema], name: str = TEMPLATE) -> JsonSchema:
    """A definition with all that it refers to, as a structural schema without descriptions."""
    if name in SCALARS:
        return SCALARS[name]
    definition, short = definitions[name], name.rpartition(".")[2]
    said = _plain(definition)
    required = REQUIRED.get(short)
    if required:
        said["required"] = required
    fields = {
        field: _field(definitions, short, field, child)
        for field, child in definition.get("properties", {}).items()
        if (short, field) not in LEFT_OUT
    }
    return said | ({"properties": fields} if fields else {})


def _field(
    definitions: dict[str, JsonSchema], owner: str, field: str, child: JsonSchema
) -> JsonSchema:
    if field == "metadata":
        return METADATA
    return _node(definitions, child) | BOUNDS.get((owner, field), {})


def _node(definitions: dict[str, JsonSchema], node: JsonSchema) -> JsonSchema:
    if "$ref" in node:
        return extract(definitions, node["$ref"].rpartition("/")[2])
    said = _plain(node)
    for inner in ("items", "additionalProperties"):
        if inner in node:
            said[inner] = _node(definitions, node[inner])
    return said


def _plain(node: JsonSchema) -> JsonSchema:
    said = {key: node[key] for key in KEPT if key in node}
    if said.get("format") == "int64":
        said |= {"minimum": -JSON_INTEGER, "maximum": JSON_INTEGER}
    return said


def main(swagger: str) -> None:
    """Write podtemplate.json from Kubernetes' OpenAPI document."""
    document: dict[str, Any] = json.loads(Path(swagger).read_text(encoding="utf-8"))
    schema = json.dumps(extract(document["definitions"]), sort_keys=True, separators=(",", ":"))
    Path(__file__).with_suffix(".json").write_text(schema + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
