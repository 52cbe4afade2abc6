"""The node profile where a Docker engine runs: kind, with the same gateway, Prometheus and logs.

kindnet enforces NetworkPolicies, which the cluster without Docker cannot.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from devcluster import docker, gateway, golang, prometheus
from devcluster.catalog import (
    ENVOY_GATEWAY,
    GATEWAY_API,
    GATEWAY_API_CRDS,
    PROMETHEUS,
    pinned_version,
)
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.golang import binary
from devcluster.kubectl import Kubectl, answers
from devcluster.paths import MANIFESTS, state_dir
from devcluster.processes import wait_until
from devcluster.progress import Progress

STEPS = 4
PROGRAMS = ("kubectl", "helm", "kind")
_READY_SECONDS = 300.0
_GATEWAY_PORT = 30888
_PROMETHEUS_PORT = 30090
_IN_MONITORING = ("--namespace=monitoring",)
_LOGS = "/var/log/turnout"
"""Inside the kind node; the cluster's state directory on this machine."""
_MODULE = "github.com/envoyproxy/gateway"
_PROMETHEUS_MODULE = "github.com/prometheus/prometheus"


def up(name: str, progress: Progress) -> Cluster:
    """Create a kind cluster and install the gateway and Prometheus into it."""
    directory = state_dir(name)
    logs = directory / "logs"
    logs.mkdir(mode=0o777, parents=True)
    logs.chmod(0o777)  # Envoy's and Prometheus's own users write here
    shutil.copyfile(MANIFESTS / "audit-policy.yaml", directory / "audit-policy.yaml")
    (directory / "kind.json").write_text(json.dumps(configuration(directory), indent=1))
    with progress.step("create the kind cluster"):
        _run(*create_command(name, directory))
    kubectl = Kubectl(str(binary("kubectl")), directory / "admin.kubeconfig")
    with progress.step("install the gateway"):
        kubectl.apply(golang.module_files(GATEWAY_API, *GATEWAY_API_CRDS))
        gateway.install_kinds(kubectl)
        kubectl.apply(MANIFESTS / "gateway.yaml")
        kubectl.apply(json.dumps(envoy_proxy()))
        _run(*install_gateway_command(directory))
    with progress.step("install Prometheus"):
        kubectl.apply(MANIFESTS / "node-rbac.yaml")
        kubectl.apply(prometheus_manifest())
    made = _describe(name, directory, _node_ip(name))
    with progress.step("wait for the gateway and Prometheus"):
        _wait_ready(kubectl)
    return made


def remove(name: str) -> None:
    """Delete the kind cluster of this name; it is no error if there is none."""
    _run(str(binary("kind")), "delete", "cluster", "--name", name)


def restart_apiserver(cluster: Cluster) -> None:
    """End the API server's container; the kubelet starts it again."""
    node = ["docker", "exec", docker.kind_node(cluster.name), "crictl"]
    [container, *_] = _run(*node, "ps", "--quiet", "--name", "kube-apiserver").split()
    _run(*node, "stop", "--timeout=1", container)
    ready = f"{cluster.server}/readyz"
    wait_until(lambda: answers(ready, cluster.ca_file), "the API server", _READY_SECONDS)


def scale_prometheus(cluster: Cluster, replicas: int) -> None:
    """Take Prometheus away (0) or bring it back (1), and wait until that is so."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig)
    kubectl.run("scale", "deployment/prometheus", f"--replicas={replicas}", *_IN_MONITORING)
    ready = f"{cluster.prometheus_url}/-/ready"
    wait_until(lambda: answers(ready) == bool(replicas), "Prometheus", _READY_SECONDS)


def create_command(name: str, directory: Path) -> list[str]:
    """Return the command that creates the cluster; kind pins its node image by digest."""
    return [
        str(binary("kind")), "create", "cluster", "--name", name, "--wait=180s",
        f"--config={directory / 'kind.json'}", f"--kubeconfig={directory / 'admin.kubeconfig'}",
    ]  # fmt: skip


def load_command(name: str, image: str) -> list[str]:
    """Return the command that copies an image of the Docker engine into the node."""
    return [str(binary("kind")), "load", "docker-image", image, "--name", name]


def install_gateway_command(directory: Path) -> list[str]:
    """Return the command that installs Envoy Gateway from the chart in its verified module."""
    version = pinned_version(ENVOY_GATEWAY, _MODULE)
    image = f"docker.io/envoyproxy/gateway:{version}"
    chart = golang.module_directory(ENVOY_GATEWAY, _MODULE) / "charts" / "gateway-helm"
    values = directory / "gateway-values.yaml"
    template = (chart / "values.tmpl.yaml").read_text()  # what a release fills in
    filled = template.replace("${GatewayImagePullPolicy}", "IfNotPresent")
    values.write_text(filled.replace("${GatewayImage}", image))
    return [
        str(binary("helm")), "upgrade", "--install", "envoy-gateway", str(chart), "--skip-crds",
        f"--kubeconfig={directory / 'admin.kubeconfig'}", f"--namespace={gateway.NAMESPACE}",
        f"--values={values}", "--set=crds.enabled=false", "--wait", "--timeout=5m",
    ]  # fmt: skip


def configuration(directory: Path) -> dict[str, Any]:
    """Configure one node that writes its audit log and Envoy's log into the state directory."""
    audit = {
        "audit-policy-file": f"{_LOGS}/audit-policy.yaml",
        "audit-log-path": f"{_LOGS}/logs/audit.log",
        "audit-log-maxsize": "0",
    }
    volume = {"name": "turnout", "hostPath": _LOGS, "mountPath": _LOGS, "pathType": "Directory"}
    kubeadm = {
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": [{"name": key, "value": value} for key, value in audit.items()],
            "extraVolumes": [volume],
        },
    }
    node = {
        "role": "control-plane",
        "extraMounts": [{"hostPath": str(directory), "containerPath": _LOGS}],
        "kubeadmConfigPatches": [json.dumps(kubeadm)],
    }
    return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [node]}


def envoy_proxy() -> dict[str, Any]:
    """Run Envoy as a pod whose port and log reach this machine."""
    mount = {"name": "logs", "mountPath": f"{_LOGS}/logs"}
    volume = {"name": "logs", "hostPath": {"path": f"{_LOGS}/logs", "type": "Directory"}}
    port = {"name": f"http-{gateway.PORT}", "port": gateway.PORT, "nodePort": _GATEWAY_PORT}
    kubernetes = {
        "envoyDeployment": {"pod": {"volumes": [volume]}, "container": {"volumeMounts": [mount]}},
        "envoyService": {
            "type": "NodePort",
            "patch": {"type": "StrategicMerge", "value": {"spec": {"ports": [port]}}},
        },
    }
    provider = {"type": "Kubernetes", "kubernetes": kubernetes}
    return gateway.envoy_proxy(provider, f"{_LOGS}/logs/access.log")


def prometheus_manifest() -> str:
    """Describe Prometheus as a Deployment that keeps its data on the node."""
    major, minor, patch = pinned_version(PROMETHEUS, _PROMETHEUS_MODULE)[1:].split(".")
    image = f"docker.io/prom/prometheus:v{int(minor) // 100}.{int(minor) % 100}.{patch}"
    if major != "0":
        raise LookupError(f"{_PROMETHEUS_MODULE} has left its v0.<major><minor> numbers")
    settings = json.dumps(prometheus.annotated_pods(None))
    template = (MANIFESTS / "kind-prometheus.yaml").read_text()
    return template.replace("PROMETHEUS_IMAGE", image).replace("PROMETHEUS_SETTINGS", settings)


def _describe(name: str, directory: Path, node_ip: str) -> Cluster:
    kubectl = Kubectl(str(binary("kubectl")), directory / "admin.kubeconfig")
    address = "jsonpath={.clusters[0].cluster.server}"
    ca_file = directory / "ca.crt"
    authority = ("cat", "/etc/kubernetes/pki/ca.crt")
    ca_file.write_text(_run("docker", "exec", docker.kind_node(name), *authority))
    return Cluster(
        name=name,
        profile="node",
        engine="kind",
        state_dir=directory,
        kubeconfig=directory / "admin.kubeconfig",
        server=kubectl.run("config", "view", "--minify", "-o", address),
        ca_file=ca_file,
        kubectl=str(binary("kubectl")),
        helm=str(binary("helm")),
        audit_log=directory / "logs" / "audit.log",
        node_ip=node_ip,
        prometheus_url=f"http://{node_ip}:{_PROMETHEUS_PORT}",
        gateway_url=f"http://{node_ip}:{_GATEWAY_PORT}",
        access_log=directory / "logs" / "access.log",
    )


def _node_ip(name: str) -> str:
    address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return _run("docker", "inspect", "--format", address, docker.kind_node(name)).strip()


def _wait_ready(kubectl: Kubectl) -> None:
    available = ("wait", "--for=condition=Available", "deployment", "--all", "--timeout=5s")

    def serving() -> bool:
        namespaces = (gateway.NAMESPACE, "monitoring")
        return all(kubectl.succeeds(*available, f"--namespace={n}") for n in namespaces)

    wait_until(serving, "the gateway and Prometheus", _READY_SECONDS)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"{' '.join(command[:3])} failed: {done.stderr.strip()}")
    return done.stdout
