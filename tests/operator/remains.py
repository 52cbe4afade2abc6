"""What a rollout left behind in its namespace, without what differs from run to run."""

import json
import re
from typing import Any, Final

from tests.operator.team import NAME, Team
from tests.support.api import Document
from turnout.adapters.documents import (
    CONFIG_MAP,
    DEPLOYMENT,
    HTTP_ROUTE,
    OWN_KINDS,
    SERVICE,
    Kind,
)

CHANCE: Final = frozenset(
    {
        "turnout.dev/agent-uid",
        "turnout.dev/crd-uid",
        "deployment.kubernetes.io/revision",
        "kubectl.kubernetes.io/last-applied-configuration",
        "at",
        "candidateRequests",
        "clusterIP",
        "clusterIPs",
        "lastTransitionTime",
        "since",
        "stableRequests",
        "uncompared",
        "uid",
        "windows",
    }
)
"""Fields that differ between two runs of the same rollout, as all do that end in At."""

WAITS: Final = frozenset({"Waiting", "TooFewRequests", "MetricsUnavailable", "MetricNotFound"})
"""Reasons to wait: a rollout that was killed may have waited for something else meanwhile."""

SENTENCES: Final = frozenset({"message", "summary"})


def snapshot(team: Team) -> Document:
    """Read what stands in a namespace, without what differs from run to run."""
    read = {
        kind.kind: {
            one["metadata"]["name"]: _lasting(_told(kind, one), team.namespace)
            for one in team.admin.list(kind.resource)
        }
        for kind in (*OWN_KINDS, DEPLOYMENT, SERVICE, CONFIG_MAP, HTTP_ROUTE)
    }
    return _renumbered(read)


def _renumbered(read: Document) -> Document:
    """Number the rollouts without gaps: a number that was reserved is never used again."""
    numbers = sorted(one["spec"]["number"] for one in read["AgentRollout"].values())
    text = json.dumps(read)
    for rank, number in enumerate(numbers, start=1):
        text = text.replace(f'"{NAME}-r{number}"', f'"{NAME}-r{rank}"')
        text = re.sub(rf'"(number|lastRollout)": {number}\b', rf'"\1": {rank}', text)
    renumbered: Document = json.loads(text)
    return renumbered


def _told(kind: Kind, document: Document) -> Document:
    metadata, status = document["metadata"], dict(document.get("status") or {})
    if "timeline" in status:
        status["timeline"] = [one for one in status["timeline"] if one["reason"] not in WAITS]
    return {
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "spec": document.get("spec"),
        "data": document.get("data"),
        "status": status if kind in OWN_KINDS else None,
        "changes": metadata.get("generation") if kind == HTTP_ROUTE else None,
    }


def _lasting(part: Any, namespace: str) -> Any:
    """Leave out names, times and counts of one run, and the digits of sentences that tell them."""
    if isinstance(part, str):
        return part.replace(namespace, "NAMESPACE")
    if isinstance(part, list):
        return [_lasting(one, namespace) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: re.sub(r"\d+", "#", value) if key in SENTENCES else _lasting(value, namespace)
        for key, value in part.items()
        if key not in CHANCE and not key.endswith("At")
    }
