"""One cluster with a node for all of these tests, the operator in it from its chart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from demo import stage as demo_stage
from demo.stage import Stage
from devcluster.paths import default_name
from tests.support.kubectl import Kubectl


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The demo's stage, on a cluster of the tests' own."""
    name = default_name("e2e")
    yield demo_stage.set_up(name)
    devcluster.down(name)


@pytest.fixture(scope="session")
def admin(stage: Stage) -> Kubectl:
    """An administrator's kubectl in the example's namespace."""
    return Kubectl(stage.cluster, "support")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the acts of the story back into their order, at the end of everything."""
    here = str(Path(__file__).parent)
    acts = [item for item in items if str(item.path).startswith(here)]
    items[:] = [item for item in items if item not in acts]
    items += sorted(acts, key=lambda item: item.nodeid)
