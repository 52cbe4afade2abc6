"""The light profile: a real API server and its controllers; KWOK plays one node and its pods."""

from __future__ import annotations

import json

from devcluster import controlplane, golang
from devcluster.catalog import GATEWAY_API, GATEWAY_API_CRDS
from devcluster.cluster import Cluster
from devcluster.controlplane import Addresses
from devcluster.golang import binary
from devcluster.kubeconfig import Credentials
from devcluster.kubectl import Kubectl
from devcluster.paths import MANIFESTS, state_dir
from devcluster.ports import free_ports
from devcluster.processes import Site, wait_until
from devcluster.progress import Progress

STEPS = 3
_READY_SECONDS = 60.0
_NODE = "kwok-node-0"


def fetch() -> None:
    """Fetch the manifests that a light cluster installs."""
    golang.module_files(GATEWAY_API, *GATEWAY_API_CRDS)


def up(name: str, progress: Progress) -> Cluster:
    """Start a light cluster on free ports of loopback; ready when a pod could run."""
    site = Site(state_dir(name))
    apiserver, etcd, etcd_peer, controller_manager, scheduler = free_ports(5)
    at = Addresses("127.0.0.1", apiserver, etcd, etcd_peer, controller_manager, scheduler)
    credentials = Credentials(
        site.state_dir, at.server, controlplane.pki_directory(site) / "ca.crt"
    )
    admin, kwok = credentials.grant("admin"), credentials.grant("kwok")
    with progress.step("start etcd and the API server"):
        controlplane.prepare(site, at, credentials)
        controlplane.start(site, at, credentials)
    kubectl = Kubectl(str(binary("kubectl")), admin)
    with progress.step("install the Gateway API's kinds"):
        kubectl.apply(golang.module_files(GATEWAY_API, *GATEWAY_API_CRDS))
    with progress.step("start KWOK's node"):
        configuration = f"--config={MANIFESTS / 'kwok.yaml'}"
        played = site.start("kwok", str(binary("kwok")), f"--kubeconfig={kwok}", configuration)
        kubectl.apply(MANIFESTS / "kwok-node.yaml")
        wait_until(lambda: _takes_pods(kubectl), "KWOK's node", _READY_SECONDS, [played])
    return Cluster(
        name=name,
        profile="light",
        state_dir=site.state_dir,
        kubeconfig=admin,
        server=at.server,
        ca_file=controlplane.pki_directory(site) / "ca.crt",
        kubectl=str(binary("kubectl")),
        helm=str(binary("helm")),
        audit_log=controlplane.audit_log(site),
    )


def _takes_pods(kubectl: Kubectl) -> bool:
    """Tell whether the node is Ready, free of taints, and pods can have their account."""
    node = json.loads(kubectl.run("get", "node", _NODE, "-o", "json"))
    conditions = {c["type"]: c["status"] for c in node["status"].get("conditions", [])}
    if conditions.get("Ready") != "True" or node["spec"].get("taints"):
        return False
    return kubectl.succeeds("get", "serviceaccount", "default")
