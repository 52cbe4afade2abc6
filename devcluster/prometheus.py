"""A real Prometheus: beside a cluster's pods, or alone on loopback for a test."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from devcluster import golang, processes
from devcluster.golang import binary
from devcluster.kubectl import answers
from devcluster.ports import free_ports
from devcluster.processes import Daemon, Site, wait_until
from devcluster.progress import silence

SCRAPE_SECONDS = 2
NAME = "prometheus"
_READY_SECONDS = 30.0
_POD_ANNOTATION = "__meta_kubernetes_pod_annotation_prometheus_io"


@dataclasses.dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus without a cluster."""

    url: str
    state_dir: Path


@contextlib.contextmanager
def serve_prometheus(
    state_dir: Path, targets: Sequence[str], interval: str = "1s"
) -> Iterator[Prometheus]:
    """Run a Prometheus on a free port of loopback that scrapes `host:port` targets."""
    golang.build([NAME], silence())
    site = Site(state_dir)
    [port] = free_ports(1)
    try:
        start(site, f"127.0.0.1:{port}", static_targets(targets, interval))
        yield Prometheus(f"http://127.0.0.1:{port}", state_dir)
    finally:
        processes.stop_all(state_dir)


def start(site: Site, address: str, configuration: dict[str, Any]) -> Daemon:
    """Start a Prometheus that listens on `host:port` and wait until it answers queries."""
    file = site.state_dir / "prometheus.json"
    file.write_text(json.dumps(configuration, indent=1))  # JSON is YAML
    daemon = site.start(
        NAME, str(binary("prometheus")), f"--config.file={file}",
        f"--storage.tsdb.path={site.state_dir / 'tsdb'}", f"--web.listen-address={address}",
        "--log.level=warn",
    )  # fmt: skip
    wait_ready(address, daemon)
    return daemon


def wait_ready(address: str, daemon: Daemon) -> None:
    """Wait until Prometheus has replayed its log and answers queries."""
    ready = f"http://{address}/-/ready"
    wait_until(lambda: answers(ready), "Prometheus", _READY_SECONDS, [daemon])


def static_targets(targets: Sequence[str], interval: str) -> dict[str, Any]:
    """Configure scrapes of fixed targets."""
    job = {"job_name": "static", "static_configs": [{"targets": list(targets)}]}
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [job],
    }


def annotated_pods(kubeconfig: Path | None) -> dict[str, Any]:
    """Configure scrapes of running pods annotated `prometheus.io/scrape: "true"`.

    The port and path come from prometheus.io/port and prometheus.io/path; series carry the pod's
    namespace and name, and its labels turnout.dev/version and turnout.dev/agent. Without a
    kubeconfig Prometheus is taken to run in a pod.
    """
    access = {"kubeconfig_file": str(kubeconfig)} if kubeconfig else {}
    job = {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", **access}],
        "relabel_configs": _RELABELLING,
    }
    interval = f"{SCRAPE_SECONDS}s"
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [job],
    }


def _label(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [f"__meta_kubernetes_{source}"], "target_label": target}


_RELABELLING: list[dict[str, Any]] = [
    {"source_labels": [f"{_POD_ANNOTATION}_scrape"], "regex": "true", "action": "keep"},
    {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Running", "action": "keep"},
    {
        "source_labels": [f"{_POD_ANNOTATION}_path"],
        "regex": "(.+)",
        "target_label": "__metrics_path__",
    },
    {
        "source_labels": ["__meta_kubernetes_pod_ip", f"{_POD_ANNOTATION}_port"],
        "regex": "(.+);(.+)",
        "replacement": "$1:$2",
        "target_label": "__address__",
    },
    _label("namespace", "namespace"),
    _label("pod_name", "pod"),
    _label("pod_label_turnout_dev_version", "turnout_dev_version"),
    _label("pod_label_turnout_dev_agent", "turnout_dev_agent"),
]
