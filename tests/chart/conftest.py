"""Helm from the project's cache, built where it is not there yet."""

import pytest

from devcluster import golang
from devcluster.progress import Progress
from tests.chart.helm import Helm


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    golang.build(["helm"], Progress(1))
    return Helm(str(golang.binary("helm")), tmp_path_factory.mktemp("helm"))
