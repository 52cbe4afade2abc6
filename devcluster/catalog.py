"""What a cluster is made of, and where each part comes from.

Versions stand in one place only: `go/<group>/go.mod` (with go.sum) for what is built,
`requirements.txt` (with hashes) for what comes as a wheel, and Debian's own signatures for its
packages.
"""

from __future__ import annotations

import dataclasses
import re
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from devcluster.paths import PACKAGE

Profile = Literal["light", "node"]
PROFILES: tuple[Profile, ...] = get_args(Profile)


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Programs of one Go module, built together because they share most of their packages."""

    name: str
    packages: Mapping[str, str]
    """Program name -> Go package of its main function."""
    stamps: tuple[str, ...] = ()
    """Linker variables; `{version}`, `{major}` and `{minor}` are those of `module`."""
    module: str = ""
    tags: str = ""
    """Build tags, separated by commas."""

    @property
    def directory(self) -> Path:
        """Where the group's go.mod and go.sum lie."""
        return PACKAGE / "go" / self.name

    @property
    def ldflags(self) -> str:
        """Leave out debug tables; tell the programs their version where they report it."""
        if not self.stamps:
            return "-s -w"
        version = pinned_version(self, self.module)
        major, minor = version.removeprefix("v").split(".")[:2]
        stamped = (s.format(version=version, major=major, minor=minor) for s in self.stamps)
        return " ".join(["-s -w", *(f"-X {stamp}" for stamp in stamped)])


def pinned_version(group: Group, module: str) -> str:
    """Return the version that a group's go.mod requires of a module."""
    text = (group.directory / "go.mod").read_text()
    found = re.search(rf"^(?:require |\t){re.escape(module)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise LookupError(f"{group.directory}/go.mod does not require {module}")
    return found[1]


_COMPONENT_VERSION = "k8s.io/component-base/version"

KUBERNETES = Group(
    "kubernetes",
    {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kubelet": "k8s.io/kubernetes/cmd/kubelet",
        "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    },
    # Without these the server calls itself v0.0.0-master, which kubectl and Helm refuse.
    stamps=(
        f"{_COMPONENT_VERSION}.gitVersion={{version}}",
        f"{_COMPONENT_VERSION}.gitMajor={{major}}",
        f"{_COMPONENT_VERSION}.gitMinor={{minor}}",
        "k8s.io/client-go/pkg/version.gitVersion={version}",  # the user agent in the audit log
    ),
    module="k8s.io/kubernetes",
)
KWOK = Group("kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"})
_CONTAINERD = "github.com/containerd/containerd/v2/cmd"
CONTAINERD = Group(
    "containerd",
    {p: f"{_CONTAINERD}/{p}" for p in ("containerd", "containerd-shim-runc-v2", "ctr")},
)
COREDNS = Group("coredns", {"coredns": "turnout.dev/devcluster/coredns"})
# Its many discoveries of cloud machines are left out: they double the build.
PROMETHEUS = Group(
    "prometheus",
    {"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"},
    tags="remove_all_sd,enable_kubernetes_sd",
)
HELM = Group("helm", {"helm": "helm.sh/helm/v4/cmd/helm"})
ENVOY_GATEWAY = Group(
    "envoy-gateway", {"envoy-gateway": "github.com/envoyproxy/gateway/cmd/envoy-gateway"}
)
KIND = Group("kind", {"kind": "sigs.k8s.io/kind"})

# The experimental channel: sessionPersistence, wanted for sticky conversations, is only there.
# One channel for good, since a shipped admission policy refuses to move between them.
GATEWAY_API = Group("gateway-api", {})
GATEWAY_API_CRDS = ("sigs.k8s.io/gateway-api", "config/crd/experimental/gateway*.yaml")
ENVOY_GATEWAY_CRDS = (
    "github.com/envoyproxy/gateway",
    "charts/gateway-helm/charts/crds/crds/generated/*.yaml",
)
# What holds a pod's namespaces; Kubernetes' own is C, which would need a compiler here.
PAUSE = Group("pause", {"pause": "turnout.dev/devcluster/pause"})

GROUPS: tuple[Group, ...] = (
    KUBERNETES,
    KWOK,
    CONTAINERD,
    PAUSE,
    COREDNS,
    HELM,
    ENVOY_GATEWAY,
    PROMETHEUS,
    KIND,
    GATEWAY_API,
)

PROGRAMS: Mapping[Profile, tuple[str, ...]] = {
    "light": (
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubectl",
        "kwok",
    ),
    "node": (
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubectl",
        "kubelet",
        "kube-proxy",
        "containerd",
        "containerd-shim-runc-v2",
        "ctr",
        "pause",
        "coredns",
        "helm",
        "envoy-gateway",
        "prometheus",
    ),
}

_PACKAGES_OF_ALL = {
    "openssl": "openssl",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "python3-venv": f"{sysconfig.get_path('stdlib')}/ensurepip/__init__.py",
}
DEBIAN_PACKAGES: Mapping[Profile, Mapping[str, str]] = {
    "light": _PACKAGES_OF_ALL,
    "node": {
        **_PACKAGES_OF_ALL,
        "runc": "runc",
        "containernetworking-plugins": "/usr/lib/cni/ptp",
        "nftables": "nft",
        "iproute2": "ip",
    },
}
"""Debian package -> the program, or the file, that shows that it is there."""


def group_of(program: str) -> Group:
    """Return the group that builds a program."""
    return next(group for group in GROUPS if program in group.packages)
