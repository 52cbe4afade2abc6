"""Fixtures: a cache of the test's own, and programs that end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import processes


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a cache that holds nothing yet."""
    monkeypatch.setenv("TURNOUT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Give the test a state directory; whatever it started there ends with it."""
    directory = tmp_path / "state"
    directory.mkdir()
    yield directory
    processes.stop_all(directory, grace_seconds=1.0)
