"""The task `tools` against a real MCP server, made with the official SDK."""

import asyncio
import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

import mcp_types
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.home import Home
from tests.support.mcp_server import McpServer, serve, serve_mcp, tool
from tests.support.operator import free_port
from turnout.core.offers import read_offers
from turnout.errors import TaskFailed
from turnout.jobs.addresses import Borders
from turnout.jobs.reach import Reach
from turnout.jobs.tools import run


@pytest.fixture
def server() -> Iterator[McpServer]:
    with serve_mcp() as made:
        yield made


def asked(url: str, *tools: str, headers: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    there = {"name": "crm", "type": "MCP", "url": url}
    return there | {"tools": list(tools), "headers": list(headers)}


async def answer(
    *servers: Mapping[str, Any],
    borders: Borders | None = None,
    secrets: tuple[str | None, ...] = (),
) -> dict[str, Any]:
    """Do the task; what is wrong with it comes with what was found."""
    reach = Reach(borders or Home(), secrets)
    try:
        return dict(await run({"servers": list(servers)}, reach))
    except TaskFailed as failed:
        return {"failed": str(failed), **(failed.found or {})}


async def problem(url: str, borders: Borders | None = None) -> tuple[str, str]:
    """Give why one server could not be asked."""
    found = await answer(asked(url, "orders.find"), borders=borders)
    (server,) = found["servers"]
    return server["problem"]["reason"], server["problem"]["message"]


# what is told


async def test_listed_tools_are_told_in_full_and_others_by_name_and_digest(
    server: McpServer,
) -> None:
    server.offers(tool(readOnlyHint=True, destructiveHint=False), tool("orders.drop", None))
    result = await answer(asked(server.url, "orders.find"))
    offer = read_offers(result)["crm"]
    pin = offer.tools["orders.find"]
    assert (pin.description, pin.read_only, pin.destructive) == ("Find an order.", True, False)
    assert pin.schema == '{"properties":{"id":{"type":"string"}},"type":"object"}'
    assert list(offer.others) == ["orders.drop"]
    assert offer.problem is None


async def test_a_description_that_changes_under_way_changes_the_digest_and_back(
    server: McpServer,
) -> None:
    digests = []
    for description in ("Find an order.", "Find any order.", "Find an order."):
        server.offers(tool(description=description))
        result = await answer(asked(server.url, "orders.find"))
        digests.append(read_offers(result)["crm"].tools["orders.find"].digest)
    assert digests[0] == digests[2] != digests[1]


async def test_tools_of_many_pages_are_all_told(server: McpServer) -> None:
    server.page = 10
    server.offers(*(tool(f"t{number}") for number in range(45)))
    result = await answer(asked(server.url, "t44"))
    (told,) = result["servers"]
    assert (len(told["tools"]), len(told["others"])) == (1, 44)


async def test_a_server_without_end_is_left(server: McpServer) -> None:
    server.page = 1
    server.offers(*(tool(f"t{number}") for number in range(100)))
    assert await problem(server.url) == (
        "TooLarge",
        "it tells its tools in more than 32 pages",
    )


async def test_too_many_tools_are_not_read(server: McpServer) -> None:
    server.offers(*(tool(f"t{number}") for number in range(257)))
    assert (await problem(server.url))[0] == "TooLarge"


@pytest.mark.parametrize(
    "large",
    [
        tool(description="x" * 4097),
        tool(schema={"type": "object", "description": "x" * 32_768}),
        tool(schema={"type": "object", "examples": [json.loads("[" * 40 + "]" * 40)]}),
    ],
    ids=["description", "schema", "depth"],
)
async def test_a_tool_that_no_registry_could_hold_is_said(
    server: McpServer, large: mcp_types.Tool
) -> None:
    server.offers(large)
    assert await problem(server.url) == (
        "TooLarge",
        "its tool orders.find is larger than a registry may hold",
    )


async def test_one_silent_server_keeps_no_other_from_being_asked(server: McpServer) -> None:
    silent = asked(f"http://localhost:{free_port()}/mcp") | {"name": "silent"}
    result = await answer(silent, asked(server.url, "orders.find"))
    offers = read_offers(result)
    assert offers["silent"].problem is not None
    assert offers["silent"].problem.reason == "Unreachable"
    assert "orders.find" in offers["crm"].tools
    assert result["failed"].startswith("Unreachable: server silent: ")


# secrets


async def test_a_secret_travels_as_a_header_and_nowhere_else(server: McpServer) -> None:
    header = {"name": "Authorization", "secret": 0, "from": "key token of Secret crm"}
    result = await answer(asked(server.url, headers=(header,)), secrets=("Bearer canary",))
    assert {one.get("authorization") for one in server.headers} == {"Bearer canary"}
    assert "canary" not in str(result)


async def test_a_secret_that_is_not_there_is_named(server: McpServer) -> None:
    header = {"name": "Authorization", "secret": 0, "from": "key token of Secret crm"}
    (told,) = (await answer(asked(server.url, headers=(header,)), secrets=(None,)))["servers"]
    assert told["problem"] == {
        "reason": "SecretMissing",
        "message": "key token of Secret crm does not exist in this namespace",
    }
    assert not server.headers


# addresses


CLOSED = (
    "127.0.0.1", "127.8.9.10", "[::1]", "localhost", "0", "0.0.0.1",
    "2130706433", "0x7f.1", "[::]", "169.254.169.254",
    "[fe80::1]", "100.100.100.200", "[fd00:ec2::254]", "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "10.96.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", CLOSED)
async def test_addresses_of_the_machine_the_cloud_and_the_api_server_are_refused(
    host: str, server: McpServer
) -> None:
    port = server.url.rpartition(":")[2]
    reason, message = await problem(f"http://{host}:{port}", Borders(["10.96.0.1"]))
    assert (reason, message.partition(" is at an address")[1:]) == (
        "AddressRefused",
        (" is at an address", " that is closed to tasks (loopback, link-local, ...)"),
    )
    assert not server.headers


@pytest.mark.parametrize(
    "address", ["10.0.0.7", "192.168.1.1", "8.8.8.8", "2001:db8::1", "64:ff9b::808:808"]
)
def test_servers_in_the_cluster_and_beyond_are_admitted(address: str) -> None:
    assert Borders(["10.96.0.1"]).admits(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", ["ftp://crm/mcp", "http://user:word@crm/mcp"])
async def test_what_is_not_plain_http_is_refused(url: str) -> None:
    assert (await problem(url))[0] == "AddressRefused"


async def test_a_name_without_address_is_unreachable() -> None:
    reason, message = await problem("http://nowhere.invalid/mcp")
    assert (reason, message) == ("Unreachable", "the name nowhere.invalid has no address")


# servers that misbehave


Headers = list[tuple[bytes, bytes]]


def saying(status: int, headers: Headers, body: bytes = b"", times: int = 1) -> ASGIApp:
    """Make a server that says the same to everybody."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for left in range(times, 0, -1):
            await send({"type": "http.response.body", "body": body, "more_body": left > 1})

    return application


JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream")
CANARY = b"canary-in-the-body"
MEGABYTE = b"x" * (1 << 20)


@pytest.mark.parametrize(
    ("application", "reason"),
    [
        (saying(307, [(b"location", b"http://169.254.169.254/")], CANARY), "RedirectRefused"),
        (saying(302, [(b"location", b"/elsewhere")], CANARY), "RedirectRefused"),
        (saying(200, [JSON, (b"content-encoding", b"gzip")], CANARY), "Unreadable"),
        (saying(200, [JSON], MEGABYTE, 6), "TooLarge"),
        (saying(200, [EVENTS], b"data: " + MEGABYTE, 6), "DiscoveryFailed"),
        (saying(200, [JSON], CANARY), "DiscoveryFailed"),
        (saying(200, [(b"content-type", b"text/html")], CANARY), "DiscoveryFailed"),
        (saying(401, [JSON], CANARY), "DiscoveryFailed"),
        (saying(500, [JSON], CANARY), "DiscoveryFailed"),
    ],
    ids=[
        "elsewhere",
        "other path",
        "gzip",
        "large",
        "large event",
        "no JSON",
        "html",
        "401",
        "500",
    ],
)
async def test_a_server_that_misbehaves_is_told_apart_and_never_quoted(
    application: ASGIApp, reason: str
) -> None:
    port = free_port()
    with serve(application, port):
        async with asyncio.timeout(15):
            said = await problem(f"http://localhost:{port}/mcp")
    assert said[0] == reason
    assert "canary" not in said[1]
