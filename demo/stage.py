"""The stage: a cluster of our own, the operator from its chart, nothing left of an earlier play."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import devcluster
from demo.errors import DemoError
from demo.example import NAMESPACE
from demo.kubectl import Tools
from devcluster import Cluster, images
from devcluster.paths import CHECKOUT, default_name
from devcluster.progress import Progress

_CHART: Final = CHECKOUT / "charts" / "turnout"
_RELEASE: Final = "turnout"
OPERATOR_NAMESPACE: Final = "turnout-system"
_SCRAPE_INTERVAL: Final = "2s"
"""Of the cluster's Prometheus."""


@dataclass(frozen=True)
class Stage:
    """What a play needs.

    Attributes:
        gateway_url: Where customers' requests go.
        access_log: What the gateway writes a line into for each.
        directory: Where the load generator keeps its books.
    """

    cluster: Cluster
    tools: Tools
    gateway_url: str
    access_log: Path
    directory: Path


def name() -> str:
    """Name the demo's cluster after the checkout: two checkouts never share one."""
    return default_name("demo")


def set_up(where: str | None = None) -> Stage:
    """Set the stage on the demo's cluster, or another; each step says how long it took."""
    cluster = devcluster.up("node", where or name())
    if cluster.gateway_url is None or cluster.access_log is None:
        message = "no gateway whose access log could be read: the demo needs a cluster of our own"
        raise DemoError(f"{cluster.name} has {message}")
    directory = cluster.state_dir / "demo"
    directory.mkdir(exist_ok=True)
    tools = Tools(cluster)
    unbuilt = sum(not images.archive_of(image).exists() for image in images.IMAGES)
    progress = Progress(len(images.IMAGES) + unbuilt + 2)
    for image in images.IMAGES:
        images.load(cluster, image, progress)
    with progress.step("clear away what an earlier play left"):
        tools.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    with progress.step("install the operator by Helm"):
        install(cluster, tools)
    return Stage(cluster, tools, cluster.gateway_url, cluster.access_log, directory)


def clear() -> bool:
    """Take the stage away; tell whether there was one."""
    return devcluster.down(name())


def install(cluster: Cluster, tools: Tools) -> None:
    """Install or upgrade the chart as a user would, and wait until the operator is ready."""
    repository, _, tag = images.OPERATOR.name.rpartition(":")
    provider = {"url": cluster.prometheus_url, "scrapeInterval": _SCRAPE_INTERVAL}
    values = {
        "image": {"repository": repository, "tag": tag},
        "metricsProviders": {"default": provider},
        # The tag stays the same when the image changes; this makes new pods of it.
        "podAnnotations": {"demo.turnout.dev/image": images.digest(images.OPERATOR)},
    }
    where = ("--namespace", OPERATOR_NAMESPACE, "--create-namespace")
    tools.helm(
        "upgrade", "--install", _RELEASE, str(_CHART), *where, "--values", "-", "--wait",
        "--timeout", "120s", stdin=json.dumps(values),
    )  # fmt: skip
