"""The Job that carries out a task: one pod without rights, which only reports."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from turnout.api.base import Resource
from turnout.core import naming
from turnout.core.tasks import AUDIENCE, Mount, SecretKey, Task, sha256

STARTING = timedelta(seconds=60)
"""What a pod gets, beyond the task's own limit, to be scheduled and to fetch its image."""

KEPT = timedelta(minutes=10)
"""How long a Job that has ended stays for people to look at."""

MOUNT = "/var/run/turnout"
"""Directory in the Job's pod that holds its token, in the file ``token``."""

USER = 65532
"""Who our Jobs run as."""
_JOB_UID = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}}


@dataclass(frozen=True)
class JobSettings:
    """How an administrator lets Jobs run.

    Attributes:
        image: Image of the operator itself.
        reports_url: Where Jobs leave their answers.
        pull_policy: When the kubelet fetches the image.
    """

    image: str
    reports_url: str
    pull_policy: str = "IfNotPresent"


def job_name(task: Task, owner: Resource, now: datetime) -> str:
    """Name a Job by what is asked, for which object, and when."""
    asked = f"{task.digest} {owner.metadata.uid} {now.isoformat()}"
    return f"{owner.metadata.name}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def job(
    task: Task,
    owner: Resource,
    name: str,
    nonce: str,
    way: JobSettings,
    *,
    more: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Render a Job: one pod without rights, which ends by itself and is cleared away.

    Args:
        task: What it is asked.
        owner: Who asks; the Job goes with it.
        name: Name of the Job.
        nonce: The word by which it proves itself.
        way: How Jobs are run.
        more: Further labels of the Job and its pod.
    """
    labels = {naming.MANAGED_BY: naming.MANAGER, naming.TASK_LABEL: task.kind} | dict(more or {})
    limit = int((task.timeout + STARTING).total_seconds())
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": owner.metadata.namespace,
            "labels": labels,
            "annotations": {naming.NONCE_HASH: sha256(nonce)},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {
            "backoffLimit": 1,
            "activeDeadlineSeconds": limit,
            "ttlSecondsAfterFinished": int(KEPT.total_seconds()),
            "template": {"metadata": {"labels": labels}, "spec": _pod(task, nonce, way)},
        },
    }


def owner_reference(owner: Resource) -> dict[str, Any]:
    """Render the reference by which something goes away with the object that it was made for."""
    return {
        "apiVersion": owner.api_version,
        "kind": type(owner).__name__,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def token_volume(name: str) -> dict[str, Any]:
    """Render the volume with the token that a Job's answer is taken by."""
    token = {"audience": AUDIENCE, "expirationSeconds": 600, "path": "token"}
    return {"name": name, "projected": {"sources": [{"serviceAccountToken": token}]}}


def _pod(task: Task, nonce: str, way: JobSettings) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(task, nonce, way)],
        "volumes": [
            token_volume("token"),
            *(_volume(number, one) for number, one in enumerate(task.mounts)),
        ],
    }


def container(task: Task, nonce: str, way: JobSettings) -> dict[str, Any]:
    """Render the container that does a task; it mounts the volume ``token``."""
    plain = {
        "TURNOUT_TASK": task.text,
        "TURNOUT_NONCE": nonce,
        "TURNOUT_REPORTS_URL": way.reports_url,
        "TURNOUT_TOKEN_FILE": f"{MOUNT}/token",
    }
    return {
        "name": "task",
        "image": way.image,
        "imagePullPolicy": way.pull_policy,
        "command": ["python3", "-m", "turnout.jobs"],
        "env": [
            *({"name": name, "value": value} for name, value in plain.items()),
            {"name": "TURNOUT_JOB_UID", "valueFrom": _JOB_UID},
            *(_secret(number, one) for number, one in enumerate(task.secrets)),
        ],
        "resources": {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "token", "mountPath": MOUNT, "readOnly": True},
            *(
                {"name": f"files-{number}", "mountPath": one.path, "readOnly": True}
                for number, one in enumerate(task.mounts)
            ),
        ],
    }


def _volume(number: int, mount: Mount) -> dict[str, Any]:
    """Give files; a missing one lets the pod start all the same, and say what is missing."""
    items = [{"key": key, "path": key} for key in mount.keys]
    source = {"name": mount.config_map, "items": items, "optional": True}
    return {"name": f"files-{number}", "configMap": source}


def _secret(number: int, one: SecretKey) -> dict[str, Any]:
    """Give one value; a missing one lets the pod start all the same, and say what is missing."""
    source = {"name": one.secret, "key": one.key, "optional": True}
    return {"name": f"TURNOUT_SECRET_{number}", "valueFrom": {"secretKeyRef": source}}
