"""Tasks: what a Job is asked, the Job that asks it, and what its answer says.

Whatever lies outside the cluster is read by a Job in the namespace of the object that names it,
with that namespace's own Secret; the operator itself neither connects there nor reads a Secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import rfc8785

from turnout.api.base import Resource
from turnout.core import naming
from turnout.core.jsontext import parse

MOST_BYTES = 32 * 1024
"""Largest description of a task."""

AUDIENCE = "turnout.dev/report"
"""Whom the Job's token is for: it is good for nothing else."""

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
class SecretKey:
    """One value of a person's Secret; only its name is ever known here.

    Attributes:
        secret: Name of the Secret, in the namespace of the object.
        key: Key in it.
    """

    secret: str
    key: str


@dataclass(frozen=True)
class Task:
    """One question to an outside system.

    Attributes:
        kind: Which task of ``turnout.jobs`` it is.
        description: What is asked, as JSON.
        secrets: Values that the Job gets, in an order that the description can refer to.
        timeout: How long the task itself may take.
    """

    kind: str
    description: Mapping[str, Any]
    secrets: tuple[SecretKey, ...] = ()
    timeout: timedelta = field(default=timedelta(seconds=60))

    @cached_property
    def text(self) -> str:
        """The task as the Job reads it.

        No dollar sign is in it: the kubelet would put a variable in place of ``$(NAME)``, a secret
        one too.
        """
        whole: Any = {
            "kind": self.kind,
            "description": dict(self.description),
            "secrets": [{"secret": one.secret, "key": one.key} for one in self.secrets],
            "timeout": int(self.timeout.total_seconds()),
        }
        return rfc8785.dumps(whole).decode().replace("$", "\\u0024")

    @property
    def digest(self) -> str:
        """Digest of all that is asked."""
        return sha256(self.text)

    @property
    def too_large(self) -> str | None:
        """What is wrong with its size; None where it fits."""
        size = len(self.text.encode())
        return None if size <= MOST_BYTES else f"asks for {size} bytes, at most {MOST_BYTES} fit"


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


@dataclass(frozen=True)
class Problem:
    """Why a task brought no answer: a word for a condition and a sentence in our own words."""

    reason: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What a Job reported. It comes from outside: believed only as far as it was checked.

    Attributes:
        nonce_hash: SHA-256 of the word that came with it.
        result: What the task found; empty where it found nothing.
        problem: Why it found nothing, or not all.
    """

    nonce_hash: str
    result: Mapping[str, Any]
    problem: Problem | None = None


def sha256(text: str) -> str:
    """Digest of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def read_answer(nonce: str, text: str) -> Answer:
    """Read the text of a report.

    Raises:
        ValueError: It is not a report; the message never quotes it.
    """
    document = parse("the report", text)
    problem, result = document.get("problem"), document.get("result", {})
    shaped = isinstance(result, dict) and isinstance(problem, dict | None)
    if not shaped or (problem is None and "result" not in document):
        raise ValueError("the report has another shape")
    return Answer(sha256(nonce), result, None if problem is None else _problem(problem))


def _problem(told: Mapping[str, Any]) -> Problem:
    return Problem(str(told.get("reason", ""))[:64], str(told.get("message", ""))[:900])


def job_name(task: Task, owner: Resource, now: datetime) -> str:
    """Name a Job by what is asked, for which object, and when."""
    asked = f"{task.digest} {owner.metadata.uid} {now.isoformat()}"
    return f"{owner.metadata.name}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def job(task: Task, owner: Resource, name: str, nonce: str, way: JobSettings) -> dict[str, Any]:
    """Render a Job: one pod without rights, which ends by itself and is cleared away."""
    labels = {naming.MANAGED_BY: naming.MANAGER, naming.TASK_LABEL: task.kind}
    limit = int((task.timeout + STARTING).total_seconds())
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": owner.metadata.namespace,
            "labels": labels,
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
        "volumes": [token_volume("token")],
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
        "volumeMounts": [{"name": "token", "mountPath": MOUNT, "readOnly": True}],
    }


def _secret(number: int, one: SecretKey) -> dict[str, Any]:
    """Give one value; a missing one lets the pod start all the same, and say what is missing."""
    source = {"name": one.secret, "key": one.key, "optional": True}
    return {"name": f"TURNOUT_SECRET_{number}", "valueFrom": {"secretKeyRef": source}}
