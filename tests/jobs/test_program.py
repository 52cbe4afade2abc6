"""The Job's program: from its environment to a report that was taken."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.home import Home
from tests.support.mcp_server import McpServer, serve_mcp, tool
from tests.support.operator import free_port
from turnout.core.tasks import SecretKey, Task, sha256
from turnout.jobs import program, report
from turnout.jobs.program import carry_out, read_order


@pytest.fixture
def server() -> Iterator[McpServer]:
    with serve_mcp() as made:
        yield made


@pytest.fixture
def environment(desk: Desk, server: McpServer, tmp_path: Path) -> dict[str, str]:
    """Give what the operator writes into the pod of a Job."""
    header = {"name": "Authorization", "secret": 0, "from": "key token of Secret crm"}
    there = {"name": "crm", "type": "MCP", "url": server.url}
    asked = there | {"tools": ["orders.find"], "headers": [header]}
    task = Task("tools", {"servers": [asked]}, (SecretKey("crm", "token"),))
    (tmp_path / "token").write_text("bound-to-the-pod\n")
    return {
        "TURNOUT_TASK": task.text,
        "TURNOUT_NONCE": "word",
        "TURNOUT_REPORTS_URL": desk.url,
        "TURNOUT_TOKEN_FILE": str(tmp_path / "token"),
        "TURNOUT_JOB_UID": "uid-7",
        "TURNOUT_SECRET_0": "Bearer secret",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    }


@pytest.fixture(autouse=True)
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Read the file where the kubelet looks for a container's last word."""
    monkeypatch.setattr(program, "_TERMINATION_LOG", tmp_path / "left")
    monkeypatch.setattr(report, "PAUSE", 0.01)
    return (tmp_path / "left").read_text


async def done(environment: dict[str, str]) -> int:
    async with asyncio.timeout(20):
        return await carry_out(read_order(environment), Home())


async def test_a_task_is_done_and_reported_with_token_word_and_digest(
    environment: dict[str, str], desk: Desk, left: Callable[[], str]
) -> None:
    assert await done(environment) == 0
    (taken,) = desk.taken
    sender = (taken["token"], taken["jobUid"], taken["nonce"])
    assert sender == ("Bearer bound-to-the-pod", "uid-7", "word")
    assert taken["digest"] == sha256(taken["answer"]) == left()
    (told,) = desk.answer["result"]["servers"]
    assert told["tools"][0]["name"] == "orders.find"
    assert "secret" not in taken["answer"]


async def test_a_secret_that_the_pod_did_not_get_is_reported(
    environment: dict[str, str], desk: Desk
) -> None:
    del environment["TURNOUT_SECRET_0"]
    assert await done(environment) == 0
    assert desk.answer["problem"]["reason"] == "SecretMissing"


async def test_the_api_server_is_closed_to_tasks(environment: dict[str, str]) -> None:
    assert read_order(environment).closed == ("10.96.0.1",)
    del environment["KUBERNETES_SERVICE_HOST"]
    assert read_order(environment).closed == ()


async def test_a_task_that_takes_too_long_is_ended_and_reported(
    environment: dict[str, str], desk: Desk, server: McpServer
) -> None:
    task = json.loads(environment["TURNOUT_TASK"])
    environment["TURNOUT_TASK"] = json.dumps(task | {"timeout": 0.001})
    assert await done(environment) == 0
    assert desk.answer["problem"] == {
        "reason": "TimedOut",
        "message": "no result within 0.001s",
    }


async def test_a_result_that_is_too_large_is_reported_as_such(
    environment: dict[str, str], desk: Desk, server: McpServer
) -> None:
    names = [f"t{number}" for number in range(30)]
    server.offers(*(tool(n, schema={"type": "object", "title": "x" * 32_000}) for n in names))
    task = json.loads(environment["TURNOUT_TASK"])
    task["description"]["servers"][0]["tools"] = names
    environment["TURNOUT_TASK"] = json.dumps(task)
    assert await done(environment) == 0
    assert desk.answer["problem"]["reason"] == "TooLarge"


async def test_a_report_is_brought_again_until_the_operator_that_leads_takes_it(
    environment: dict[str, str], desk: Desk
) -> None:
    desk.statuses = [503, 500, 503]
    assert await done(environment) == 0
    assert len(desk.taken) == 4
    assert len({one["answer"] for one in desk.taken}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413])
async def test_a_report_that_is_refused_is_not_brought_again(
    environment: dict[str, str], desk: Desk, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.statuses = [status]
    assert await done(environment) == 1
    assert len(desk.taken) == 1
    said = f"NotTaken: the operator refused the answer (status {status})\n"
    assert capsys.readouterr().err == said


async def test_an_operator_that_is_away_is_given_up_in_time(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(program, "_PATIENCE", 0.2)
    environment["TURNOUT_REPORTS_URL"] = f"http://localhost:{free_port()}"
    assert await done(environment) == 1
    assert capsys.readouterr().err == "NotTaken: no operator took the answer\n"


async def test_nothing_is_lost_where_no_kubelet_looks(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program, "_TERMINATION_LOG", tmp_path / "missing" / "log")
    assert await done(environment) == 0
