"""The CRDs as files: up to date, small, bounded, described."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field as Bounds

from tests.api.schemas import Field, fields, root
from turnout.api.base import Content, Resource, Wire
from turnout.api.crds import UnsayableError, main, render
from turnout.api.kinds import KINDS, Kind
from turnout.api.schema import RULES

ROOT = Path(__file__).parents[2]
FIELDS = [field for kind in KINDS for field in fields(kind)]
OURS = [field for field in FIELDS if not field.is_template]
LARGEST = 150_000

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_the_committed_files_are_what_the_types_say(tmp_path: Path) -> None:
    """Mend with `make crds`."""
    main([str(tmp_path)])
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {file.name: file.read_text() for file in (ROOT / "crds").iterdir()}


def test_every_target_directory_gets_the_same_files(tmp_path: Path) -> None:
    main([str(tmp_path / "a"), str(tmp_path / "b" / "c")])
    first = {file.name: file.read_bytes() for file in (tmp_path / "a").iterdir()}
    assert len(first) == len(KINDS)
    assert first == {file.name: file.read_bytes() for file in (tmp_path / "b" / "c").iterdir()}


@each_kind
def test_a_crd_is_small(kind: Kind) -> None:
    assert len(json.dumps(render(kind), separators=(",", ":"))) < LARGEST


@each_kind
def test_a_file_shows_no_sharing(kind: Kind) -> None:
    text = (ROOT / "crds" / f"{kind.plural}.yaml").read_text()
    tokens = (yaml.AliasToken, yaml.AnchorToken)
    assert not [token for token in yaml.scan(text) if isinstance(token, tokens)]


def bounded(schema: dict[str, Any]) -> bool:
    """Whether a value of this schema has a greatest size of its own."""
    if "x-kubernetes-int-or-string" in schema:
        return {"maximum", "maxLength"} <= schema.keys()
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or "enum" in schema or schema.get("format") == "date-time"
        case "integer":
            return {"minimum", "maximum"} <= schema.keys()
        case "array":
            return "maxItems" in schema and "items" in schema
        case "object":
            return "properties" in schema or "maxProperties" in schema
        case kind:
            return kind == "boolean"


def test_every_value_is_bounded() -> None:
    assert [f"{one.kind}{one.path}" for one in OURS if not bounded(one.schema)] == []


def test_nothing_is_free_form() -> None:
    """One deeply nested object would kill every watcher that is written in Python."""
    free = [
        f"{one.kind}{one.path}"
        for one in FIELDS
        if "x-kubernetes-preserve-unknown-fields" in one.schema
        or "x-kubernetes-embedded-resource" in one.schema
        or ("x-kubernetes-int-or-string" not in one.schema and "type" not in one.schema)
    ]
    assert free == []


def test_the_pod_template_is_typed_down_to_its_leaves() -> None:
    template = [one for one in FIELDS if one.is_template and one.schema.get("type") == "object"]
    empty = [
        one.path
        for one in template
        if "properties" not in one.schema and "additionalProperties" not in one.schema
    ]
    assert empty == []


@pytest.mark.parametrize(
    "path",
    [
        "containers",
        "containers[].env",
        "containers[].ports",
        "containers[].volumeMounts",
        "volumes",
    ],
)
def test_lists_of_the_pod_template_that_grow_are_bounded(path: str) -> None:
    found = [one for one in FIELDS if one.path == f".spec.template.spec.{path}"]
    assert all("maxItems" in one.schema for one in found)
    assert found


def test_keys_of_lists_are_there_or_filled_in() -> None:
    missing = [
        f"{one.kind}{one.path}: {key}"
        for one in FIELDS
        for key in one.schema.get("x-kubernetes-list-map-keys", ())
        if key not in one.schema["items"].get("required", ())
        and "default" not in one.schema["items"]["properties"][key]
    ]
    assert missing == []


def test_every_field_is_described() -> None:
    silent = [f"{one.kind}{one.path}" for one in OURS if one.named and not said(one)]
    assert silent == []


def test_descriptions_are_sentences() -> None:
    texts = {said(one) for one in OURS if one.named}
    assert [text for text in texts if not text.endswith((".", ">"))] == []
    assert [text for text in texts if len(text) > 400] == []


def test_a_quarter_of_the_spec_fields_have_an_example() -> None:
    spec = [one for one in OURS if one.named and one.path.startswith(".spec.")]
    shown = [one for one in spec if "Example: " in said(one)]
    assert len(shown) >= len(spec) / 4


def said(field: Field) -> str:
    return str(field.schema.get("description", ""))


def test_every_rule_says_what_must_hold() -> None:
    rules = [rule for one in FIELDS for rule in one.schema.get(RULES, ())]
    rules += [rule for kind in KINDS for rule in root(kind).get(RULES, ())]
    assert rules
    assert [rule for rule in rules if not rule["message"] or len(rule["message"]) > 150] == []


def test_no_reference_crosses_a_namespace() -> None:
    """Gateways live elsewhere; the Gateway's allowedRoutes is the guard."""
    crossing = {one.path for one in OURS if one.named and one.path.endswith(".namespace")}
    assert crossing == {".spec.traffic.httpRoute.parentRefs[].namespace"}


def test_no_number_is_a_float() -> None:
    assert [one.path for one in FIELDS if one.schema.get("type") == "number"] == []


def test_enums_are_camel_case() -> None:
    words = {word for one in OURS for word in one.schema.get("enum", ())}
    assert {word for word in words if not word[0].isupper()} == set()


def test_content_has_no_defaults() -> None:
    """A default in content would make an upgrade of the CRDs a rollout of every agent."""
    content = ("Prompt", "ToolRegistry", "AgentPolicy")
    defaults = {
        one.path
        for one in FIELDS
        if "default" in one.schema
        and (one.kind in content or one.path.startswith((".spec.template", ".spec.model")))
    }
    assert {path.rpartition(".")[2] for path in defaults} == {"protocol"}


def test_status_has_no_defaults() -> None:
    filled = [one for one in FIELDS if one.path.startswith(".status") and "default" in one.schema]
    assert filled == []


@each_kind
def test_columns_end_with_the_age(kind: Kind) -> None:
    assert kind.columns[-1].name == "AGE"


@each_kind
def test_selectable_fields_and_columns_exist(kind: Kind) -> None:
    known = {one.path for one in fields(kind)}
    named = set(kind.selectable)
    named |= {column.path for column in kind.columns if "[" not in column.path}
    assert named - known == {".metadata.creationTimestamp"}


def kind_with(annotation: Any, **attributes: Any) -> Kind:
    """A kind whose spec has one field of this type."""
    spec = type("Spec", (Wire,), {"__annotations__": {"field": annotation}, **attributes})
    annotations = {"spec": spec, "status": Wire}
    return Kind(type("Thing", (Resource,), {"__annotations__": annotations}), "things", "tt", ())


@pytest.mark.parametrize(
    "annotation",
    [tuple[int, str], int | str, Annotated[int, Bounds(multiple_of=2)], dict[str, int] | list[int]],
    ids=str,
)
def test_what_a_structural_schema_cannot_say_is_refused(annotation: Any) -> None:
    with pytest.raises(UnsayableError):
        render(kind_with(annotation))


def test_an_optional_field_may_be_left_out_and_has_no_null() -> None:
    text = Annotated[str, Bounds(max_length=3)]
    schema = root(kind_with(text | None, field=None))["properties"]["spec"]
    assert schema == {"type": "object", "properties": {"field": {"type": "string", "maxLength": 3}}}


def test_content_within_a_spec_keeps_its_defaults_to_itself() -> None:
    part = type("Part", (Content,), {"__annotations__": {"field": bool}, "field": False})
    schema = root(kind_with(part))["properties"]["spec"]["properties"]["field"]
    assert schema["properties"] == {"field": {"type": "boolean"}}
