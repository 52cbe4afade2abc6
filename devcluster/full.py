"""The node profile: a real node with pods, DNS, a gateway and Prometheus."""

from __future__ import annotations

from http import HTTPStatus

from devcluster import (
    controlplane,
    gateway,
    golang,
    network,
    node,
    prometheus,
    runtime,
)
from devcluster.catalog import GATEWAY_API, GATEWAY_API_CRDS
from devcluster.cluster import Cluster
from devcluster.controlplane import Addresses
from devcluster.golang import binary
from devcluster.kubeconfig import Credentials
from devcluster.kubectl import Kubectl, answers
from devcluster.network import Network
from devcluster.paths import MANIFESTS
from devcluster.processes import Site, wait_until
from devcluster.progress import Progress

STEPS = 5
_READY_SECONDS = 60.0


def fetch() -> None:
    """Fetch Envoy and the manifests that a cluster with a node installs."""
    golang.module_files(GATEWAY_API, *GATEWAY_API_CRDS)
    gateway.fetch()


def up(name: str, progress: Progress) -> Cluster:
    """Start a cluster in namespaces of its own; ready when a pod and a request could be served."""
    with progress.step("make namespaces and network"):
        site, net = network.enter_new(name)
    at = _addresses(net)
    ca_file = controlplane.pki_directory(site) / "ca.crt"
    credentials = Credentials(site.state_dir, at.server, ca_file)
    admin = credentials.grant("admin")
    credentials.grant("envoy-gateway")
    credentials.grant("prometheus")
    node.grant(credentials)
    with progress.step("start etcd, the API server and containerd"):
        controlplane.prepare(site, at, credentials)
        runtime.start(site, net)
        controlplane.start(site, at, credentials)
    kubectl = Kubectl(str(binary("kubectl")), admin)
    with progress.step("start the node"):
        kubectl.apply(MANIFESTS / "node-rbac.yaml")
        node.start_kubelet(site, net, credentials, network.subtree(name).pods)
        node.start_proxy(site, net, credentials)
        node.start_dns(site, net, credentials)
    with progress.step("start the gateway and Prometheus"):
        kubectl.apply(golang.module_files(GATEWAY_API, *GATEWAY_API_CRDS))
        gateway.install_kinds(kubectl)
        gateway.start(site, credentials, kubectl)
        pods = prometheus.annotated_pods(credentials.path("prometheus"))
        prometheus.start(site, f"{net.node_ip}:9090", pods)
    made = _describe(name, site, net, at)
    with progress.step("wait for the node and the gateway"):
        _wait_ready(made, kubectl)
    return made


def _addresses(net: Network) -> Addresses:
    """Return fixed ports: the network namespace has nobody else in it."""
    return Addresses(
        host=net.node_ip,
        apiserver=6443,
        etcd=2379,
        etcd_peer=2380,
        controller_manager=10257,
        scheduler=10259,
        services=net.services,
    )


def _describe(name: str, site: Site, net: Network, at: Addresses) -> Cluster:
    return Cluster(
        name=name,
        profile="node",
        state_dir=site.state_dir,
        kubeconfig=site.state_dir / "admin.kubeconfig",
        server=at.server,
        ca_file=controlplane.pki_directory(site) / "ca.crt",
        kubectl=str(binary("kubectl")),
        helm=str(binary("helm")),
        audit_log=controlplane.audit_log(site),
        node_ip=net.node_ip,
        prometheus_url=f"http://{net.node_ip}:9090",
        gateway_url=f"http://{net.node_ip}:{gateway.PORT}",
        access_log=gateway.access_log(site),
    )


def _wait_ready(made: Cluster, kubectl: Kubectl) -> None:
    ready = ("wait", "--for=condition=Ready", f"node/{node.NAME}", "--timeout=1s")
    wait_until(lambda: kubectl.succeeds(*ready), "the node", _READY_SECONDS)
    wait_until(
        lambda: kubectl.succeeds("get", "serviceaccount", "default"), "accounts", _READY_SECONDS
    )
    gateway_url = made.gateway_url or ""
    wait_until(
        lambda: answers(gateway_url, status=HTTPStatus.NOT_FOUND), "the gateway", _READY_SECONDS
    )
