"""Manifests of everything the operator makes, as plain documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.api.agent import Agent
from turnout.api.base import VersionRef, seconds
from turnout.core import naming
from turnout.core.kill import stopped_by
from turnout.core.pods import GENERATION, ORDER_FILE, pod_labels, pod_template
from turnout.core.world import Stored, World


@dataclass(frozen=True)
class Part:
    """What a child's metadata says beyond its name."""

    version: VersionRef | None = None
    role: str | None = None


def generation(world: World, version: str) -> int:
    """Tell by which generation a version's objects are rendered: the one that it was made with."""
    known = world.versions.get(version)
    if known is not None:
        return min(known.spec.render, GENERATION)
    made = (world.ours(kind, version) for kind in ("ConfigMap", "Deployment"))
    noted = next((one.annotation(naming.RENDER) for one in made if one is not None), None)
    return 1 if noted == "1" else GENERATION


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
        shape = generation(world, part.version.version)
        notes |= {naming.DIGEST: part.version.digest, naming.RENDER: str(shape)}
    if part.role is not None:
        notes[naming.ROLE] = part.role
    return {
        "name": name,
        "namespace": world.namespace,
        "labels": naming.labels(world.name, part.version.version if part.version else None),
        "annotations": notes,
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
        "template": pod_template(agent, version, stored, generation(world, version.version)),
    }
    if strategy:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": strategy}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(world, version.version, Part(version, role)),
        "spec": spec,
    }


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
    if stopped_by(world):
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


def content_map(world: World, version: VersionRef, files: Mapping[str, str]) -> dict[str, Any]:
    """Render the immutable ConfigMap that holds a version's content."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(world, version.version, Part(version)),
        "immutable": True,
        "data": dict(files),
    }


def standing_order(world: World, order: str) -> dict[str, Any]:
    """Render the ConfigMap that tells new pods what is stopped.

    Its annotation is what the operator reads back: of ConfigMaps only the metadata is watched.
    """
    made = metadata(world, naming.standing_order_name(world.name), Part())
    made["annotations"][naming.KILL] = order
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made, "data": {ORDER_FILE: order}}


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
