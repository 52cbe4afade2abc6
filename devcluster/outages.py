"""Takes parts of a running cluster away and brings them back, for tests of what happens then."""

from __future__ import annotations

from devcluster import controlplane, processes
from devcluster.cluster import Cluster
from devcluster.processes import Site


def restart_apiserver(cluster: Cluster) -> None:
    """End the API server, start it again on the same port and wait until it is ready."""
    daemon = processes.restart(cluster.state_dir, "kube-apiserver")
    controlplane.wait_ready(Site(cluster.state_dir), cluster.server, [daemon])
