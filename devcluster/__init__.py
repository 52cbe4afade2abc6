"""A real Kubernetes cluster on this machine, by one command or one call, from pinned parts."""

from devcluster.cluster import Cluster, find
from devcluster.errors import ClusterError
from devcluster.lifecycle import down, up
from devcluster.outages import restart_apiserver

__all__ = ["Cluster", "ClusterError", "down", "find", "restart_apiserver", "up"]
