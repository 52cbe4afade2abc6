"""The task `results`: a process that waits to be asked to end, and what it then reads."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.examples.serving import eventually
from tests.support.desk import Desk
from tests.support.home import Home
from turnout.core.suites.counts import Trials
from turnout.core.suites.reported import read_result
from turnout.core.suites.sidecar import Containers, Evaluated, ResultFile, results_task
from turnout.core.tasks import Task
from turnout.errors import TaskFailed
from turnout.jobs import results
from turnout.jobs.reach import Reach

GOOD = '{"id": "refund", "passed": 4, "trials": 5, "errors": 1}\n'
BOTH = (Evaluated("candidate", "v1", "http://a"), Evaluated("baseline", "v0", "http://b"))


@dataclass
class Pod:
    """What the sidecar sees: two folders that others write, and one of its own."""

    folder: Path
    desk: Desk
    form: str = "JSONL"

    def left(self, role: str) -> Path:
        return self.folder / role / "out"

    def task(self) -> Task:
        file = ResultFile(PurePosixPath("/results/out"), self.form, {"faithfulness": "0.8"})
        task = results_task(Containers({}, file, BOTH), timedelta(seconds=60))
        text = json.dumps(dict(task.description))
        here = text.replace("/var/run/turnout-results", str(self.folder))
        there = here.replace("/var/run/turnout-ready", str(self.folder))
        return Task(task.kind, json.loads(there), timeout=task.timeout)

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TURNOUT_TASK": self.task().text,
            "TURNOUT_NONCE": "word",
            "TURNOUT_REPORTS_URL": self.desk.url,
            "TURNOUT_TOKEN_FILE": str(self.folder / "token"),
            "TURNOUT_JOB_UID": "uid-7",
        }


@pytest.fixture
def pod(tmp_path: Path, desk: Desk) -> Pod:
    for role in ("candidate", "baseline"):
        (tmp_path / role).mkdir()
    (tmp_path / "token").write_text("bound-to-the-pod\n")
    return Pod(tmp_path, desk)


@asynccontextmanager
async def waiting(pod: Pod) -> AsyncIterator[Process]:
    """Give the sidecar, ready and waiting."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "turnout.jobs", env=pod.environment()
    )
    try:
        await eventually((pod.folder / "ready").exists)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def found(pod: Pod) -> Any:
    """Give the task's result once it was asked to end, by a signal to this very process."""
    running = asyncio.create_task(results.run(pod.task().description, Reach(Home())))
    await eventually(lambda: running.done() or (pod.folder / "ready").exists())
    os.kill(os.getpid(), signal.SIGTERM)
    return await running


async def problem(pod: Pod) -> TaskFailed:
    with pytest.raises(TaskFailed) as failed:
        await found(pod)
    return failed.value


async def test_what_both_left_is_counted_once_the_containers_have_ended(pod: Pod) -> None:
    async with waiting(pod) as process:
        pod.left("candidate").write_text(GOOD)
        pod.left("baseline").write_text(GOOD.replace("4", "5") + GOOD.replace("refund", "other"))
        assert pod.desk.taken == []
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    (one,) = read_result(pod.desk.answer["result"]).rounds
    assert dict(one.candidate) == {"refund": Trials(4, 1, 1), "other": Trials()}
    assert dict(one.baseline) == {"refund": Trials(5, 0, 1), "other": Trials(4, 1, 1)}


async def test_a_file_that_is_not_there_is_no_result(pod: Pod) -> None:
    pod.left("candidate").write_text(GOOD)
    told = await problem(pod)
    assert told.reason == "NoResult"
    assert told.message == (
        "the baseline's containers left no file that can be read (No such file or directory)"
    )


def rubbish(path: Path) -> None:
    path.write_text("\x1b[31mTraceback: secret")


def nothing(path: Path) -> None:
    path.touch()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "token")


def too_much(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)


@pytest.mark.parametrize(
    ("leave", "reason", "message"),
    [
        (rubbish, "UnparsableResult", "the candidate's: line 1 is not JSON at line 1, column 1"),
        (nothing, "UnparsableResult", "the candidate's: the file is empty"),
        (a_pipe, "UnparsableResult", "the candidate's: what was left is no plain file"),
        (a_folder, "NoResult", "(Is a directory)"),
        (a_link, "NoResult", "Too many levels of symbolic links"),
        (too_much, "UnparsableResult", "the file has 16777217 bytes, at most 16777216 are read"),
    ],
)
async def test_what_is_no_result_file_is_told_and_never_counted(
    pod: Pod, leave: Any, reason: str, message: str
) -> None:
    leave(pod.left("candidate"))
    pod.left("baseline").write_text(GOOD)
    told = await problem(pod)
    assert (told.reason, told.found) == (reason, None)
    assert message in told.message
    assert "secret" not in told.message


async def test_scores_pass_by_their_thresholds(pod: Pod) -> None:
    pod.form = "Ragas"
    rows = [{"id": "a", "user_input": "x", "faithfulness": score} for score in (0.9, 0.5)]
    for role in ("candidate", "baseline"):
        pod.left(role).write_text(json.dumps(rows))
    (one,) = read_result(await found(pod)).rounds
    assert dict(one.candidate) == {"a": Trials(1, 1, 0)}


async def test_containers_that_never_end_are_told_by_the_run_s_own_limit(pod: Pod) -> None:
    environment = pod.environment()
    task = json.loads(environment["TURNOUT_TASK"])
    environment["TURNOUT_TASK"] = json.dumps(task | {"timeout": 1})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "turnout.jobs", env=environment
    )
    async with asyncio.timeout(30):
        assert await process.wait() == 0
    assert pod.desk.answer["problem"]["reason"] == "TimedOut"
