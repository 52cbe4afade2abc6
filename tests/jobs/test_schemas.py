"""Schemas of OpenAPI documents as JSON Schema 2020-12 that stands by itself."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.core.checks_text import DIALECT
from turnout.errors import TaskFailed
from turnout.jobs.schemas import Components, Translation

SCHEMAS: dict[str, Any] = {
    "Order": {
        "type": "object",
        "properties": {"id": {"$ref": "#/components/schemas/Id"}, "shop": {"type": "string"}},
        "required": ["id"],
    },
    "Id": {"type": "string", "pattern": "^o-[0-9]+$"},
    "Node": {
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        },
        "required": ["value"],
    },
    "Even": {"properties": {"next": {"$ref": "#/components/schemas/Odd%20one~1~0"}}},
    "Odd one/~": {
        "required": ["odd"],
        "properties": {"next": {"$ref": "#/components/schemas/Even"}},
    },
    "Loop": {"$ref": "#/components/schemas/Loop"},
}


def components(schemas: Any = None, *, legacy: bool = False) -> Components:
    document = {"components": {"schemas": SCHEMAS if schemas is None else schemas}}
    return Components(document, legacy=legacy)


def translated(schema: Any, *, legacy: bool = False, schemas: Any = None) -> Any:
    """Translate a schema, with what it refers to that refers to itself."""
    translation = Translation(components(schemas, legacy=legacy))
    found = translation.schema(schema)
    definitions = translation.definitions()
    return found | {"$defs": definitions} if definitions else found


def refer(name: str, **more: Any) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", **more}


def test_what_is_referred_to_stands_in_its_place() -> None:
    whole = {
        "type": "object",
        "properties": {"id": SCHEMAS["Id"], "shop": {"type": "string"}},
        "required": ["id"],
    }
    assert translated({"items": refer("Order")}) == {"items": whole}


def test_what_refers_to_itself_is_a_definition_that_still_holds() -> None:
    tree = translated({"type": "array", "items": refer("Node")})
    assert tree["items"] == {"$ref": "#/$defs/Node"}
    check = jsonschema_rs.validator_for(tree | {"$schema": DIALECT})
    assert check.is_valid([{"value": 1, "children": [{"value": 2, "children": []}]}])
    assert not check.is_valid([{"value": 1, "children": [{"children": []}]}])


def test_what_refers_to_itself_far_round_by_odd_names_still_holds() -> None:
    check = jsonschema_rs.validator_for(translated(refer("Even")) | {"$schema": DIALECT})
    assert check.is_valid({"next": {"odd": 1, "next": {"next": {"odd": 3}}}})
    assert not check.is_valid({"next": {"odd": 1, "next": {"next": {}}}})


@pytest.mark.parametrize(
    ("beside", "meant"),
    [
        ({"description": "Which."}, SCHEMAS["Id"] | {"description": "Which."}),
        ({"maxLength": 9}, {"maxLength": 9, "allOf": [SCHEMAS["Id"]]}),
        ({"allOf": [{"maxLength": 9}]}, {"allOf": [SCHEMAS["Id"], {"maxLength": 9}]}),
    ],
)
def test_what_stands_beside_a_reference_holds_too_but_in_openapi_3_0(
    beside: dict[str, Any], meant: dict[str, Any]
) -> None:
    assert translated(refer("Id", **beside)) == meant
    assert translated(refer("Id", **beside), legacy=True) == SCHEMAS["Id"]


def test_beside_a_reference_to_what_refers_to_itself_stands_what_stood_there() -> None:
    tree = translated(refer("Node", description="The root."))
    assert tree["$ref"] == "#/$defs/Node"
    assert tree["description"] == "The root."


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"nullable": True}, {}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ({"maximum": 9, "exclusiveMaximum": True}, {"exclusiveMaximum": 9}),
        ({"exclusiveMaximum": True}, {}),
        ({"exclusiveMaximum": 9}, {"exclusiveMaximum": 9}),
    ],
)
def test_the_words_of_openapi_3_0_are_put_into_those_of_json_schema(
    said: dict[str, Any], meant: dict[str, Any]
) -> None:
    assert translated({"items": said}, legacy=True) == {"items": meant}
    assert translated({"items": said}) == {"items": said}


@pytest.mark.parametrize("legacy", [False, True])
def test_words_for_documentation_and_for_answers_are_left_out(*, legacy: bool) -> None:
    said = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "secret": {"type": "string", "writeOnly": True, "example": "x"},
            "$ref": {"type": "string", "examples": ["y"], "example": "z"},
        },
        "required": ["id", "secret"],
        "xml": {"name": "order"},
        "externalDocs": {"url": "https://example.com"},
        "discriminator": {"propertyName": "kind"},
        "x-order": 1,
    }
    assert translated(said, legacy=legacy) == {
        "type": "object",
        "properties": {
            "secret": {"type": "string", "writeOnly": True, "examples": ["x"]},
            "$ref": {"type": "string", "examples": ["y"]},
        },
        "required": ["secret"],
    }


@pytest.mark.parametrize(
    "word", ["additionalProperties", "items", "not", "if", "contains", "propertyNames"]
)
def test_schemas_are_found_wherever_they_stand(word: str) -> None:
    assert translated({word: refer("Id")}) == {word: SCHEMAS["Id"]}
    assert translated({word: False}) == {word: False}
    assert translated({"oneOf": [{word: refer("Id")}]}) == {"oneOf": [{word: SCHEMAS["Id"]}]}


def test_what_only_answers_have_is_left_out_where_nothing_is_required_too() -> None:
    said = {"properties": {"id": {"readOnly": True}, "shop": {}}}
    assert translated(said) == {"properties": {"shop": {}}}


def test_a_reference_far_inside_that_leads_nowhere_is_said() -> None:
    schemas = {"A": {"items": refer("B")}}
    with pytest.raises(TaskFailed, match="it refers to something that its document lacks"):
        translated(refer("A"), schemas=schemas)


def test_what_only_looks_like_a_schema_is_left_as_it_is() -> None:
    said = {"enum": [{"$ref": "nowhere"}], "const": {"nullable": True}, "default": {"$id": "x"}}
    assert translated(said, legacy=True) == said


def test_a_reference_to_itself_and_nothing_else_ends() -> None:
    loop = translated(refer("Loop"))
    assert loop == {"$ref": "#/$defs/Loop", "$defs": {"Loop": {"$ref": "#/$defs/Loop"}}}


@pytest.mark.parametrize(
    "schemas",
    [
        {f"S{n}": {"allOf": [refer(f"S{n + 1}")] * 2} for n in range(60)} | {"S60": {}},
        {f"S{n}": refer(f"S{n + 1}") for n in range(2000)} | {"S2000": {}},
        {"S0": {"default": ["x" * 1000] * 1000}},
        {"S0": {"properties": {"x" * 1000 + str(n): {} for n in range(1000)}}},
    ],
    ids=["doubled and doubled", "a long chain", "long texts", "long names"],
)
def test_what_grows_without_end_is_left(schemas: dict[str, Any]) -> None:
    with pytest.raises(TaskFailed, match="TooLarge: its schema is larger than a registry may hold"):
        translated(refer("S0"), schemas=schemas)


def test_reference_objects_that_lead_in_a_circle_are_left() -> None:
    with pytest.raises(TaskFailed, match="its references lead on and on"):
        components().at(refer("Loop"))


NAMES = st.sampled_from(["A", "B", "C"])
WORDS = ("properties", "items", "allOf", "nullable", "type", "required", "$ref", "enum", "readOnly")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["string", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
        | st.fixed_dictionaries({"$ref": NAMES.map("#/components/schemas/{}".format)})
    ),
    max_leaves=12,
)


def _references(value: Any) -> list[str]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [one for part in inside for one in _references(part)]
    here = value.get("$ref") if isinstance(value, dict) else None
    return [*found, here] if isinstance(here, str) else found


SOUND = st.recursive(
    st.fixed_dictionaries({"type": st.just("string"), "nullable": st.booleans()})
    | NAMES.map(refer),
    lambda inner: (
        st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner, max_size=2)})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)})
    ),
    max_leaves=6,
)


def three(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"A": kind, "B": kind, "C": kind})


@given(schemas=three(SOUND), legacy=st.booleans())
def test_every_reference_that_is_left_leads_to_a_definition(
    *, schemas: dict[str, Any], legacy: bool
) -> None:
    whole = translated({"properties": {"a": refer("A")}}, legacy=legacy, schemas=schemas)
    left = set(_references(whole))
    assert left == {f"#/$defs/{name}" for name in whole.get("$defs", {})}
    jsonschema_rs.meta.validate(whole | {"$schema": DIALECT})


@given(schemas=three(ANYTHING), legacy=st.booleans())
def test_whatever_stands_there_is_translated_or_refused(
    *, schemas: dict[str, Any], legacy: bool
) -> None:
    reason, whole = "", {}
    try:
        whole = translated({"items": refer("A")}, legacy=legacy, schemas=schemas)
    except TaskFailed as failed:
        reason = failed.reason
    assert reason in {"DiscoveryFailed", "Unsupported", "TooLarge"} or "items" in whole
