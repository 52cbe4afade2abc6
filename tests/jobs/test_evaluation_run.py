"""The task `evaluation`: files in, rounds out, against servers that really answer."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.examples.serving import served
from tests.support.home import Home
from turnout.api.rollout_status import Verdict
from turnout.api.suite_task import SuiteTask
from turnout.core.suites.datasets import digest
from turnout.core.suites.reported import Reported, read_result
from turnout.core.suites.verdict import Reason, Suite, replay
from turnout.core.tasks import sha256
from turnout.errors import TaskFailed
from turnout.jobs.evaluation import run as evaluation
from turnout.jobs.evaluation import transcripts
from turnout.jobs.reach import Reach

IDS = tuple(f"task-{number:02}" for number in range(20))


def rows(*names: str, **fields: Any) -> list[dict[str, Any]]:
    held = [{"name": "says-yes", "exact": {"text": "yes"}}]
    return [{"id": name, "input": name, "graders": held, **fields} for name in names]


@dataclass
class Version:
    """An agent whose answers a test decides, task by task.

    Attributes:
        says: Answer to a task; None for one that never comes.
        asked: Tasks that it was asked, in their order.
    """

    says: Callable[[str], str | None] = lambda _task: "yes"
    asked: list[str] = field(default_factory=list)
    status: int = 200

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body["messages"][-1]["content"])
        said = self.says(self.asked[-1])
        if said is None:
            await asyncio.Event().wait()
        message = {"role": "assistant", "content": said}
        return web.json_response(
            {"choices": [{"message": message}], "usage": {"total_tokens": 10}}, status=self.status
        )


@dataclass
class Order:
    """What a run is asked, over two versions that are served."""

    folder: Path
    candidate: str
    baseline: str
    told: list[dict[str, int]] = field(default_factory=list)

    def written(self, text: str, form: str = "JSONL", name: str = "tasks") -> dict[str, Any]:
        (self.folder / name).write_text(text)
        return {"path": str(self.folder / name), "format": form, "digest": sha256(text)}

    def description(self, tasks: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        source = self.written("\n".join(json.dumps(one) for one in tasks))
        suite = digest([SuiteTask.model_validate(one) for one in tasks])
        return {
            "suite": {"name": "refunds", "digest": suite},
            "candidate": {"version": "new", "digest": "x", "url": self.candidate},
            "baseline": {"version": "old", "digest": "y", "url": self.baseline},
            "ask": {"protocol": "OpenAIChat", "path": "/ask", "concurrency": 4},
            "sources": [source],
            "trials": {"min": 2, "max": 10},
            "record": None,
            **fields,
        }

    async def run(self, description: dict[str, Any], seconds: float = 60) -> Reported:
        reach = Reach(Home(), ["hunter2", None], seconds=seconds, tell=self.tell)
        return read_result(await evaluation.run(description, reach))

    async def fails(self, description: dict[str, Any], seconds: float = 60) -> TaskFailed:
        with pytest.raises(TaskFailed) as failed:
            await self.run(description, seconds)
        return failed.value

    def tell(self, progress: Any) -> None:
        self.told.append(dict(progress))


@asynccontextmanager
async def asked(folder: Path, candidate: Version, baseline: Version) -> AsyncIterator[Order]:
    apps = []
    for one in (candidate, baseline):
        app = web.Application()
        app.router.add_post("/ask", one.answer)
        apps.append(app)
    async with served(apps[0]) as own, served(apps[1]) as other:
        yield Order(folder, own, other)


async def test_a_candidate_as_good_as_the_baseline_is_run_until_that_is_shown(
    tmp_path: Path,
) -> None:
    own, other = Version(), Version()
    async with asked(tmp_path, own, other) as order:
        found = await order.run(order.description(rows(*IDS)))
    judged = replay(Suite(IDS), found.rounds)
    assert judged.ruling.reason is Reason.SAFE
    assert judged.is_over
    assert Counter(own.asked) == Counter(other.asked) == Counter([*IDS] * len(found.rounds))
    assert (found.tasks, found.reasons) == (IDS, {})
    assert found.tokens == 10 * 2 * len(IDS) * len(found.rounds)
    assert order.told[-1]["done"] == 2 * len(IDS) * len(found.rounds)
    assert order.told[-1]["total"] == 2 * len(IDS) * 10


async def test_a_task_that_broke_is_told_by_its_letters_and_stops_the_run(tmp_path: Path) -> None:
    own = Version(lambda name: "no" if name <= "task-09" else "yes")
    async with asked(tmp_path, own, Version()) as order:
        found = await order.run(order.description(rows(*IDS)))
    judged = replay(Suite(IDS), found.rounds)
    assert (judged.ruling.verdict, judged.ruling.reason) == (Verdict.FAIL, Reason.REGRESSED)
    letters = found.to_wire()["rounds"][0]
    assert letters == {"candidate": "f" * 10 + "p" * 10, "baseline": "p" * 20}


async def test_one_that_must_pass_ends_the_run_after_its_round(tmp_path: Path) -> None:
    tasks = [*rows("a", "b"), *rows("c", mustPass=True)]
    own = Version(lambda name: "no" if name == "c" else "yes")
    async with asked(tmp_path, own, Version()) as order:
        found = await order.run(order.description(tasks))
    assert len(found.rounds) == 1
    suite = Suite(("a", "b", "c"), frozenset({"c"}))
    assert replay(suite, found.rounds).ruling.reason is Reason.REQUIRED_FAILED


async def test_errors_are_counted_by_their_reason_and_are_no_failures(tmp_path: Path) -> None:
    async with asked(tmp_path, Version(status=500), Version(status=500)) as order:
        description = order.description(rows("a", "b"), trials={"min": 1, "max": 2})
        found = await order.run(description)
    assert dict(found.reasons) == {"Refused": 8}
    assert found.to_wire()["rounds"] == [{"candidate": "ee", "baseline": "ee"}] * 2


async def test_a_run_out_of_time_tells_its_whole_rounds(tmp_path: Path) -> None:
    other = Version()
    own = Version(lambda _name: None if len(own.asked) > 2 else "yes")
    async with asked(tmp_path, own, other) as order:
        failed = await order.fails(order.description(rows("a", "b")), seconds=3)
    assert failed.reason == "TimedOut"
    assert failed.found is not None
    assert len(read_result(failed.found).rounds) == 1


async def test_a_run_that_ends_in_its_first_round_has_no_result(tmp_path: Path) -> None:
    async with asked(tmp_path, Version(lambda _name: None), Version()) as order:
        failed = await order.fails(order.description(rows("a")), seconds=0.3)
    assert (failed.reason, failed.found) == ("TimedOut", None)


async def test_a_run_over_its_budget_tells_what_is_known(tmp_path: Path) -> None:
    async with asked(tmp_path, Version(), Version()) as order:
        description = order.description(rows(*IDS), budget={"tokens": 300})
        failed = await order.fails(description)
    assert failed.reason == "OverBudget"
    assert failed.message == "400 tokens were used, 300 are allowed"
    assert failed.found is not None
    assert len(read_result(failed.found).rounds) == 1


async def test_a_record_stands_for_the_baseline(tmp_path: Path) -> None:
    record = "\n".join(json.dumps({"id": name, "passed": 20, "trials": 20}) for name in IDS)
    other = Version()
    async with asked(tmp_path, Version(), other) as order:
        path = order.written(record, name="record")["path"]
        found = await order.run(order.description(rows(*IDS), baseline=None, record=path))
    assert other.asked == []
    assert {len(one.baseline) for one in found.rounds} == {0}


async def test_a_suite_that_is_another_one_is_not_run(tmp_path: Path) -> None:
    own = Version()
    async with asked(tmp_path, own, Version()) as order:
        named = order.description(rows("a"))
        (tmp_path / "tasks").write_text(json.dumps(rows("b")[0]))
        assert (await order.fails(named)).reason == "TasksChanged"
        other = order.description(rows("a"), suite={"name": "refunds", "digest": "sha256:other"})
        assert (await order.fails(other)).message == "suite refunds is another one by now"
    assert own.asked == []


@pytest.mark.parametrize(
    ("text", "reason", "message"),
    [
        ("{", "InvalidTasks", "tasks: line 1 is not JSON at column 2"),
        ("x" * 1_048_577, "InvalidTasks", "tasks has 1048577 bytes, at most 1048576 are read"),
        (
            json.dumps(rows("a", graders=[{"name": "g", "regex": {"pattern": "(?=x)"}}])[0]),
            "InvalidGrader",
            "task a, grader g: pattern is no regular expression of linear time",
        ),
    ],
)
async def test_tasks_that_cannot_be_used_are_told_with_their_place(
    tmp_path: Path, text: str, reason: str, message: str
) -> None:
    async with asked(tmp_path, Version(), Version()) as order:
        description = order.description(rows("a"))
        failed = await order.fails(description | {"sources": [order.written(text)]})
    assert failed.reason == reason
    assert message in failed.message


async def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    async with asked(tmp_path, Version(), Version()) as order:
        named = order.description(rows("a"))
        assert (await order.fails(named | {"baseline": None})).reason == "NoBaseline"
        bad = order.written("{", name="record")["path"]
        unread = await order.fails(named | {"baseline": None, "record": bad})
        assert unread.reason == "UnparsableResult"
        (tmp_path / "tasks").write_bytes(b"\xff")
        assert "is not UTF-8 at byte 0" in (await order.fails(named)).message
        (tmp_path / "tasks").unlink()
        gone = await order.fails(named)
    assert (gone.reason, gone.message) == (
        "NoTasks",
        "tasks cannot be read (No such file or directory)",
    )


async def test_transcripts_go_to_the_log_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "sk-" + "a" * 24
    own = Version(lambda _name: f"It is hunter2, Bearer abcdefgh123, {key}\u202e.")
    async with asked(tmp_path, own, Version()) as order:
        await order.run(order.description(rows("a"), trials={"min": 1, "max": 1}))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {one["version"]: one for one in lines}
    assert told["new"]["answer"] == "It is [secret], [credential], [credential]\\u202e."
    assert (told["new"]["outcome"], told["new"]["round"]) == ("failed", 1)
    assert told["new"]["why"] == "says-yes: the answer is another text"
    assert (told["old"]["outcome"], told["old"]["answer"]) == ("passed", "yes")


async def test_transcripts_end_where_a_log_would_grow_without_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcripts, "MOST_BYTES", 300)
    async with asked(tmp_path, Version(), Version()) as order:
        await order.run(order.description(rows(*IDS), trials={"min": 1, "max": 1}))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 6
    assert lines[-1] == '{"transcripts": "the rest is left out"}'
