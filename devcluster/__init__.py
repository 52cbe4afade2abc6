"""A real Kubernetes cluster on this machine, by one command or one call, from pinned parts."""

from devcluster.cluster import Cluster, find
from devcluster.errors import ClusterError
from devcluster.lifecycle import down, up
from devcluster.outages import restart_apiserver, start_prometheus, stop_prometheus
from devcluster.prometheus import Prometheus, serve_prometheus

__all__ = [
    "Cluster",
    "ClusterError",
    "Prometheus",
    "down",
    "find",
    "restart_apiserver",
    "serve_prometheus",
    "start_prometheus",
    "stop_prometheus",
    "up",
]
