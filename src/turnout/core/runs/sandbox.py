"""Where a version is evaluated: pods that no user reaches, with no account and a closed network."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from turnout.api.agent import Agent
from turnout.api.base import VersionRef
from turnout.api.evalrun import EvalRun
from turnout.core import naming
from turnout.core.jobs import JobSettings, owner_reference
from turnout.core.pods import EVAL, pod_labels, pod_template
from turnout.core.stubbing import TOOLS_FILE, with_stubs
from turnout.core.world import Stored

PRIVATE: Final = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
)
"""Networks that no public server is in: who opens one of them does so by a policy of their own."""

PRIVATE_6: Final = ("::1/128", "fc00::/7", "fe80::/10")

JOB_LABEL: Final = "batch.kubernetes.io/job-name"
"""Kubernetes' own label on the pods of a Job."""


def account_name(run: EvalRun) -> str:
    """Name the account and the network policy of a run.

    The run's uid is in it, which nobody knew before there was the run: what stands under this name
    was made for it.
    """
    hexes = hashlib.sha256(run.metadata.uid.encode()).hexdigest()[: naming.SHORTEST_HEX]
    return f"{run.metadata.name[:52]}-{hexes}"


def account(run: EvalRun, agent: str) -> dict[str, Any]:
    """Render the account of the pods: it has no right, and its token is given to nobody."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(run, account_name(run), agent),
        "automountServiceAccountToken": False,
    }


def network_policy(run: EvalRun, agent: Agent) -> dict[str, Any]:
    """Render what the pods may reach, and who may reach them.

    In comes the run's own Job. Out go names, what is in the same namespace, and public addresses:
    where models and tools are served is not known here. Who needs another way adds a policy for
    pods with ``turnout.dev/mode: eval``.
    """
    port = agent.spec.traffic.service.port
    asker = {"podSelector": {"matchLabels": {JOB_LABEL: run.metadata.name}}}
    names = [{"protocol": one, "port": 53} for one in ("UDP", "TCP")]
    public = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE)}},
        {"ipBlock": {"cidr": "::/0", "except": list(PRIVATE_6)}},
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(run, account_name(run), agent.metadata.name),
        "spec": {
            "podSelector": {
                "matchLabels": {
                    naming.RUN_LABEL: run.metadata.name,
                    naming.MODE_LABEL: EVAL,
                }
            },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [asker], "ports": [{"protocol": "TCP", "port": port}]}],
            "egress": [{"ports": names}, {"to": [{"podSelector": {}}]}, {"to": public}],
        },
    }


def deployment(
    run: EvalRun,
    agent: Agent,
    version: VersionRef,
    stored: Stored,
    shape: int,
    *,
    way: JobSettings,
) -> dict[str, Any]:
    """Render the Deployment of one version: its own pods, but for whom they work.

    Where it has tools, those that write are led to a stub server beside it.

    Args:
        run: For which run.
        agent: Whose version it is.
        version: The version.
        stored: Its content.
        shape: Generation of the rendering that its pods have.
        way: The image of ours.
    """
    template = pod_template(agent, version, stored, shape, EVAL)
    if TOOLS_FILE in stored.files:
        container = stored.container or template["spec"]["containers"][0]["name"]
        template = with_stubs(template, container, way)
    template["metadata"]["labels"][naming.RUN_LABEL] = run.metadata.name
    template["spec"] |= {
        "serviceAccountName": account_name(run),
        "automountServiceAccountToken": False,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(
            run, naming.sandbox_name(version.version), agent.metadata.name, version.version
        ),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": selected(run, agent.metadata.name, version.version)},
            "template": template,
        },
    }


def service(run: EvalRun, agent: Agent, version: VersionRef) -> dict[str, Any]:
    """Render the Service by which the run's Job finds a version; nobody else is told of it."""
    asked = agent.spec.traffic.service
    port: dict[str, Any] = {"name": "agent", "port": asked.port, "targetPort": asked.port}
    if asked.app_protocol:
        port["appProtocol"] = asked.app_protocol
    name = naming.sandbox_name(version.version)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(run, name, agent.metadata.name, version.version),
        "spec": {
            "selector": selected(run, agent.metadata.name, version.version),
            "ports": [port],
        },
    }


def address(run: EvalRun, agent: Agent, version: str) -> str:
    """Give the URL of a version under evaluation, without a path."""
    host = f"{naming.sandbox_name(version)}.{run.metadata.namespace}.svc"
    return f"http://{host}:{agent.spec.traffic.service.port}"


def selected(run: EvalRun, agent: str, version: str) -> dict[str, str]:
    """Labels that select the pods of one version in one run."""
    return pod_labels(agent, version, EVAL) | {naming.RUN_LABEL: run.metadata.name}


def _metadata(run: EvalRun, name: str, agent: str, version: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": run.metadata.namespace,
        "labels": naming.labels(agent, version) | {naming.RUN_LABEL: run.metadata.name},
        "ownerReferences": [owner_reference(run)],
    }
