"""One subtree of the machine's cgroups for each cluster: what is in it is ours, and ends with it.

Programs, containers and whatever they start are all members, so teardown needs no list. Works
with cgroup v1 (one subtree a hierarchy) and v2.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from devcluster.errors import ClusterError

_ROOT = Path("/sys/fs/cgroup")
_V1_TRACKER = "pids"
_KILL_SECONDS = 20.0
_POLL_SECONDS = 0.05


class Subtree:
    """One cluster's cgroups: `daemons` for its programs, `pods` for what the kubelet starts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.pods = f"/{name}/pods"
        self._daemons = _tracker() / name / "daemons"
        self.procs_file = str(self._daemons / "cgroup.procs")

    def make(self) -> None:
        """Make the cgroup that programs join, and in every hierarchy the kubelet's root."""
        self._daemons.mkdir(parents=True, exist_ok=True)
        for hierarchy in _hierarchies():
            (hierarchy / self._name / "pods").mkdir(parents=True, exist_ok=True)

    def end_all(self) -> None:
        """Kill every process in the subtree, again until none is left (a fork may race)."""
        deadline = time.monotonic() + _KILL_SECONDS
        while members := list(self.members()):
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise ClusterError(f"processes of {self._name} do not end: {members}")
            time.sleep(_POLL_SECONDS)

    def remove(self) -> None:
        """Remove the emptied subtree from every hierarchy."""
        for hierarchy in _hierarchies():
            top = hierarchy / self._name
            for directory in sorted(top.rglob("*/"), key=_depth, reverse=True):
                _remove_directory(directory)
            if top.exists():
                _remove_directory(top)

    def members(self) -> Iterator[int]:
        """Yield the processes that are in the subtree now."""
        for procs in (_tracker() / self._name).rglob("cgroup.procs"):
            with contextlib.suppress(FileNotFoundError, OSError):
                yield from (int(line) for line in procs.read_text().split())


def _is_v2() -> bool:
    return (_ROOT / "cgroup.controllers").exists()


def _tracker() -> Path:
    """Return the hierarchy whose membership is believed."""
    return _ROOT if _is_v2() else _ROOT / _V1_TRACKER


def _hierarchies() -> list[Path]:
    return (
        [_ROOT] if _is_v2() else [d for d in _ROOT.iterdir() if d.is_dir() and not d.is_symlink()]
    )


def _depth(directory: Path) -> int:
    return len(directory.parts)


def _remove_directory(directory: Path) -> None:
    """Remove one cgroup; the kernel calls it busy until its last zombie is reaped."""
    deadline = time.monotonic() + _KILL_SECONDS
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise ClusterError(f"cgroup {directory} cannot be removed: {error}") from error
            time.sleep(_POLL_SECONDS)
        else:
            return
