"""The end of the play: what must have held, the figures, and where to read on."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from demo import gateway
from demo.checks import Checks
from demo.example import AGENT, NAMESPACE
from demo.screen import Screen
from demo.seen import Seen
from demo.stage import Stage
from demo.story import Course

_FLUSH_LIMIT: Final = 5.0
"""The gateway writes its log a moment after the answers."""

Books = Mapping[str, Any]


async def balance(
    stage: Stage, seen: Seen, books: Books, offset: int, checks: Checks
) -> Mapping[str, int]:
    """Compare the load generator's books with the gateway's, and note what must hold."""
    answered = {name: one["requests"] - one["failed"] for name, one in books["versions"].items()}
    deadline = time.monotonic() + _FLUSH_LIMIT
    counted = gateway.count(stage.access_log, offset, seen.pods.version_at)
    while dict(counted) != answered and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        counted = gateway.count(stage.access_log, offset, seen.pods.version_at)
    checks.note(
        "the gateway counted the same answers for each version",
        ", ".join(f"{name} {counted[name]}" for name in sorted(counted)),
        held=dict(counted) == answered,
    )
    failed = books["failed"] + books["unsent"]
    checks.note(
        "no request failed",
        f"{failed} of {books['requests']} {books['failures'] or ''}".rstrip(),
        held=failed == 0,
    )
    return counted


def figures(
    screen: Screen, courses: Sequence[Course], books: Books, counted: Mapping[str, int], cause: str
) -> None:
    """Print the table of figures, a column a version."""
    own = [books["versions"].get(course.version, {}) for course in courses]
    rows = [
        ["", *(course.title for course in courses)],
        ["version", *(course.version for course in courses)],
        ["what became of it", *(course.ended for course in courses)],
        [
            "kubectl apply to first candidate traffic",
            *(_first_traffic(course) for course in courses),
        ],
        ["first bad answer to rollback", *(_taken_back(one) for one in courses)],
        ["answers, by the load generator", *(_answers(one) for one in own)],
        ["answers, by the gateway", *(str(counted.get(one.version, 0)) for one in courses)],
        ["wrong answers among them", *(str(one.get("bad", 0)) for one in own)],
    ]
    screen.title("Figures")
    screen.table(rows)
    screen.lines(f"failed requests in all: {books['failed']} of {books['requests']}")
    screen.lines(f"rolled back because: {cause}")


def verdicts(screen: Screen, checks: Checks) -> None:
    """Print every expectation and whether it held."""
    screen.title("What had to happen")
    for check in checks.noted:
        screen.check(check.name, check.detail, held=check.held)


def next_commands(screen: Screen, stage: Stage) -> None:
    """Print where the story can be read with kubectl alone."""
    name = stage.cluster.name
    screen.title("The cluster stays up, and customers go on writing for an hour. Read the story")
    screen.lines(
        f'  eval "$(python3 -m devcluster env --name {name})"\n'
        f"  kubectl -n {NAMESPACE} get agents.turnout.dev,agentrollouts.turnout.dev\n"
        f"  kubectl -n {NAMESPACE} describe agents.turnout.dev {AGENT}\n"
        f"  kubectl -n {NAMESPACE} events --for agents.turnout.dev/{AGENT}"
    )
    screen.title("or go on with it")
    screen.lines(
        f"  kubectl -n {NAMESPACE} edit prompts.turnout.dev support-system   # another prompt\n"
        f"  kubectl -n {NAMESPACE} get agents.turnout.dev -w\n"
        "  make demo-down                                                # take it all away"
    )


def _first_traffic(course: Course) -> str:
    return "-" if course.first_at is None else f"{course.first_at - course.applied_at:.1f} s"


def _taken_back(course: Course) -> str:
    if course.back_at is None or course.first_bad_at is None:
        return "-"
    return f"{course.back_at - course.first_bad_at:.1f} s"


def _answers(own: Mapping[str, Any]) -> str:
    return str(own.get("requests", 0) - own.get("failed", 0))
