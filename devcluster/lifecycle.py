"""Makes clusters and takes them away again."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from devcluster import cluster as records
from devcluster import debian, docker, external, full, golang, kind, light, network, processes
from devcluster.catalog import DEBIAN_PACKAGES, PROGRAMS, Profile
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.locks import alone
from devcluster.paths import cache, default_name, state_dir
from devcluster.progress import Progress


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """How a cluster of one kind is made."""

    programs: tuple[str, ...]
    packages: Mapping[str, str]
    fetch: Callable[[], None]
    """Fetches what is not built."""
    steps: int
    start: Callable[[str, Progress], Cluster]
    needs_root: bool = False

    @property
    def all_steps(self) -> int:
        """Return how many steps there are until such a cluster is up."""
        return 1 + len(golang.missing(self.programs)) + self.steps


_LIGHT = Recipe(PROGRAMS["light"], DEBIAN_PACKAGES["light"], light.fetch, light.STEPS, light.up)
_NODE = Recipe(
    PROGRAMS["node"], DEBIAN_PACKAGES["node"], full.fetch, full.STEPS, full.up, needs_root=True
)
_KIND = Recipe(kind.PROGRAMS, DEBIAN_PACKAGES["light"], full.fetch, kind.STEPS, kind.up)


def recipe_for(profile: Profile) -> Recipe:
    """Return how this profile is made here: the one with a node by kind where Docker runs."""
    if profile == "light":
        return _LIGHT
    return _KIND if docker.engine_runs() else _NODE


def up(
    profile: Profile = "light", name: str | None = None, progress: Progress | None = None
) -> Cluster:
    """Return a running cluster of this profile, made anew where none is whole.

    Whoever calls first makes it; callers at the same time wait and get the same one. For a
    profile with a node, a cluster that the caller has named by environment comes first.
    """
    chosen = external.named()
    if profile == "node" and chosen is not None:
        return external.connect(chosen)
    name = name or default_name(profile)
    with alone(name):
        found = records.load(name)
        if found is not None and found.profile != profile:
            raise ClusterError(f"cluster {name} has profile {found.profile}, not {profile}")
        if found is not None and found.whole:
            return found
        _remove(name)
        return _make(recipe_for(profile), name, progress)


def down(name: str) -> bool:
    """Take a cluster away with all that it left; tell whether there was one."""
    if not state_dir(name).exists():
        return False
    with alone(name):
        _remove(name)
    return True


def build(profile: Profile, progress: Progress | None = None) -> None:
    """Install and build what a profile needs, without starting anything."""
    recipe = recipe_for(profile)
    _prepare(recipe, progress or Progress(recipe.all_steps - recipe.steps))


def _prepare(recipe: Recipe, progress: Progress) -> None:
    with progress.step("Debian packages, wheels and manifests"):
        debian.install(recipe.packages)
        recipe.fetch()
    golang.build(recipe.programs, progress)


def _make(recipe: Recipe, name: str, progress: Progress | None) -> Cluster:
    if recipe.needs_root and os.geteuid() != 0:
        raise ClusterError("a cluster with a node needs root, or a Docker engine")
    progress = progress or Progress(recipe.all_steps)
    _prepare(recipe, progress)
    state_dir(name).mkdir(parents=True)
    try:
        made = recipe.start(name, progress)
        records.save(made)
    except ClusterError as error:
        kept = _keep_logs(name)
        _remove(name)
        raise ClusterError(f"{error}; its logs are in {kept}") from error
    except BaseException:
        _remove(name)
        raise
    return made


def _remove(name: str) -> None:
    """End what the state directory records, then forget it."""
    directory = state_dir(name)
    if not directory.exists():
        return
    if (directory / "kind.json").exists():
        kind.remove(name)
    if network.was_entered(name):
        network.leave(name)
    processes.stop_all(directory, grace_seconds=1.0)  # nothing of it is kept
    shutil.rmtree(directory)


def _keep_logs(name: str) -> Path:
    """Put a failed cluster's logs where its removal does not reach, and say where that is."""
    kept = cache() / "failed" / name
    shutil.rmtree(kept, ignore_errors=True)
    logs = state_dir(name) / "logs"
    if logs.exists():
        shutil.copytree(logs, kept)
    return kept
