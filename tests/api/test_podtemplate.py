"""Taking the pod template's schema out of Kubernetes' OpenAPI document."""

from typing import Any

import pytest

from turnout.api.podtemplate import JSON_INTEGER, METADATA, extract

CORE = "io.k8s.api.core.v1"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
DEFINITIONS: dict[str, Any] = {
    f"{CORE}.PodTemplateSpec": {
        "description": "a template",
        "type": "object",
        "properties": {
            "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
            "spec": {"description": "a pod", "$ref": f"#/definitions/{CORE}.PodSpec"},
        },
    },
    f"{CORE}.PodSpec": {
        "type": "object",
        "required": ["containers"],
        "properties": {
            "containers": {
                "type": "array",
                "items": {"$ref": f"#/definitions/{CORE}.Container"},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-merge-key": "name",
            },
            "ephemeralContainers": {"type": "array", "items": {"type": "string"}},
            "runAsUser": {"description": "who", "type": "integer", "format": "int64"},
        },
    },
    f"{CORE}.Container": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"description": "name", "type": "string", "default": ""},
            "port": {"$ref": f"#/definitions/{INT_OR_STRING}"},
            "limits": {
                "type": "object",
                "additionalProperties": {
                    "$ref": "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"
                },
            },
        },
    },
    INT_OR_STRING: {"type": "string", "format": "int-or-string"},
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return extract(DEFINITIONS)


@pytest.fixture(scope="module")
def pod(template: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = template["properties"]["spec"]["properties"]
    return pod


def test_references_are_put_in_place_without_descriptions(template: dict[str, Any]) -> None:
    assert "$ref" not in str(template)
    assert "description" not in str(template)


def test_a_template_needs_its_pod(template: dict[str, Any]) -> None:
    assert template["required"] == ["spec"]


def test_a_container_needs_an_image(pod: dict[str, Any]) -> None:
    assert pod["containers"]["items"]["required"] == ["name", "image"]


def test_metadata_is_labels_and_annotations_that_are_not_ours(template: dict[str, Any]) -> None:
    assert template["properties"]["metadata"] == METADATA


def test_list_keys_stay_and_patch_keys_go(pod: dict[str, Any]) -> None:
    kept = {key for key in pod["containers"] if key.startswith("x-kubernetes-")}
    assert kept == {"x-kubernetes-list-type", "x-kubernetes-list-map-keys"}


def test_lists_are_bounded(pod: dict[str, Any]) -> None:
    assert (pod["containers"]["minItems"], pod["containers"]["maxItems"]) == (1, 16)


def test_what_a_template_may_not_have_is_left_out(pod: dict[str, Any]) -> None:
    assert "ephemeralContainers" not in pod


def test_integers_are_those_that_canonical_json_has(pod: dict[str, Any]) -> None:
    assert (pod["runAsUser"]["minimum"], pod["runAsUser"]["maximum"]) == (
        -JSON_INTEGER,
        JSON_INTEGER,
    )


def test_kubernetes_defaults_are_not_ours(pod: dict[str, Any]) -> None:
    assert "default" not in pod["containers"]["items"]["properties"]["name"]


def test_numbers_that_may_be_words_are_either(pod: dict[str, Any]) -> None:
    container = pod["containers"]["items"]["properties"]
    assert container["port"] == {"x-kubernetes-int-or-string": True}
    assert container["limits"]["additionalProperties"]["x-kubernetes-int-or-string"]
