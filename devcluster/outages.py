"""Takes parts of a running cluster away and brings them back, for tests of what happens then."""

from __future__ import annotations

from urllib.parse import urlsplit

from devcluster import controlplane, kind, processes, prometheus
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.processes import Site


def restart_apiserver(cluster: Cluster) -> None:
    """End the API server, start it again on the same port and wait until it is ready.

    It would take its time to see off every watch; after a second it is killed.
    """
    _require_ours(cluster)
    if cluster.engine == "kind":
        kind.restart_apiserver(cluster)
        return
    daemon = processes.restart(cluster.state_dir, "kube-apiserver", grace_seconds=1.0)
    controlplane.wait_ready(Site(cluster.state_dir), cluster.server, [daemon])


def stop_prometheus(cluster: Cluster) -> None:
    """End the cluster's Prometheus; what it has stored stays."""
    _require_prometheus(cluster)
    if cluster.engine == "kind":
        kind.scale_prometheus(cluster, 0)
        return
    processes.suspend(cluster.state_dir, prometheus.NAME)


def start_prometheus(cluster: Cluster) -> None:
    """Start the cluster's Prometheus again, on the same data, and wait until it answers."""
    address = _require_prometheus(cluster)
    if cluster.engine == "kind":
        kind.scale_prometheus(cluster, 1)
        return
    daemon = processes.restart(cluster.state_dir, prometheus.NAME)
    prometheus.wait_ready(address, daemon)


def _require_prometheus(cluster: Cluster) -> str:
    _require_ours(cluster)
    if cluster.prometheus_url is None:
        raise ClusterError(f"cluster {cluster.name} has no Prometheus")
    return urlsplit(cluster.prometheus_url).netloc


def _require_ours(cluster: Cluster) -> None:
    if cluster.engine == "external":
        raise ClusterError("a cluster that the caller named is not ours to break")
