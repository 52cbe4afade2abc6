"""The stub server as agents meet it: by MCP's own client, and over plain HTTP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from tests.examples.mounted import spec
from tests.stubs.test_answers import BLOCKED, stub
from tests.support.kubectl import eventually
from tests.support.mcp_server import serve
from tests.support.operator import free_port
from turnout.stubs.answers import stubs_of
from turnout.stubs.records import Records
from turnout.stubs.server import MOST_BYTES, application


@pytest.fixture
def url() -> Iterator[str]:
    port = free_port()
    stubs = stubs_of([stub(), BLOCKED])
    with serve(application(stubs, Records(lambda _line: None)), port):
        yield f"http://localhost:{port}"


def post(url: str, body: Any) -> tuple[int, Any]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with httpx2.Client() as client:
        answer = client.post(url, content=text)
    kind = answer.headers["content-type"]
    return answer.status_code, answer.json() if "json" in kind else answer.text


def test_plain_http_is_answered_with_a_status_that_tells(url: str) -> None:
    status, result = post(f"{url}/tools/refunds.create", {"orderId": "1", "note": "\ud800"})
    assert (status, result["orderId"]) == (200, "1")
    assert post(f"{url}/tools/refunds.create", {"orderId": 1})[0] == 400
    assert post(f"{url}/tools/wipe", {"orderId": "1"})[0] == 403
    assert post(f"{url}/tools/other", {})[0] == 404


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not UTF-8"),
        (b"[" * 100, "the body nests more than 64 deep"),
        (b" " * (MOST_BYTES + 1), f"the body exceeds {MOST_BYTES} bytes"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(url: str, body: bytes, message: str) -> None:
    assert post(f"{url}/tools/refunds.create", body) == (400, message)


async def test_mcp_s_own_client_lists_and_calls_the_tools(url: str) -> None:
    async with Client(streamable_http_client(f"{url}/mcp"), cache=None) as client:
        listed = await client.list_tools()
        good = await client.call_tool("refunds.create", {"orderId": "1"})
        blocked = await client.call_tool("wipe", {"orderId": "1"})
    assert [one.name for one in listed.tools] == ["refunds.create", "wipe"]
    assert listed.tools[0].input_schema["required"] == ["orderId"]
    assert (good.is_error, blocked.is_error) == (False, True)
    (said,) = good.content
    assert isinstance(said, TextContent)
    assert json.loads(said.text)["orderId"] == "1"
    with httpx2.Client() as http:
        told = http.get(f"{url}/calls").json()
    assert told["counts"] == {"refunds.create": {"Answered": 1}, "wipe": {"Blocked": 1}}


def test_the_program_leads_a_version_s_tools_to_itself(tmp_path: Path) -> None:
    registry = spec("tools")
    inside = {"name": "notes.write", "sideEffect": "Write", "inputSchema": "{}"}
    registry["tools"].append(inside)
    (tmp_path / "content" / "..data").mkdir(parents=True)
    (tmp_path / "view").mkdir()
    (tmp_path / "content" / "tools.json").write_text(json.dumps(registry))
    (tmp_path / "content" / "agent.json").write_text("{}")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "TURNOUT_STUBS_CONTENT": str(tmp_path / "content"),
        "TURNOUT_STUBS_VIEW": str(tmp_path / "view"),
        "TURNOUT_STUBS_PORT": str(port),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "turnout.stubs"], env=environment, stdout=subprocess.PIPE
    ) as program:
        try:
            eventually("it is ready", lambda: _is_ready(f"{url}/healthz"))
            refund = {"orderId": "1", "amountUSD": "2"}
            assert post(f"{url}/tools/refunds.create", refund)[0] == 200
        finally:
            program.terminate()
            out, _ = program.communicate(timeout=30)
    absent, called = (json.loads(line) for line in out.splitlines())
    assert (absent["event"], absent["tool"]) == ("absent", "notes.write")
    assert (called["event"], called["tool"]) == ("stubbed", "refunds.create")
    assert (tmp_path / "view" / "agent.json").read_text() == "{}"
    seen = json.loads((tmp_path / "view" / "tools.json").read_text())
    led = {one["name"]: one["server"] for one in seen["tools"]}
    assert led["orders.lookup"] == "shop"
    assert led["refunds.create"] == "turnout-stubs-http"
    assert {one["url"] for one in seen["servers"]} >= {f"{url}/tools"}


def _is_ready(url: str) -> bool:
    try:
        with httpx2.Client() as client:
            return client.get(url).text == "ready"
    except httpx2.HTTPError:
        return False
