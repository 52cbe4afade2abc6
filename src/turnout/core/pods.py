"""A version's pods as they are rendered, one shape a generation.

A version's pod template is rendered once, when its Deployment is first created, and never again:
an upgrade of the operator changes no running pod. ``GENERATION`` counts the shapes and is stored
with the version, so that what has to be made again is made as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turnout.api.agent import Agent
from turnout.api.base import VersionRef, seconds
from turnout.core import naming
from turnout.core.world import Stored

GENERATION = 2
HEARING = 2
"""The first generation whose pods can be told orders."""

CONTENT_DIR = "/etc/turnout"
CONTENT_VOLUME = "turnout-content"
KILL_DIR = "/etc/turnout-kill"
KILL_VOLUME = "turnout-kill"
ORDER_FILE = "order.json"
STANDING_ORDER_FILE = "standing-order.json"
PRIVATE_FILES = frozenset({"template.json", "version.json"})
"""Files of a version's ConfigMap that are for the operator and not mounted."""


LIVE = "live"
"""Mode of pods that serve users."""

EVAL = "eval"
"""Mode of pods that are evaluated: no user reaches them."""


def pod_labels(agent: str, version: str, mode: str = LIVE) -> dict[str, str]:
    """Labels that select the pods of one version, by default those that serve users."""
    return {
        naming.AGENT_LABEL: agent,
        naming.VERSION_LABEL: version,
        naming.MODE_LABEL: mode,
    }


def pod_template(
    agent: Agent, version: VersionRef, stored: Stored, shape: int, mode: str = LIVE
) -> dict[str, Any]:
    """Render the pods: a person's template, our labels, the content and the environment.

    Args:
        agent: Whose pods they are.
        version: Which version of it.
        stored: The pod template as a person wrote it, and the files of the version.
        shape: Generation of the rendering.
        mode: What the pods are for.
    """
    written = stored.template.get("metadata") or {}
    spec = dict(stored.template.get("spec") or {})
    containers = [dict(one) for one in spec.get("containers") or ()]
    name = stored.container or containers[0]["name"]
    volumes = _volumes(agent.metadata.name, version.version, stored, shape)
    spec["containers"] = [
        _with_content(agent, version, one, shape, mode) if one.get("name") == name else one
        for one in containers
    ]
    spec["volumes"] = [*(spec.get("volumes") or ()), *volumes]
    if not spec.get("serviceAccountName"):
        spec.setdefault("automountServiceAccountToken", False)
    drain = int(seconds(agent.spec.traffic.drain_timeout))
    spec.setdefault("terminationGracePeriodSeconds", drain)
    labels = dict(written.get("labels") or {})
    ours = pod_labels(agent.metadata.name, version.version, mode)
    rendered: dict[str, Any] = {"labels": labels | ours}
    notes = dict(written.get("annotations") or {})
    if shape >= HEARING:
        notes[naming.RENDER] = str(shape)
    if notes:
        rendered["annotations"] = notes
    return {"metadata": rendered, "spec": spec}


def _volumes(agent: str, version: str, stored: Stored, shape: int) -> list[dict[str, Any]]:
    """Render the content's volume, and the one in which pods find orders."""
    mounted = sorted(set(stored.files) - PRIVATE_FILES)
    content = {"name": version, "items": [{"key": key, "path": key} for key in mounted]}
    volumes: list[dict[str, Any]] = [{"name": CONTENT_VOLUME, "configMap": content}]
    if shape >= HEARING:
        own = {
            "path": ORDER_FILE,
            "fieldRef": {"fieldPath": f"metadata.annotations['{naming.KILL}']"},
        }
        standing = {
            "name": naming.standing_order_name(agent),
            "optional": True,
            "items": [{"key": ORDER_FILE, "path": STANDING_ORDER_FILE}],
        }
        sources = [{"downwardAPI": {"items": [own]}}, {"configMap": standing}]
        volumes.append({"name": KILL_VOLUME, "projected": {"sources": sources}})
    return volumes


def _with_content(
    agent: Agent, version: VersionRef, container: dict[str, Any], shape: int, mode: str
) -> dict[str, Any]:
    mounts = [{"name": CONTENT_VOLUME, "mountPath": CONTENT_DIR, "readOnly": True}]
    if shape >= HEARING:
        mounts.append({"name": KILL_VOLUME, "mountPath": KILL_DIR, "readOnly": True})
    return container | {
        "env": environment(agent, version, container.get("env") or (), shape, mode),
        "volumeMounts": [*(container.get("volumeMounts") or ()), *mounts],
    }


def environment(
    agent: Agent,
    version: VersionRef,
    written: tuple[Mapping[str, Any], ...] | list[Any],
    shape: int,
    mode: str = LIVE,
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
        "TURNOUT_MODE": mode,
        "TURNOUT_CONTENT_DIR": CONTENT_DIR,
        telemetry: f"{theirs},{attributes}" if theirs else attributes,
    }
    if shape >= HEARING:
        ours["TURNOUT_KILL_DIR"] = KILL_DIR
    kept = [dict(one) for one in written if one["name"] not in ours]
    return [*kept, *({"name": name, "value": value} for name, value in ours.items())]
