"""The task `tools` against a server that an OpenAPI document describes."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from starlette.types import ASGIApp

from tests.jobs.test_tools import CANARY, JSON, MEGABYTE, answer, saying
from tests.support.mcp_server import serve
from tests.support.openapi_server import (
    BY_ID,
    OpenApiServer,
    document,
    operation,
    serve_openapi,
)
from tests.support.operator import free_port
from turnout.core.offers import Offer, read_offers
from turnout.core.pins import Pin
from turnout.jobs.addresses import Borders

NAME = "orders.find"
SCHEMAS = "#/components/schemas/"
NEEDED = {"required": True}


@pytest.fixture
def server() -> Iterator[OpenApiServer]:
    with serve_openapi() as made:
        yield made


def asked(url: str, *headers: dict[str, Any]) -> dict[str, Any]:
    there = {"name": "crm", "type": "OpenAPI", "url": url}
    return there | {"tools": [NAME], "headers": list(headers)}


async def offer(server: OpenApiServer) -> Offer:
    return read_offers(await answer(asked(server.url)))["crm"]


async def found(server: OpenApiServer) -> Pin:
    offered = await offer(server)
    assert offered.problem is None
    return offered.tools[NAME]


async def schema_of(server: OpenApiServer) -> Any:
    return json.loads((await found(server)).schema)


async def problem(url: str, borders: Borders | None = None) -> tuple[str, str]:
    """Give why a server could not be asked."""
    (told,) = (await answer(asked(url), borders=borders))["servers"]
    return told["problem"]["reason"], told["problem"]["message"]


# what is told


async def test_an_operation_is_a_tool_by_its_id_with_parameters_and_body_as_arguments(
    server: OpenApiServer,
) -> None:
    query = {"name": "deep", "in": "query", "schema": {"type": "boolean"}, "description": "All."}
    header = {"name": "X-Shop", "in": "header", "schema": {"type": "string"}, "required": True}
    body = {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "note": {"type": "string"}},
        "required": ["reason"],
        "additionalProperties": False,
    }
    content = {"application/json; charset=utf-8": {"schema": body}}
    server.offers(
        operation(parameters=[BY_ID, query, header], requestBody={"content": content} | NEEDED),
        operation("orders.drop"),
    )
    offered = await offer(server)
    pin = offered.tools[NAME]
    assert (pin.description, pin.read_only, pin.destructive) == ("Find an order.", None, None)
    assert json.loads(pin.schema) == {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "deep": {"type": "boolean", "description": "All."},
            "X-Shop": {"type": "string"},
            "reason": {"type": "string"},
            "note": {"type": "string"},
        },
        "required": ["X-Shop", "id", "reason"],
        "additionalProperties": False,
    }
    assert list(offered.others) == ["orders.drop"]


async def test_a_summary_stands_in_for_a_description(server: OpenApiServer) -> None:
    server.offers(operation(description="", summary="Find."))
    assert (await found(server)).description == "Find."


async def test_a_document_in_yaml_tells_the_same_as_in_json(server: OpenApiServer) -> None:
    country = {"type": "string", "enum": ["no", "SE", "2020-01-01", "0x10", "1:30", "<<"]}
    amount = {"type": "number", "minimum": -1, "maximum": 1.5e3, "default": None}
    server.offers(
        operation(
            parameters=[
                {"name": "country", "in": "query", "schema": country},
                {"name": "amount", "in": "query", "schema": amount},
            ]
        )
    )
    assert isinstance(server.document, dict)
    as_json = await found(server)
    text = yaml.safe_dump(server.document).replace("'200'", "200")
    for word in country["enum"]:
        text = text.replace(f"- '{word}'", f"- {word}")
    assert "- '" not in text
    server.document = "# told\n" + text
    assert await found(server) == as_json


async def test_what_the_registry_does_not_list_is_new_by_the_digest_that_it_would_have(
    server: OpenApiServer,
) -> None:
    before = await found(server)
    server.offers(operation(description="Find any order."))
    assert (await found(server)).digest != before.digest
    server.offers(operation("orders.drop"), operation())
    unlisted = (await offer(server)).others["orders.drop"]
    assert unlisted != before.digest
    server.offers(operation("orders.drop", "Drop."), operation())
    after = await offer(server)
    assert after.others["orders.drop"] != unlisted
    assert after.tools[NAME] == before


async def test_an_operation_without_a_name_that_a_tool_can_have_is_none(
    server: OpenApiServer,
) -> None:
    server.offers(operation(), operation("find order"), {"responses": {}}, operation("x" * 129))
    assert await offer(server) == Offer({NAME: await found(server)})


# arguments


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ({"type": "array", "items": {"type": "string"}}, NEEDED),
        ({"type": "object", "properties": {"id": {}}}, NEEDED),
        ({"type": ["object", "null"], "properties": {"a": {}}}, NEEDED),
        ({"type": "object", "properties": {"a": {}}, "minProperties": 1}, NEEDED),
        ({"type": "object"}, NEEDED),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, {}),
        (True, NEEDED),
    ],
    ids=["a list", "a clash", "null", "a rule", "no properties", "all or nothing", "anything"],
)
async def test_a_body_that_could_be_read_in_two_ways_is_one_argument(
    server: OpenApiServer, body: Any, more: dict[str, Any]
) -> None:
    told = {"content": {"application/json": {"schema": body}}, "description": "The change."}
    server.offers(operation(requestBody=told | more))
    whole = ({} if body is True else body) | {"description": "The change."}
    assert await schema_of(server) == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "body": whole},
        "required": ["body", "id"] if more else ["id"],
    }


async def test_a_body_that_may_be_left_out_has_optional_arguments(server: OpenApiServer) -> None:
    body = {"type": "object", "properties": {"note": {}}}
    server.offers(operation(requestBody={"content": {"application/json": {"schema": body}}}))
    assert await schema_of(server) == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "note": {}},
        "required": ["id"],
    }


async def test_an_operations_own_parameter_wins_over_its_paths(server: OpenApiServer) -> None:
    query = {"name": "page", "in": "query", "schema": {"type": "integer"}}
    own = query | {"required": True, "description": "From 1."}
    item = {"parameters": [BY_ID, query], "post": operation(parameters=[own])}
    server.document = document({"/orders/{id}": item})
    assert await schema_of(server) == {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "page": {"type": "integer", "description": "From 1."},
        },
        "required": ["id", "page"],
    }


async def test_parameters_bodies_and_schemas_may_stand_elsewhere_in_the_document(
    server: OpenApiServer,
) -> None:
    note = {"type": "object", "properties": {"text": {}, "answer": {"$ref": f"{SCHEMAS}Note"}}}
    server.offers(
        operation(
            parameters=[{"$ref": "#/components/parameters/Id"}],
            requestBody={"$ref": "#/components/requestBodies/Note"},
        ),
        components={
            "parameters": {"Id": BY_ID},
            "requestBodies": {"Note": {"content": {"application/json": {"schema": note}}}},
            "schemas": {"Note": note},
        },
    )
    answer = {"$ref": "#/$defs/Note"}
    assert await schema_of(server) == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "text": {}, "answer": answer},
        "required": ["id"],
        "$defs": {"Note": {"type": "object", "properties": {"text": {}, "answer": answer}}},
    }


async def test_a_parameter_may_be_sent_as_json(server: OpenApiServer) -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    server.offers(operation(parameters=[{"name": "where", "in": "query", "content": content}]))
    assert (await schema_of(server))["properties"] == {"where": {"type": "object"}}


async def test_headers_that_the_registry_gives_are_no_arguments(server: OpenApiServer) -> None:
    names = ("authorization", "Accept", "Content-Type", "x-api-key", "X-Shop")
    given = [{"name": one, "in": "header", "required": True, "schema": {}} for one in names]
    server.offers(operation(parameters=given))
    key = {"name": "X-Api-Key", "secret": 0, "from": "key token of Secret crm"}
    result = await answer(asked(server.url, key), secrets=("canary",))
    pin = read_offers(result)["crm"].tools[NAME]
    assert json.loads(pin.schema)["required"] == ["X-Shop"]
    assert server.headers[-1]["x-api-key"] == "canary"
    assert "canary" not in str(result)


async def test_a_secret_that_is_not_there_is_named(server: OpenApiServer) -> None:
    key = {"name": "X-Api-Key", "secret": 0, "from": "key token of Secret crm"}
    (told,) = (await answer(asked(server.url, key), secrets=(None,)))["servers"]
    assert told["problem"]["reason"] == "SecretMissing"
    assert not server.headers


# what cannot be taken


def with_body(media: str) -> dict[str, Any]:
    return {"requestBody": {"content": {media: {"schema": {}}}}}


def with_schema(schema: Any) -> dict[str, Any]:
    return {"parameters": [{"name": "q", "in": "query", "schema": schema}]}


REFUSED = {
    "a cookie": (
        {"parameters": [{"name": "s", "in": "cookie", "schema": {}}]},
        "a parameter of it is not in the path, the query or a header",
    ),
    "two of a name": (
        {"parameters": [BY_ID, {"name": "id", "in": "query", "schema": {}}]},
        "two parameters of it, in different places, have the same name",
    ),
    "a form": (
        with_body("multipart/form-data"),
        "it takes a body or parameter that is not application/json",
    ),
    "a body besides a parameter named body": (
        {"parameters": [BY_ID | {"name": "body"}], **with_body("application/json")},
        "it has a body, and a parameter named body besides",
    ),
    "another document": (
        with_schema({"$ref": "other.yaml#/Order"}),
        "it refers to something outside #/components/ of its document",
    ),
    "the network": (
        with_schema({"$ref": "http://169.254.169.254/"}),
        "it refers to something outside #/components/ of its document",
    ),
    "no text": (
        with_schema({"$ref": ["#/components/schemas/A"]}),
        "it refers to something outside #/components/ of its document",
    ),
    "nothing": (
        with_schema({"$ref": "#/components/schemas/A"}),
        "it refers to something that its document lacks",
    ),
    "an identity": (
        with_schema({"properties": {"a": {"$id": "urn:a"}}}),
        "a schema of it is identified or extended by words of its own",
    ),
    "another dialect": (
        with_schema({"$schema": "http://json-schema.org/draft-07/schema#"}),
        "a schema of it is identified or extended by words of its own",
    ),
    "an integer beyond 2^53": (
        with_schema({"maximum": 2**63 - 1}),
        "it holds a value that JSON cannot carry (IntegerDomainError)",
    ),
    "half a character": (
        {"description": "\ud800"},
        "it holds a value that JSON cannot carry (CanonicalizationError)",
    ),
}


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED)
async def test_an_operation_that_cannot_be_a_tool_says_why_only_where_it_is_listed(
    server: OpenApiServer, change: dict[str, Any], words: str
) -> None:
    server.offers(operation(**change))
    assert await problem(server.url) == ("Unsupported", f"its tool {NAME}: {words}")
    server.offers(operation(), operation("odd", **change))
    assert await offer(server) == Offer({NAME: await found(server)})


MISSHAPEN = {
    "parameters": {"parameters": {"id": BY_ID}},
    "a parameter": {"parameters": ["id"]},
    "a nameless parameter": {"parameters": [{"in": "query"}]},
    "a schema": with_schema("string"),
    "properties": with_schema({"properties": ["a"]}),
    "a list of schemas": with_schema({"allOf": {"type": "string"}}),
    "required": with_schema({"required": True}),
    "required names": with_schema({"required": [7]}),
    "a body": {"requestBody": []},
    "media types": {"requestBody": {"content": ["application/json"]}},
    "a media type": {"requestBody": {"content": {"application/json": []}}},
    "a description": {"description": ["Find."]},
}


@pytest.mark.parametrize("change", MISSHAPEN.values(), ids=MISSHAPEN)
async def test_an_operation_that_is_misshapen_is_said(
    server: OpenApiServer, change: dict[str, Any]
) -> None:
    server.offers(operation(**change))
    assert await problem(server.url) == (
        "DiscoveryFailed",
        f"its tool {NAME}: its document is not what OpenAPI describes",
    )


async def test_two_operations_of_the_name_that_is_listed_are_none(server: OpenApiServer) -> None:
    server.offers(operation(), operation(description="Another."))
    assert await problem(server.url) == (
        "Unsupported",
        f"its tool {NAME}: more than one operation has this operationId",
    )


@pytest.mark.parametrize(
    "large",
    [
        operation(description="x" * 4097),
        operation(**with_schema({"description": "x" * 32_768})),
        operation(**with_schema({"default": json.loads("[" * 40 + "]" * 40)})),
        operation(**with_schema({"default": json.loads("[" * 80 + "]" * 80)})),
        operation(**with_schema({"enum": ["x"] * 140_000})),
    ],
    ids=["description", "schema", "depth", "great depth", "length"],
)
async def test_a_tool_that_no_registry_could_hold_is_said(
    server: OpenApiServer, large: dict[str, Any]
) -> None:
    server.offers(large)
    reason, message = await problem(server.url)
    assert reason == "TooLarge"
    assert message.startswith(f"its tool {NAME}")
    assert message.endswith("is larger than a registry may hold")


async def test_too_many_operations_are_not_read(server: OpenApiServer) -> None:
    server.offers(*(operation(f"t{number}") for number in range(257)))
    told = "it offers 257 tools, at most 256 are read"
    assert await problem(server.url) == ("TooLarge", told)


# documents that are none


NO_DOCUMENT = ("DiscoveryFailed", "its document is not what OpenAPI describes")
OTHER_VERSION = ("Unsupported", "its document is not of OpenAPI 3.0 or 3.1")
OTHER_DIALECT = ("Unsupported", "its schemas are not JSON Schema 2020-12")
SHARED = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 9))
BOMB = f"""
x0: &x0 [canary]
{SHARED}
openapi: 3.1.0
paths:
  /orders:
    get:
      operationId: {NAME}
      parameters:
      - {{name: q, in: query, schema: {{default: *x8}}}}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", NO_DOCUMENT),
        ("[]", NO_DOCUMENT),
        ("", NO_DOCUMENT),
        ("<html>canary</html>", NO_DOCUMENT),
        (b"\xff\xfe", NO_DOCUMENT),
        ('{"a": ' + "[" * 100_000, NO_DOCUMENT),
        ("a: " + "[" * 100_000, NO_DOCUMENT),
        ("a: !!python/object/apply:os.getcwd []", NO_DOCUMENT),
        ("a: !!binary x", NO_DOCUMENT),
        ("a: !!bool x", NO_DOCUMENT),
        ("a: !!int ''", NO_DOCUMENT),
        ("? [a]\n: b", NO_DOCUMENT),
        ("openapi: 3.1.0\npaths: []", NO_DOCUMENT),
        ("openapi: 3.1.0\npaths: {/orders: []}", NO_DOCUMENT),
        ("error: canary", NO_DOCUMENT),
        ('swagger: "2.0"', OTHER_VERSION),
        ("openapi: 3.2.0", OTHER_VERSION),
        ("openapi: 3.1.0\njsonSchemaDialect: canary", OTHER_DIALECT),
        (BOMB, ("TooLarge", f"its tool {NAME}: its schema is larger than a registry may hold")),
    ],
)
async def test_what_is_no_document_of_ours_is_said_and_never_quoted(
    server: OpenApiServer, text: str | bytes, said: tuple[str, str]
) -> None:
    server.document = text
    async with asyncio.timeout(15):
        assert await problem(server.url) == said


@pytest.mark.parametrize(
    ("application", "reason"),
    [
        (saying(307, [(b"location", b"http://169.254.169.254/")], CANARY), "RedirectRefused"),
        (saying(200, [JSON, (b"content-encoding", b"gzip")], CANARY), "Unreadable"),
        (saying(200, [JSON], MEGABYTE, 6), "TooLarge"),
        (saying(401, [JSON], CANARY), "Denied"),
        (saying(404, [JSON], CANARY), "Refused"),
    ],
    ids=["elsewhere", "gzip", "large", "401", "404"],
)
async def test_a_server_that_refuses_is_told_apart_and_never_quoted(
    application: ASGIApp, reason: str
) -> None:
    port = free_port()
    with serve(application, port):
        said = await problem(f"http://localhost:{port}/openapi")
    assert said[0] == reason
    assert "canary" not in said[1]


async def test_addresses_are_closed_to_it_as_to_any_task(server: OpenApiServer) -> None:
    assert (await problem(server.url, Borders()))[0] == "AddressRefused"
    assert not server.headers
