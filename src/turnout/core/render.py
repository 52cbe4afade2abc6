"""Manifests of everything the operator makes, as plain documents.

A version's pod template is rendered once, when its Deployment is first created, and never again:
an upgrade of the operator changes no running pod. ``GENERATION`` counts the shapes of that
rendering and is stored with the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.api.agent import Agent
from turnout.api.base import VersionRef, seconds
from turnout.core import naming
from turnout.core.world import Stored, World

GENERATION = 1
CONTENT_DIR = "/etc/turnout"
CONTENT_VOLUME = "turnout-content"
PRIVATE_FILES = frozenset({"template.json", "version.json"})
"""Files of a version's ConfigMap that are for the operator and not mounted."""


@dataclass(frozen=True)
class Part:
    """What a child's metadata says beyond its name."""

    version: VersionRef | None = None
    role: str | None = None


def identity(world: World) -> dict[str, str]:
    """Render the annotations by which a child is told from an orphan of an Agent that is gone."""
    return {
        naming.AGENT_UID: world.agent.metadata.uid,
        naming.CRD_UID: world.crd_uid,
        naming.DELETION_POLICY: world.agent.spec.deletion_policy.value,
    }


def metadata(world: World, name: str, part: Part) -> dict[str, Any]:
    """Render a child's metadata: nothing of the Agent's own labels or annotations is copied."""
    notes = identity(world)
    if part.version is not None:
        notes |= {naming.DIGEST: part.version.digest, naming.RENDER: str(GENERATION)}
    if part.role is not None:
        notes[naming.ROLE] = part.role
    return {
        "name": name,
        "namespace": world.namespace,
        "labels": naming.labels(world.name, part.version.version if part.version else None),
        "annotations": notes,
    }


def pod_labels(agent: str, version: str) -> dict[str, str]:
    """Labels that select the pods of one version that serve users."""
    return {
        naming.AGENT_LABEL: agent,
        naming.VERSION_LABEL: version,
        naming.MODE_LABEL: "live",
    }


def deployment(
    world: World, version: VersionRef, role: str, replicas: int, stored: Stored
) -> dict[str, Any]:
    """Render the Deployment of a version.

    Args:
        world: Whose Agent it is.
        version: Its name and digest.
        role: stable or candidate, for people; it stands on the Deployment only, because a role
            on pods would make a promotion restart them.
        replicas: How many pods.
        stored: The pod template as a person wrote it, and the files of the version.
    """
    agent = world.agent
    limits = agent.spec.deployment
    rolling = {"maxSurge": limits.max_surge, "maxUnavailable": limits.max_unavailable}
    strategy = {key: value for key, value in rolling.items() if value is not None}
    spec: dict[str, Any] = {
        "replicas": replicas,
        "revisionHistoryLimit": 0,
        "minReadySeconds": limits.min_ready_seconds or 0,
        "progressDeadlineSeconds": int(seconds(limits.progress_deadline))
        + (limits.min_ready_seconds or 0)
        + 1,
        "selector": {"matchLabels": pod_labels(agent.metadata.name, version.version)},
        "template": pod_template(agent, version, stored),
    }
    if strategy:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": strategy}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(world, version.version, Part(version, role)),
        "spec": spec,
    }


def pod_template(agent: Agent, version: VersionRef, stored: Stored) -> dict[str, Any]:
    """Render the pods: a person's template, our labels, the content and the environment."""
    written = stored.template.get("metadata") or {}
    spec = dict(stored.template.get("spec") or {})
    containers = [dict(one) for one in spec.get("containers") or ()]
    name = stored.container or containers[0]["name"]
    spec["containers"] = [
        _with_content(agent, version, one) if one.get("name") == name else one for one in containers
    ]
    mounted = sorted(set(stored.files) - PRIVATE_FILES)
    content = {"name": version.version, "items": [{"key": key, "path": key} for key in mounted]}
    spec["volumes"] = [*(spec.get("volumes") or ()), {"name": CONTENT_VOLUME, "configMap": content}]
    if not spec.get("serviceAccountName"):
        spec.setdefault("automountServiceAccountToken", False)
    drain = int(seconds(agent.spec.traffic.drain_timeout))
    spec.setdefault("terminationGracePeriodSeconds", drain)
    labels = dict(written.get("labels") or {})
    rendered: dict[str, Any] = {"labels": labels | pod_labels(agent.metadata.name, version.version)}
    if written.get("annotations"):
        rendered["annotations"] = dict(written["annotations"])
    return {"metadata": rendered, "spec": spec}


def _with_content(agent: Agent, version: VersionRef, container: dict[str, Any]) -> dict[str, Any]:
    mount = {"name": CONTENT_VOLUME, "mountPath": CONTENT_DIR, "readOnly": True}
    return container | {
        "env": environment(agent, version, container.get("env") or ()),
        "volumeMounts": [*(container.get("volumeMounts") or ()), mount],
    }


def environment(
    agent: Agent, version: VersionRef, written: tuple[Mapping[str, Any], ...] | list[Any]
) -> list[dict[str, Any]]:
    """Render the environment: a person's variables, then ours, no name twice.

    OpenTelemetry's resource attributes of a person are kept and extended, the version as
    ``service.version`` (semantic conventions, resource/service).
    """
    telemetry = "OTEL_RESOURCE_ATTRIBUTES"
    attributes = f"service.name={agent.metadata.name},service.version={version.version}"
    theirs = next((str(one.get("value") or "") for one in written if one["name"] == telemetry), "")
    ours = {
        "TURNOUT_AGENT": agent.metadata.name,
        "TURNOUT_NAMESPACE": agent.metadata.namespace,
        "TURNOUT_VERSION": version.version,
        "TURNOUT_DIGEST": version.digest,
        "TURNOUT_MODE": "live",
        "TURNOUT_CONTENT_DIR": CONTENT_DIR,
        telemetry: f"{theirs},{attributes}" if theirs else attributes,
    }
    kept = [dict(one) for one in written if one["name"] not in ours]
    return [*kept, *({"name": name, "value": value} for name, value in ours.items())]


def _ports(world: World) -> list[dict[str, Any]]:
    service = world.agent.spec.traffic.service
    port: dict[str, Any] = {"name": "agent", "port": service.port, "targetPort": service.port}
    if service.app_protocol:
        port["appProtocol"] = service.app_protocol
    return [port]


def version_service(world: World, version: VersionRef) -> dict[str, Any]:
    """Render the Service of one version: what a route's weight points at."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(world, version.version, Part(version)),
        "spec": {"selector": pod_labels(world.name, version.version), "ports": _ports(world)},
    }


def agent_service(world: World, stable: VersionRef, serving: VersionRef | None) -> dict[str, Any]:
    """Render the agent's Service, whose annotation is the fact who is stable.

    Args:
        world: Whose Agent it is.
        stable: Who is stable.
        serving: Whose pods it leads to; None for both arms, shared by the number of their pods.
    """
    selector = pod_labels(world.name, serving.version if serving else stable.version)
    if serving is None:
        del selector[naming.VERSION_LABEL]
    if is_stopped(world):
        selector[naming.MODE_LABEL] = "stopped"
    made = metadata(world, world.service_name, Part())
    made["annotations"] |= {
        naming.STABLE_DIGEST: stable.digest,
        naming.STABLE_VERSION: stable.version,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": made,
        "spec": {"selector": selector, "ports": _ports(world)},
    }


def is_stopped(world: World) -> bool:
    """Tell whether a person took all traffic off the agent."""
    return world.agent.spec.traffic.state.value == "Stopped"


def content_map(world: World, version: VersionRef, files: Mapping[str, str]) -> dict[str, Any]:
    """Render the immutable ConfigMap that holds a version's content."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(world, version.version, Part(version)),
        "immutable": True,
        "data": dict(files),
    }


def owner(agent: Agent) -> list[dict[str, Any]]:
    """Render the reference by which records go away with their Agent; serving objects have none."""
    return [
        {
            "apiVersion": agent.api_version,
            "kind": agent.kind,
            "name": agent.metadata.name,
            "uid": agent.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def record(world: World, kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Render an AgentVersion or AgentRollout."""
    return {
        "apiVersion": world.agent.api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": world.namespace,
            "labels": naming.labels(world.name),
            "ownerReferences": owner(world.agent),
        },
        "spec": dict(spec),
    }
