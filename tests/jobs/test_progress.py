"""How far a task is, told on the way; and what a task knew when its time was over."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.examples.serving import eventually
from tests.support.desk import Desk
from tests.support.home import Home
from turnout.core.tasks import Task, sha256
from turnout.errors import TaskFailed
from turnout.jobs import program, report
from turnout.jobs.program import carry_out, read_order
from turnout.jobs.reach import Reach

HOME = Home()


@pytest.fixture
def environment(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(program, "_TERMINATION_LOG", tmp_path / "left")
    monkeypatch.setattr(report, "PAUSE", 0.01)
    monkeypatch.setattr(report, "EVERY", 0.01)
    (tmp_path / "token").write_text("bound-to-the-pod\n")
    return {
        "TURNOUT_TASK": Task("evaluation", {}).text,
        "TURNOUT_NONCE": "word",
        "TURNOUT_REPORTS_URL": desk.url,
        "TURNOUT_TOKEN_FILE": str(tmp_path / "token"),
        "TURNOUT_JOB_UID": "uid-7",
    }


async def done(environment: dict[str, str], task: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(program, "import_module", lambda _name: SimpleNamespace(run=task))
    async with asyncio.timeout(20):
        return await carry_out(read_order(environment), HOME)


async def told(desk: Desk, times: int) -> None:
    await eventually(lambda: len(desk.taken) >= times)


async def test_progress_is_told_by_the_channel_of_reports_and_ends_nothing(
    environment: dict[str, str], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def task(_description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
        for number in (1, 2):
            reach.tell({"done": number, "total": 2, "secondsLeft": 0})
            await told(desk, number)
        return {"found": "it"}

    assert await done(environment, task, monkeypatch) == 0
    assert [json.loads(one["answer"]) for one in desk.taken] == [
        {"progress": {"done": 1, "total": 2, "secondsLeft": 0}},
        {"progress": {"done": 2, "total": 2, "secondsLeft": 0}},
        {"result": {"found": "it"}},
    ]
    assert {one["nonce"] for one in desk.taken} == {"word"}
    assert all(one["digest"] == sha256(one["answer"]) for one in desk.taken)


async def test_an_operator_that_does_not_want_to_know_is_told_the_result_alone(
    environment: dict[str, str], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.statuses = [403]

    async def task(_description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
        reach.tell({"done": 1})
        await told(desk, 1)
        reach.tell({"done": 2})
        await asyncio.sleep(0.1)
        return {}

    assert await done(environment, task, monkeypatch) == 0
    assert [list(json.loads(one["answer"])) for one in desk.taken] == [["progress"], ["result"]]


async def test_a_task_ends_by_itself_a_little_before_it_is_ended(
    environment: dict[str, str], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def task(_description: Mapping[str, Any], reach: Reach) -> Mapping[str, Any]:
        await asyncio.sleep(0)
        raise TaskFailed("TimedOut", f"after {reach.seconds:.1f}s", {"rounds": 3})

    assert await done(environment, task, monkeypatch) == 0
    assert desk.answer == {
        "problem": {"reason": "TimedOut", "message": "after 58.8s"},
        "result": {"rounds": 3},
    }
