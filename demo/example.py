"""The example that the demo plays with: an agent that answers a shop's customers."""

from pathlib import Path
from typing import Any, Final

import yaml

from demo.api import Document

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "examples" / "support-agent"
MANIFESTS: Final = DIRECTORY / "manifests"
NAMESPACE: Final = "support"
AGENT: Final = "support"
HOST: Final = "support.example.com"
GATEWAY: Final = {"name": "turnout-gateway", "namespace": "gateway-system"}
"""The gateway of our own cluster; the manifest names that of an imagined one."""

PATH: Final = "/v1/chat/completions"
METRIC: Final = "task-success"
"""The metric of its gate that counts wrong answers."""

_BASE: Final = ("namespace", "standin", "prompt", "tools", "policy", "metrics", "strategy", "agent")


def base() -> str:
    """Return all of the example as one text to apply, bound to our gateway."""
    documents = [document for name in _BASE for document in _load(f"{name}.yaml")]
    for document in documents:
        if document["kind"] == "Agent":
            document["spec"]["traffic"]["httpRoute"]["parentRefs"] = [GATEWAY]
    return yaml.safe_dump_all(documents)


def customers(gateway_url: str) -> str:
    """Return a Job to apply: customers who go on writing from inside the cluster."""
    with (Path(__file__).parent / "customers.yaml").open() as file:
        job = yaml.safe_load(file)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["args"] += ["--url", gateway_url, "--host-header", HOST]
    return yaml.safe_dump(job)


def bar() -> str:
    """Return the share of good answers below which a window is bad."""
    (strategy,) = _load("strategy.yaml")
    metrics: list[Document] = strategy["spec"]["gate"]["metrics"]
    return next(str(one["minimum"]) for one in metrics if one["name"] == METRIC)


def replicas() -> int:
    """Return how many pods serve."""
    (agent,) = _load("agent.yaml")
    return int(agent["spec"]["replicas"])


def _load(name: str) -> list[dict[str, Any]]:
    with (MANIFESTS / name).open() as file:
        return [document for document in yaml.safe_load_all(file) if document]
