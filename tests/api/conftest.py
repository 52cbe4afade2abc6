"""A real API server with our kinds, for tests of what it accepts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import Cluster, down, up
from devcluster.paths import default_name
from devcluster.progress import silence
from tests.api.server import ApiServer

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def light_cluster() -> Iterator[Cluster]:
    """An API server without a node, for this session alone."""
    name = f"{default_name('light')}-kinds"
    yield up("light", name=name, progress=silence())
    down(name)


@pytest.fixture(scope="session")
def server(light_cluster: Cluster) -> ApiServer:
    """The API server, with our kinds established."""
    server = ApiServer(light_cluster)
    server.install(CRDS)
    return server
