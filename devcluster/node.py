"""The node: kubelet, kube-proxy and the cluster's DNS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from devcluster import controlplane, network, runtime
from devcluster.golang import binary
from devcluster.kubeconfig import Credentials
from devcluster.network import Network
from devcluster.processes import Daemon, Site

NAME = "node-0"
CLIENTS = ("kubelet", "kube-proxy", "coredns")
_DOMAIN = "cluster.local"


def grant(credentials: Credentials) -> None:
    """Give the node's programs their usual users; must come before the API server starts."""
    credentials.grant("kubelet", f"system:node:{NAME}", "system:nodes")
    credentials.grant("kube-proxy")
    credentials.grant("coredns")


def start_kubelet(site: Site, at: Network, credentials: Credentials, cgroup: str) -> Daemon:
    """Start the kubelet; it registers the node by itself."""
    configuration = site.state_dir / "kubelet.json"
    configuration.write_text(json.dumps(_kubelet_configuration(site, at, cgroup), indent=1))
    return site.start(
        "kubelet", str(binary("kubelet")), f"--config={configuration}",
        f"--kubeconfig={credentials.path('kubelet')}", f"--hostname-override={NAME}",
        f"--node-ip={at.node_ip}",
    )  # fmt: skip


def start_proxy(site: Site, at: Network, credentials: Credentials) -> Daemon:
    """Start kube-proxy in nftables mode; the kernel's connection limits are not ours to change."""
    configuration = site.state_dir / "kube-proxy.json"
    untouched = {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}
    configuration.write_text(
        json.dumps(
            {
                "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
                "kind": "KubeProxyConfiguration",
                "mode": "nftables",
                "clientConnection": {"kubeconfig": str(credentials.path("kube-proxy"))},
                "hostnameOverride": NAME,
                "clusterCIDR": at.pods,
                "conntrack": untouched,
                "healthzBindAddress": "127.0.0.1:10256",
                "metricsBindAddress": "127.0.0.1:10249",
                "nftables": {"minSyncPeriod": "100ms", "syncPeriod": "30s"},
            },
            indent=1,
        )
    )
    return site.start("kube-proxy", str(binary("kube-proxy")), f"--config={configuration}")


def start_dns(site: Site, at: Network, credentials: Credentials) -> Daemon:
    """Start CoreDNS on the node's address; other names go to the machine's own servers."""
    upstream = " ".join(network.upstream_resolvers())
    corefile = site.state_dir / "Corefile"
    corefile.write_text(
        f".:53 {{\n  bind {at.node_ip}\n  errors\n"
        f"  kubernetes {_DOMAIN} in-addr.arpa {{\n"
        f"    kubeconfig {credentials.path('coredns')}\n    ttl 5\n  }}\n"
        + (f"  forward . {upstream}\n" if upstream else "")
        + "  cache 5\n}\n"
    )
    return site.start("coredns", str(binary("coredns")), "-conf", str(corefile))


def _kubelet_configuration(site: Site, at: Network, cgroup: str) -> dict[str, Any]:
    ca_file = controlplane.pki_directory(site) / "ca.crt"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": at.node_ip,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(ca_file)},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{runtime.SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [at.node_ip],
        "clusterDomain": _DOMAIN,
        "resolvConf": str(_resolver_file(site)),
        # A developer's disk may be rather full, and images cannot be fetched again.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "healthzBindAddress": "127.0.0.1",
    }


def _resolver_file(site: Site) -> Path:
    """Write what a pod with dnsPolicy Default gets: the machine's servers that a pod can reach."""
    file = site.state_dir / "resolv.conf"
    file.write_text("".join(f"nameserver {s}\n" for s in network.upstream_resolvers()))
    return file
