"""kubectl as tests use it: what a person would type, with documents in and out."""

import json
import subprocess
import time
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlencode

from devcluster import Cluster
from tests.support.api import Api, Document
from tests.support.watching import weights_of
from turnout.adapters.documents import BY_TYPE, Kind

Found = TypeVar("Found")
PATIENCE: Final = 120.0
"""Seconds that a test waits for what must come. It bounds a failure, and measures nothing: a busy
machine may need long for what is mostly there at once."""

_KINDS: Final = {kind.resource: kind for kind in BY_TYPE.values()}


class Refused(AssertionError):
    """kubectl ended with an error."""


def eventually(
    what: str, probe: Callable[[], Found | None], timeout: float = PATIENCE, pause: float = 0.05
) -> Found:
    """Ask until there is an answer; a test that waits longer has failed."""
    deadline = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g}s: {what}")
        time.sleep(pause)


def throughout(seconds: float, what: str, claim: Callable[[], bool], pause: float = 0.2) -> None:
    """Look again and again whether a claim holds for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert claim(), f"no longer: {what}"
        time.sleep(pause)


class Kubectl:
    """kubectl against one cluster and namespace, as its administrator or somebody else.

    What is written goes through kubectl; what is read over and over comes straight from the API.
    """

    def __init__(self, cluster: Cluster, namespace: str, *flags: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), *flags]
        self.api = Api(cluster.kubeconfig)

    def run(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [*self._command, "--namespace", self.namespace, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if done.returncode:
            raise Refused(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *documents: Document) -> None:
        placed = [
            one | {"metadata": {**one["metadata"], "namespace": self.namespace}}
            for one in documents
        ]
        listing = {"apiVersion": "v1", "kind": "List", "items": placed}
        self.run("apply", "-f", "-", stdin=json.dumps(listing))

    def patch(self, resource: str, name: str, patch: Document) -> None:
        self.run("patch", resource, name, "--type=merge", "-p", json.dumps(patch))

    def get(self, resource: str, name: str) -> Document | None:
        return self.api.get(self._path(resource, name))

    def list(self, resource: str, selector: str = "") -> list[Document]:
        query = f"?{urlencode({'labelSelector': selector})}" if selector else ""
        return self.api.list(self._path(resource) + query)

    def _path(self, resource: str, name: str | None = None) -> str:
        kind: Kind = _KINDS[resource]
        return kind.path(self.namespace if kind.namespaced else None, name)

    def status(self, resource: str, name: str) -> Document:
        found = self.get(resource, name)
        return (found or {}).get("status") or {}

    def phase(self, agent: str = "support") -> str | None:
        return self.status("agents.turnout.dev", agent).get("phase")

    def await_phase(
        self, phase: str, agent: str = "support", timeout: float = PATIENCE
    ) -> Document:
        def reached() -> Document | None:
            status = self.status("agents.turnout.dev", agent)
            return status if status.get("phase") == phase else None

        return eventually(f"{agent} is {phase} (is {self.phase(agent)})", reached, timeout)

    def weights(self, agent: str = "support") -> dict[str, int]:
        route = self.get("httproutes.gateway.networking.k8s.io", agent)
        return weights_of(route) if route else {}
