"""What callers know of a cluster, and where that is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

from devcluster import docker, processes
from devcluster.catalog import Profile
from devcluster.errors import ClusterError
from devcluster.paths import clusters, state_dir

_RECORD = "cluster.json"


Engine = Literal["processes", "kind", "external"]
"""What runs it: programs of ours on this machine, kind, or somebody else."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster. What a profile does not have is None."""

    name: str
    profile: Profile
    state_dir: Path
    kubeconfig: Path
    """Credentials of a cluster admin."""
    server: str
    """The API server's https URL as reached from this machine."""
    ca_file: Path
    kubectl: str
    helm: str
    """Where Helm lies; in the light profile it may not be built yet (`build helm`)."""
    engine: Engine = "processes"
    audit_log: Path | None = None
    """JSON lines of the API server's requests at Metadata level, each with its responseStatus."""
    node_ip: str | None = None
    """The address that this machine and the pods both reach."""
    prometheus_url: str | None = None
    """One URL, the same from this machine and from pods."""
    gateway_url: str | None = None
    """Where Envoy takes requests, from this machine and from pods."""
    access_log: Path | None = None
    """JSON lines of Envoy: start_time, path, response_code, upstream_host, x_request_id, ..."""

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the cluster's programs as of now, by name."""
        return {name: d.pid for name, d in processes.recorded(self.state_dir).items() if d.alive}

    @property
    def whole(self) -> bool:
        """Whether all of it runs but what a test has taken away on purpose."""
        if self.engine == "external":
            return True
        if self.engine == "kind":
            return docker.container_runs(docker.kind_node(self.name))
        started = processes.recorded(self.state_dir).values()
        return bool(started) and all(daemon.alive for daemon in started if daemon.wanted)

    @property
    def environment(self) -> dict[str, str]:
        """What a shell or a subprocess needs to talk to this cluster."""
        return {"KUBECONFIG": str(self.kubeconfig), "TURNOUT_CLUSTER": self.name}


def save(cluster: Cluster) -> None:
    """Keep the cluster's record: from here on `find` returns it."""
    fields = {f.name: getattr(cluster, f.name) for f in dataclasses.fields(cluster)}
    (cluster.state_dir / _RECORD).write_text(json.dumps(fields, indent=1, default=str) + "\n")


def load(name: str) -> Cluster | None:
    """Return the recorded cluster of this name, running or not."""
    try:
        fields = json.loads((state_dir(name) / _RECORD).read_text())
    except FileNotFoundError:
        return None
    for field in ("state_dir", "kubeconfig", "ca_file", "audit_log", "access_log"):
        fields[field] = Path(fields[field]) if fields[field] else None
    return Cluster(**fields)


def find(name: str) -> Cluster:
    """Return the running cluster of this name; raise ClusterError where there is none."""
    found = load(name)
    if found is None or not found.whole:
        raise ClusterError(f"no running cluster {name}: python3 -m devcluster up --name {name}")
    return found


def names() -> list[str]:
    """Return the names of all clusters that have state on this machine."""
    if not clusters().is_dir():
        return []
    return sorted(entry.name for entry in clusters().iterdir() if entry.is_dir())
