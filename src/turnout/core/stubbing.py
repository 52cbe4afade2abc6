"""Pods whose tools do no harm: a stub server of ours, and the agent's tools led to it.

The server is a native sidecar, so it is there before the agent starts. It reads the version's
content and writes it anew, with the tools as the agent is to see them; that copy is mounted where
the content would be. So the operator reads no content for it, and the agent sees no other tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from turnout.core.jobs import USER, JobSettings
from turnout.core.pods import CONTENT_VOLUME

TOOLS_FILE: Final = "tools.json"
"""The file of a version that says what its tools are; absent where it has none."""

NAME: Final = "turnout-stubs"
"""Name of the container and of its volume."""

PORT: Final = 18399
"""Where it listens: the agent asks it on the pod's loopback, the kubelet whether it is there."""

_CONTENT_DIR: Final = "/var/run/turnout-content"
_VIEW_DIR: Final = "/var/run/turnout-view"


def with_stubs(template: Mapping[str, Any], container: str, way: JobSettings) -> dict[str, Any]:
    """Lead the tools of a pod's agent to stubs where they write.

    Args:
        template: The pod as it would be otherwise, with its content mounted.
        container: Which of its containers is the agent.
        way: The image of ours.
    """
    spec = dict(template["spec"])
    spec["initContainers"] = [_server(way), *(spec.get("initContainers") or ())]
    spec["containers"] = [
        _led(one) if one["name"] == container else one for one in spec["containers"]
    ]
    spec["volumes"] = [*(spec.get("volumes") or ()), {"name": NAME, "emptyDir": {}}]
    return {**template, "spec": spec}


def _led(container: Mapping[str, Any]) -> dict[str, Any]:
    mounts = [
        {**one, "name": NAME} if one["name"] == CONTENT_VOLUME else one
        for one in container.get("volumeMounts") or ()
    ]
    return {**container, "volumeMounts": mounts}


def _server(way: JobSettings) -> dict[str, Any]:
    plain = {
        "TURNOUT_STUBS_CONTENT": _CONTENT_DIR,
        "TURNOUT_STUBS_VIEW": _VIEW_DIR,
        "TURNOUT_STUBS_PORT": str(PORT),
    }
    return {
        "name": NAME,
        "image": way.image,
        "imagePullPolicy": way.pull_policy,
        "restartPolicy": "Always",
        "command": ["python3", "-m", "turnout.stubs"],
        "env": [{"name": name, "value": value} for name, value in plain.items()],
        "startupProbe": {
            "httpGet": {"path": "/healthz", "port": PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 120,
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": CONTENT_VOLUME, "mountPath": _CONTENT_DIR, "readOnly": True},
            {"name": NAME, "mountPath": _VIEW_DIR},
        ],
    }
