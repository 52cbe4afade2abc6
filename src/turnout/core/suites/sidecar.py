"""The pod of an evaluation by a person's containers: they run once a version, and ours reports.

Each of the person's containers is rendered for the candidate and for the baseline, side by side, so
that both are asked in the same minutes. A copy is told the address of its version and leaves its
file in a volume of its own. Ours is a native sidecar: it is there before them, and asked to end
when the last of them has ended, which is when it reads the files (ADR 22).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from turnout.core import jobs
from turnout.core.jobs import JobSettings
from turnout.core.quoting import quoted
from turnout.core.tasks import Task
from turnout.errors import Invalid

KIND: Final = "results"
"""Kind of task that the sidecar does."""

NAME: Final = "turnout-report"
"""Name of the sidecar."""

GRACE: Final = 60
"""Seconds that the sidecar has for reading and reporting, at least."""

_OURS: Final = "turnout-"
_BADGE: Final = "turnout-badge"
_READY: Final = "turnout-ready"
_RESULTS: Final = "/var/run/turnout-results"
_READY_FILE: Final = "/var/run/turnout-ready/ready"
_IS_READY: Final = f"import os, sys; sys.exit(not os.path.exists({_READY_FILE!r}))"
_LONGEST_NAME: Final = 63
_FILES: Final = {"emptyDir": {"sizeLimit": "64Mi"}}


@dataclass(frozen=True)
class Evaluated:
    """A version as a person's containers meet it.

    Attributes:
        role: ``candidate`` or ``baseline``.
        version: Name of the AgentVersion.
        url: Where it is asked.
    """

    role: str
    version: str
    url: str

    @property
    def volume(self) -> str:
        """Volume that its file is left in."""
        return f"{_OURS}results-{self.role}"

    @property
    def folder(self) -> str:
        """Where the sidecar sees that volume."""
        return f"{_RESULTS}/{self.role}"

    def named(self, container: str) -> str:
        """Name the copy of a container that evaluates this version."""
        return container if self.role == "candidate" else f"{container}-{self.role}"


@dataclass(frozen=True)
class ResultFile:
    """What the person's containers leave.

    Attributes:
        path: Where in their file system.
        format: What it is, by the names of ``turnout.evals.results.formats``.
        thresholds: Least score that passes, by metric, where the format knows no pass.
    """

    path: PurePosixPath
    format: str
    thresholds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Containers:
    """How a person's containers evaluate.

    Attributes:
        template: The person's pod template.
        file: What its containers leave.
        versions: The candidate, and the baseline if it runs beside it.
    """

    template: Mapping[str, Any]
    file: ResultFile
    versions: tuple[Evaluated, ...]


def results_task(containers: Containers, timeout: timedelta) -> Task:
    """Say what the sidecar is to do, and how long the whole run may take."""
    file = containers.file
    asked = {
        "results": [
            {"role": one.role, "path": f"{one.folder}/{file.path.name}"}
            for one in containers.versions
        ],
        "format": file.format,
        "thresholds": dict(file.thresholds),
        "ready": _READY_FILE,
    }
    return Task(KIND, asked, timeout=timeout)


def with_sidecar(
    containers: Containers, task: Task, nonce: str, way: JobSettings
) -> dict[str, Any]:
    """Render the pod template of a run by a person's containers.

    Args:
        containers: Theirs.
        task: What ours does, of `results_task`.
        nonce: The run's word.
        way: How Jobs run.

    Raises:
        Invalid: The template takes names or places of ours, or could reach into the sidecar.
    """
    made: dict[str, Any] = copy.deepcopy(dict(containers.template))
    spec, versions = made["spec"], containers.versions
    _hold(spec, containers)
    folder = str(containers.file.path.parent)
    spec["containers"] = [
        _copy(one, version, folder) for version in versions for one in spec["containers"]
    ]
    sidecar = _sidecar(jobs.container(task, nonce, way), versions)
    spec["initContainers"] = [sidecar, *spec.get("initContainers", ())]
    spec["volumes"] = [
        *spec.get("volumes", ()),
        jobs.token_volume(_BADGE),
        {"name": _READY, "emptyDir": {}},
        *({"name": one.volume, **_FILES} for one in versions),
    ]
    spec["restartPolicy"] = "Never"
    spec.setdefault("automountServiceAccountToken", False)
    patience = spec.get("terminationGracePeriodSeconds") or 0
    spec["terminationGracePeriodSeconds"] = max(GRACE, patience)
    return made


def _copy(container: Mapping[str, Any], version: Evaluated, folder: str) -> dict[str, Any]:
    told = {
        "TURNOUT_URL": version.url,
        "TURNOUT_VERSION": version.version,
        "TURNOUT_ROLE": version.role,
    }
    own = [one for one in container.get("env", ()) if one["name"] not in told]
    return {
        **copy.deepcopy(dict(container)),
        "name": version.named(container["name"]),
        "env": [*({"name": name, "value": value} for name, value in told.items()), *own],
        "volumeMounts": [
            *container.get("volumeMounts", ()),
            {"name": version.volume, "mountPath": folder},
        ],
    }


def _sidecar(container: Mapping[str, Any], versions: Sequence[Evaluated]) -> dict[str, Any]:
    return {
        **container,
        "name": NAME,
        "restartPolicy": "Always",
        "startupProbe": {
            "exec": {"command": ["python3", "-c", _IS_READY]},
            "periodSeconds": 1,
            "timeoutSeconds": 10,
            "failureThreshold": 120,
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            **container["securityContext"],
            "runAsNonRoot": True,
            "runAsUser": jobs.USER,
            "runAsGroup": jobs.USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": _BADGE, "mountPath": jobs.MOUNT, "readOnly": True},
            {"name": _READY, "mountPath": str(PurePosixPath(_READY_FILE).parent)},
            *({"name": one.volume, "mountPath": one.folder, "readOnly": True} for one in versions),
        ],
    }


def _hold(spec: Mapping[str, Any], containers: Containers) -> None:
    """Refuse what would not work, or would let the containers report by themselves."""
    for switch in ("shareProcessNamespace", "hostPID"):
        if spec.get(switch):
            raise _refused(f"{switch} would show the containers the token that reports")
    inits = list(spec.get("initContainers", ()))
    both = [*spec["containers"], *inits]
    mounts = [mount for one in both for mount in one.get("volumeMounts", ())]
    for one in (*both, *spec.get("volumes", ()), *mounts):
        if one["name"].startswith(_OURS):
            raise _refused(f"the name {quoted(one['name'], 80)} begins as ours do ({_OURS})")
    copies = [
        version.named(one["name"]) for version in containers.versions for one in spec["containers"]
    ]
    _hold_names([*copies, *(one["name"] for one in inits)])
    _hold_place(containers.file, (PurePosixPath(one["mountPath"]) for one in mounts))


def _hold_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _refused(f"two containers would be called {quoted(name, 80)}")
        if len(name) > _LONGEST_NAME:
            raise _refused(f"the name {quoted(name, 80)} exceeds {_LONGEST_NAME} characters")


def _hold_place(file: ResultFile, mounts: Iterable[PurePosixPath]) -> None:
    folder = file.path.parent
    if not file.path.is_absolute() or ".." in file.path.parts or len(folder.parts) == 1:
        raise _refused("resultPath must be an absolute path to a file below some folder")
    if folder in mounts:
        raise _refused(f"{quoted(str(folder), 120)} is mounted already; the result needs it")


def _refused(message: str) -> Invalid:
    return Invalid("InvalidSpec", message)
