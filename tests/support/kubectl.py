"""kubectl as tests use it: what a person would type, with documents in and out."""

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

from devcluster import Cluster

Document = dict[str, Any]
Found = TypeVar("Found")


class Refused(AssertionError):
    """kubectl ended with an error."""


def eventually(
    what: str, probe: Callable[[], Found | None], timeout: float = 30, pause: float = 0.05
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


class Kubectl:
    """kubectl against one cluster and namespace, as its administrator or somebody else."""

    def __init__(self, cluster: Cluster, namespace: str, *flags: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), *flags]

    def run(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [*self._command, "--namespace", self.namespace, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
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
        out = self.run("get", resource, name, "--ignore-not-found", "-o", "json")
        found: Document | None = json.loads(out) if out.strip() else None
        return found

    def list(self, resource: str, selector: str = "") -> list[Document]:
        out = self.run("get", resource, "-l", selector, "-o", "json")
        items: list[Document] = json.loads(out)["items"]
        return items

    def status(self, resource: str, name: str) -> Document:
        found = self.get(resource, name)
        return (found or {}).get("status") or {}

    def phase(self, agent: str = "support") -> str | None:
        return self.status("agents.turnout.dev", agent).get("phase")

    def await_phase(self, phase: str, agent: str = "support", timeout: float = 30) -> Document:
        def reached() -> Document | None:
            status = self.status("agents.turnout.dev", agent)
            return status if status.get("phase") == phase else None

        return eventually(f"{agent} is {phase} (is {self.phase(agent)})", reached, timeout)

    def weights(self, agent: str = "support") -> dict[str, int]:
        route = self.get("httproutes.gateway.networking.k8s.io", agent)
        rules = route["spec"]["rules"] if route else [{}]
        return {ref["name"]: ref["weight"] for ref in rules[0].get("backendRefs", [])}
