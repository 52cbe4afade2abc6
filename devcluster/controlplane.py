"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from devcluster import pki
from devcluster.errors import ClusterError
from devcluster.golang import binary
from devcluster.kubeconfig import Credentials
from devcluster.kubectl import answers
from devcluster.paths import MANIFESTS
from devcluster.processes import Daemon, Site, log_tail, wait_until

_READY_SECONDS = 60.0
_LOOPBACK = "127.0.0.1"


@dataclasses.dataclass(frozen=True, slots=True)
class Addresses:
    """Where a control plane listens. EndpointSlices refuse loopback, so a node needs a real one."""

    host: str
    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int
    services: str = "10.253.0.0/16"
    """The subnet of ClusterIPs; its first address is the API server's."""

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.host}:{self.apiserver}"

    @property
    def first_service(self) -> str:
        """The ClusterIP of `kubernetes.default`."""
        return self.services.split("/")[0].rpartition(".")[0] + ".1"

    @property
    def serves_pods(self) -> bool:
        """Whether real pods must reach the API server."""
        return self.host != _LOOPBACK


def prepare(site: Site, at: Addresses, credentials: Credentials) -> None:
    """Make the keys and grant what the control plane's own clients need."""
    directory = pki_directory(site)
    pki.make_authority(directory)
    names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    addresses = (_LOOPBACK, at.host, at.first_service)
    alternatives = [f"DNS:{name}" for name in names] + [f"IP:{ip}" for ip in addresses]
    pki.issue(directory, "apiserver", "/CN=kube-apiserver", alternatives)
    pki.issue(directory, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
    for client in ("kube-controller-manager", "kube-scheduler"):
        credentials.grant(client)


def start(site: Site, at: Addresses, credentials: Credentials) -> None:
    """Start the four programs and wait until the API server is ready."""
    etcd = _start_etcd(site, at)
    apiserver = _start_apiserver(site, at, credentials)
    wait_ready(site, at.server, [etcd, apiserver])
    _start_controller_manager(site, at, credentials)
    site.start(
        "kube-scheduler", str(binary("kube-scheduler")),
        f"--kubeconfig={credentials.path('kube-scheduler')}",
        f"--secure-port={at.scheduler}", f"--bind-address={_LOOPBACK}",
        "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000",
    )  # fmt: skip


def wait_ready(site: Site, server: str, watched: list[Daemon]) -> None:
    """Wait until the API server says that it is ready; on failure show its last words."""
    ca_file = pki_directory(site) / "ca.crt"
    try:
        wait_until(
            lambda: answers(f"{server}/readyz", ca_file), "the API server", _READY_SECONDS, watched
        )
    except ClusterError as error:
        raise ClusterError(f"{error}\n{log_tail(site.state_dir, 'kube-apiserver')}") from error


def pki_directory(site: Site) -> Path:
    """Return where the cluster's keys lie."""
    return site.state_dir / "pki"


def audit_log(site: Site) -> Path:
    """Return where the API server writes its audit log."""
    return site.state_dir / "audit.log"


def _start_etcd(site: Site, at: Addresses) -> Daemon:
    client = f"http://{_LOOPBACK}:{at.etcd}"
    peer = f"http://{_LOOPBACK}:{at.etcd_peer}"
    return site.start(
        "etcd", str(binary("etcd")), f"--data-dir={site.state_dir / 'etcd'}",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}", "--quota-backend-bytes=4294967296",
        "--unsafe-no-fsync", "--log-level=warn",
    )  # fmt: skip


def _start_apiserver(site: Site, at: Addresses, credentials: Credentials) -> Daemon:
    keys = pki_directory(site)
    listen = (
        ["--bind-address=0.0.0.0", f"--advertise-address={at.host}"]
        if at.serves_pods
        else [f"--bind-address={_LOOPBACK}", "--endpoint-reconciler-type=none"]
    )
    return site.start(
        "kube-apiserver", str(binary("kube-apiserver")), *listen,
        f"--secure-port={at.apiserver}", f"--etcd-servers=http://{_LOOPBACK}:{at.etcd}",
        f"--tls-cert-file={keys / 'apiserver.crt'}",
        f"--tls-private-key-file={keys / 'apiserver.key'}",
        f"--token-auth-file={credentials.token_file}", "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys / 'sa.key'}",
        f"--service-account-signing-key-file={keys / 'sa.key'}",
        f"--service-cluster-ip-range={at.services}", "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={keys / 'kubelet-client.crt'}",
        f"--kubelet-client-key={keys / 'kubelet-client.key'}",
        f"--audit-policy-file={MANIFESTS / 'audit-policy.yaml'}",
        f"--audit-log-path={audit_log(site)}", "--audit-log-maxsize=0",
        "--enable-admission-plugins=NodeRestriction", "--profiling=false",
    )  # fmt: skip


def _start_controller_manager(site: Site, at: Addresses, credentials: Credentials) -> Daemon:
    keys = pki_directory(site)
    return site.start(
        "kube-controller-manager", str(binary("kube-controller-manager")),
        f"--kubeconfig={credentials.path('kube-controller-manager')}",
        f"--secure-port={at.controller_manager}", f"--bind-address={_LOOPBACK}",
        "--leader-elect=false", "--use-service-account-credentials=true",
        f"--service-account-private-key-file={keys / 'sa.key'}",
        f"--root-ca-file={keys / 'ca.crt'}", "--allocate-node-cidrs=false",
        "--kube-api-qps=500", "--kube-api-burst=1000",
    )  # fmt: skip
