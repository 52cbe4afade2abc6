"""What tests of several packages share."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from devcluster import down, up
from devcluster.paths import default_name
from turnout.settings import Settings

# How long an example takes says something of the machine, and nothing of the code. Examples are
# the same in every run, so that a red run is one of the change; long runs look for new ones.
settings.register_profile(
    "turnout", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("turnout")


@pytest.fixture(scope="session")
def light_settings() -> Iterator[Settings]:
    """Settings that use a light cluster as its administrator; it lives as long as the session."""
    name = f"{default_name('light')}-shared"
    try:
        yield Settings(kubeconfig=up("light", name).kubeconfig)
    finally:
        down(name)


_measured: list[str] = []


@pytest.fixture
def measured() -> list[str]:
    """Lines with figures, shown at the end of the run."""
    return _measured


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _measured:
        terminalreporter.section("measured")
    for line in _measured:
        terminalreporter.write_line(line)
