"""A kubelet for the pods of Jobs: KWOK runs no program, so these are played by processes here."""

import base64
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.api import Document
from tests.support.kubectl import Kubectl, Refused
from tests.support.operator import ROOT
from turnout.core.naming import TASK_LABEL
from turnout.core.tasks import AUDIENCE

_PROGRAM = ("-m", "tests.support.task_pod")


class TaskKubelet:
    """Runs the program of each Job's pod, with the pod's own environment and a real token.

    Attributes:
        paused: While set, pods run and their programs do not begin.
        environments: What the pods' programs were given, by pod.
    """

    def __init__(self, admin: Kubectl, directory: Path) -> None:
        self.paused = threading.Event()
        self.environments: dict[str, dict[str, str]] = {}
        self._admin = admin
        self._directory = directory
        self._stop = threading.Event()

    def token(self, pod: Document) -> str:
        """Get a token as the kubelet projects it: for reports, bound to the pod."""
        metadata = pod["metadata"]
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={metadata['name']}")
        words = (*bound, f"--bound-object-uid={metadata['uid']}", f"--audience={AUDIENCE}")
        return self._admin.run("create", "token", "default", *words).strip()

    def pods(self) -> list[Document]:
        """List the pods of Jobs that run and were not played yet."""
        running = [
            one
            for one in self._admin.list("pods", TASK_LABEL)
            if one["status"]["phase"] == "Running"
        ]
        return [one for one in running if one["metadata"]["name"] not in self.environments]

    def run(self) -> None:
        """Play until told to stop."""
        while not self._stop.wait(0.1):
            for pod in [] if self.paused.is_set() else self.pods():
                with _while_it_is_there():
                    self._play(pod)

    def stop(self) -> None:
        self._stop.set()

    def environment(self, pod: Document) -> dict[str, str]:
        """Give the variables of a pod's container as the kubelet would."""
        (container,) = pod["spec"]["containers"]
        found = {one["name"]: self._value(one, pod) for one in container["env"]}
        token = self._directory / pod["metadata"]["name"]
        token.write_text(self.token(pod))
        return {name: value for name, value in found.items() if value is not None} | {
            "TURNOUT_TOKEN_FILE": str(token)
        }

    def _value(self, variable: dict[str, Any], pod: Document) -> str | None:
        source = variable.get("valueFrom")
        if source is None:
            return str(variable["value"])
        if "fieldRef" in source:
            label = re.fullmatch(r"metadata\.labels\['(.*)'\]", source["fieldRef"]["fieldPath"])
            assert label is not None
            return str(pod["metadata"]["labels"][label[1]])
        secret = source["secretKeyRef"]
        words = ("get", "secret", secret["name"], "--ignore-not-found", "-o", "json")
        found = json.loads(self._admin.run(*words) or "{}").get("data", {}).get(secret["key"])
        return None if found is None else base64.b64decode(found).decode()

    def _play(self, pod: Document) -> None:
        name = pod["metadata"]["name"]
        self.environments[name] = self.environment(pod)
        done = subprocess.run(
            [sys.executable, *_PROGRAM],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", **self.environments[name]},
            cwd=ROOT,
            check=False,
            timeout=120,
        )
        phase = {"phase": "Failed" if done.returncode else "Succeeded"}
        words = ("patch", "pod", name, "--subresource=status", "--type=merge", "-p")
        self._admin.run(*words, json.dumps({"status": phase}))


@contextmanager
def _while_it_is_there() -> Iterator[None]:
    """Let a pod go at any time, with the Job whose answer nobody waits for any more."""
    try:
        yield
    except Refused as refused:
        if "not found" not in str(refused):
            raise


@contextmanager
def kubelet_of(admin: Kubectl, directory: Path) -> Iterator[TaskKubelet]:
    """Play the pods of Jobs in a namespace."""
    made = TaskKubelet(admin, directory)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(30)


def jobs_reporting_to(port: int) -> dict[str, Any]:
    """Give the settings of an operator that runs Jobs and takes their reports here."""
    url = f"http://127.0.0.1:{port}"
    return {"image": "example/turnout:1", "reportsUrl": url, "port": port}
