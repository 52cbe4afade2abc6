"""A cluster that the caller names: TURNOUT_CLUSTER_KUBECONFIG, never one that merely happens to be.

Where its Prometheus and gateway are is told by TURNOUT_CLUSTER_PROMETHEUS_URL and
TURNOUT_CLUSTER_GATEWAY_URL. Nothing is installed into it and nothing of it is ever taken away.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from devcluster import golang
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.golang import binary
from devcluster.kubectl import Kubectl
from devcluster.paths import cache, short_hash
from devcluster.progress import Progress

KUBECONFIG = "TURNOUT_CLUSTER_KUBECONFIG"
_PROMETHEUS = "TURNOUT_CLUSTER_PROMETHEUS_URL"
_GATEWAY = "TURNOUT_CLUSTER_GATEWAY_URL"


def named() -> Path | None:
    """Return the kubeconfig that the caller named, if any."""
    chosen = os.environ.get(KUBECONFIG)
    return Path(chosen).resolve() if chosen else None


def connect(kubeconfig: Path) -> Cluster:
    """Describe the cluster behind a kubeconfig's current context; it must answer."""
    if not kubeconfig.is_file():
        raise ClusterError(f"{KUBECONFIG} names {kubeconfig}, which is not a file")
    golang.build(["kubectl"], Progress(len(golang.missing(["kubectl"]))))
    kubectl = Kubectl(str(binary("kubectl")), kubeconfig)
    kubectl.run("get", "--raw", "/readyz")
    view = json.loads(kubectl.run("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    cluster = view["clusters"][0]["cluster"]
    name = f"external-{short_hash(str(kubeconfig), 6)}"
    directory = cache() / "external" / name
    directory.mkdir(parents=True, exist_ok=True)
    ca_file = directory / "ca.crt"
    ca_file.write_bytes(base64.b64decode(cluster.get("certificate-authority-data", "")))
    return Cluster(
        name=name,
        profile="node",
        engine="external",
        state_dir=directory,
        kubeconfig=kubeconfig,
        server=cluster["server"],
        ca_file=ca_file,
        kubectl=str(binary("kubectl")),
        helm=str(binary("helm")),
        prometheus_url=os.environ.get(_PROMETHEUS),
        gateway_url=os.environ.get(_GATEWAY),
    )
