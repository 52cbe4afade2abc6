"""Jobs leave their answers at a desk."""

from collections.abc import Iterator

import pytest

from tests.support.desk import Desk
from tests.support.looped import pytest_asyncio_loop_factories
from tests.support.mcp_server import serve
from tests.support.operator import free_port

__all__ = ["desk", "pytest_asyncio_loop_factories"]


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Where reports are left."""
    port = free_port()
    made = Desk(f"http://localhost:{port}")
    with serve(made, port):
        yield made
