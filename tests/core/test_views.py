"""The tools of a version where nobody may be harmed: reads are made, writes are led to stubs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.api.tools import ServerType, ShadowMode, SideEffect, ToolRegistrySpec
from turnout.core.views import Absent, View, mode, view

STUBS = "http://stubs:8080"
SERVERS = [{"name": kind.lower(), "type": kind, "url": f"http://{kind}.x"} for kind in ServerType]


def tool(name: str, effect: str = "Write", server: str | None = "http", **shadow: Any) -> Any:
    made = {"name": name, "sideEffect": effect, "server": server, "inputSchema": "{}"}
    return made | ({"shadow": shadow} if shadow else {})


def seen(*tools: Any, servers: Any = SERVERS) -> View:
    return view(ToolRegistrySpec.model_validate({"servers": servers, "tools": tools}), STUBS)


def servers(found: View) -> dict[str, str]:
    """The address that each tool leads to."""
    urls = {one.name: one.url for one in found.tools.servers}
    return {one.name: urls.get(one.server or "", "inside") for one in found.tools.tools}


@pytest.mark.parametrize(
    ("effect", "shadow", "expected"),
    [
        ("Read", {}, ShadowMode.PASSTHROUGH),
        ("Read", {"mode": "Passthrough"}, ShadowMode.PASSTHROUGH),
        ("Read", {"mode": "Stub", "response": "{}"}, ShadowMode.STUB),
        ("Read", {"mode": "Block"}, ShadowMode.BLOCK),
        ("Write", {}, ShadowMode.STUB),
        ("IdempotentWrite", {}, ShadowMode.STUB),
        ("Write", {"mode": "Block"}, ShadowMode.BLOCK),
        ("Write", {"mode": "Passthrough"}, ShadowMode.BLOCK),
    ],
)
def test_what_is_not_known_to_read_never_passes(
    effect: str, shadow: dict[str, Any], expected: ShadowMode
) -> None:
    (found,) = ToolRegistrySpec.model_validate({"tools": [tool("t", effect, **shadow)]}).tools
    assert mode(found) is expected


def test_each_tool_leads_to_its_server_to_a_stub_or_nowhere() -> None:
    found = seen(
        tool("orders.lookup", "Read"),
        tool("inside.think", "Read", None),
        tool("refunds.create"),
        tool("mail.send", server="mcp"),
        tool("cards.charge", server="openapi"),
        tool("notes.write", server=None),
    )
    assert servers(found) == {
        "orders.lookup": "http://HTTP.x",
        "inside.think": "inside",
        "refunds.create": "http://stubs:8080/tools",
        "mail.send": "http://stubs:8080/mcp",
    }
    assert [one.name for one in found.stubbed] == ["refunds.create", "mail.send"]
    assert found.absent == (
        Absent("cards.charge", "servers of type OpenAPI have no stub"),
        Absent("notes.write", "it is inside the agent itself, where no stub can stand in"),
    )


def test_servers_that_nothing_leads_to_are_not_told() -> None:
    found = seen(tool("refunds.create"))
    assert [one.name for one in found.tools.servers] == ["turnout-stubs-http"]


def test_a_person_s_server_keeps_its_name() -> None:
    own = [*SERVERS, {"name": "turnout-stubs-http", "type": "HTTP", "url": "http://mine"}]
    reads = tool("orders.lookup", "Read", "turnout-stubs-http")
    found = seen(reads, tool("refunds.create"), servers=own)
    assert servers(found)["orders.lookup"] == "http://mine"
    assert found.tools.tools[1].server == "turnout-stubs-http-x"


shadows = st.sampled_from(
    [{}, {"mode": "Passthrough"}, {"mode": "Block"}, {"mode": "Stub", "response": "{}"}]
)
tools = st.lists(
    st.builds(
        lambda name, effect, server, shadow: tool(name, effect, server, **shadow),
        st.text("abc", min_size=1, max_size=2),
        st.sampled_from(list(SideEffect)),
        st.sampled_from([None, *(one["name"] for one in SERVERS)]),
        shadows,
    ),
    unique_by=lambda one: one["name"],
    max_size=6,
)


@given(tools)
def test_no_write_ever_leads_to_a_server_that_does_it(made: list[dict[str, Any]]) -> None:
    found = seen(*made)
    leads = servers(found)
    for one in made:
        if one["sideEffect"] != "Read":
            assert leads.get(one["name"], STUBS).startswith(STUBS)
    told = [*leads, *(one.tool for one in found.absent)]
    assert sorted(told) == sorted(one["name"] for one in made)
