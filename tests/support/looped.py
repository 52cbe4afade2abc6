"""An event loop whose time passes as fast as a test runs."""

import asyncio
from collections.abc import Callable, Mapping

import looptime
import pytest


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give tests marked `looptime` an event loop that never waits."""
    if item.get_closest_marker("looptime"):
        return {"looptime": looptime.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
