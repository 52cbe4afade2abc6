"""One task from its environment to its report."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from turnout.core.tasks import sha256
from turnout.errors import TaskFailed
from turnout.jobs.addresses import Borders
from turnout.jobs.reach import Reach
from turnout.jobs.report import Desk, deliver, telling

Run: TypeAlias = Callable[[Mapping[str, Any], Reach], Awaitable[Mapping[str, Any]]]
"""What a module of a task has as `run`: description and reach in, result out.

It raises TaskFailed where the question cannot be answered.
"""

TASKS: Final = MappingProxyType(
    {
        "tools": "turnout.jobs.tools",
        "prompt": "turnout.jobs.prompt",
        "evaluation": "turnout.jobs.evaluation.run",
        "results": "turnout.jobs.results",
    }
)
"""Module of each kind of task."""

MOST_BYTES: Final = 700 * 1024
"""Largest answer: it must fit the operator's listener and an object of the API server."""

_OWN_SHARE: Final = 0.98
"""Part of its time after which a task is to end by itself, where it can."""

_PATIENCE: Final = 45.0
_TERMINATION_LOG: Final = Path("/dev/termination-log")


@dataclass(frozen=True)
class Order:
    """What a Job is to do.

    Attributes:
        secrets: Values by their place in the task; None for one that is not there.
        closed: Addresses that are closed to it besides the usual ones.
    """

    kind: str
    description: Mapping[str, Any]
    timeout: float
    secrets: tuple[str | None, ...]
    closed: tuple[str, ...]
    desk: Desk


def read_order(environment: Mapping[str, str]) -> Order:
    """Read the order that the operator wrote into the pod's environment."""
    task = json.loads(environment["TURNOUT_TASK"])
    secrets = range(len(task["secrets"]))
    api_server = environment.get("KUBERNETES_SERVICE_HOST")
    return Order(
        kind=task["kind"],
        description=task["description"],
        timeout=task["timeout"],
        secrets=tuple(environment.get(f"TURNOUT_SECRET_{number}") for number in secrets),
        closed=(api_server,) if api_server else (),
        desk=Desk(
            url=environment["TURNOUT_REPORTS_URL"],
            token_file=Path(environment["TURNOUT_TOKEN_FILE"]),
            job_uid=environment["TURNOUT_JOB_UID"],
            nonce=environment["TURNOUT_NONCE"],
        ),
    )


async def carry_out(order: Order, borders: Borders | None = None) -> int:
    """Do the task and report; returns the exit code: 0 where the report was taken."""
    async with telling(order.desk) as told:
        reach = Reach(
            borders or Borders(order.closed),
            order.secrets,
            seconds=order.timeout * _OWN_SHARE,
            tell=told.tell,
        )
        text = await _answer(order, reach)
    _leave(sha256(text))
    try:
        await deliver(order.desk, text, _PATIENCE)
    except TaskFailed as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    return 0


async def _answer(order: Order, reach: Reach) -> str:
    """Answer the task by a result, by the problem that it met, or by both."""
    run: Run = import_module(TASKS[order.kind]).run
    try:
        async with asyncio.timeout(order.timeout):
            text = json.dumps({"result": dict(await run(order.description, reach))})
    except TaskFailed as failed:
        text = _problem(failed)
    except TimeoutError:
        text = _problem(TaskFailed("TimedOut", f"no result within {order.timeout:g}s"))
    if len(text.encode()) <= MOST_BYTES:
        return text
    return _problem(TaskFailed("TooLarge", f"the result exceeds {MOST_BYTES} bytes"))


def _problem(failed: TaskFailed) -> str:
    told: dict[str, Any] = {"problem": {"reason": failed.reason, "message": failed.message}}
    return json.dumps(told if failed.found is None else told | {"result": dict(failed.found)})


def _leave(digest: str) -> None:
    """Leave the answer's digest as the container's last word, where a kubelet reads it."""
    with suppress(OSError):
        _TERMINATION_LOG.write_text(digest, encoding="utf-8")
