"""The play: watches, load and story together, to the last figure."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from demo import api, example, load, report
from demo.checks import Checks
from demo.errors import UnmetError
from demo.screen import Screen
from demo.seen import Seen
from demo.stage import Stage
from demo.story import Story


async def play(stage: Stage, screen: Screen, rate: float) -> bool:
    """Play the story at so many requests a second; tell whether all went as it must.

    Raises:
        DemoError: A part of the stage broke.
    """
    seen = Seen()
    checks = Checks(screen, seen.standing)
    try:
        await _acts(stage, screen, checks, seen, rate)
    except UnmetError:
        screen.say("The story ends here: what had to happen did not.")
    stage.tools.kubectl("apply", "-f", "-", stdin=example.customers(stage.gateway_url))
    report.verdicts(screen, checks)
    report.next_commands(screen, stage)
    return checks.all_held


async def _acts(stage: Stage, screen: Screen, checks: Checks, seen: Seen, rate: float) -> None:
    story = Story(stage, screen, checks, seen)
    async with (
        api.connected(stage.cluster) as server,
        _following(
            seen.watch_agent(server, screen),
            seen.watch_events(server, screen),
            seen.watch_pods(server),
            seen.watch_route(server),
        ),
    ):
        first = await story.first_version()
        offset = stage.access_log.stat().st_size
        async with (
            load.running(stage.gateway_url, rate, stage.directory) as customers,
            _following(seen.read_books(customers)),
        ):
            screen.say(f"customers write through the gateway, {rate:g} messages a second")
            await story.customers_come(first.version)
            courses = [first, await story.better(), await story.worse()]
            books = await customers.stop()
        counted = await report.balance(stage, seen, books, offset, checks)
    report.figures(screen, courses, books, counted, seen.message)


@asynccontextmanager
async def _following(*watches: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let watches run while the block does; one that breaks ends the block, with its error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(watch) for watch in watches]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
