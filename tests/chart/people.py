"""People and accounts that use a cluster with the chart, by kubectl and impersonation."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from devcluster import Cluster
from tests.chart.objects import Json

OPERATOR = "system:serviceaccount:turnout-system:turnout"
APPROVE = ("update", "agentrollouts.turnout.dev", "--subresource=approval")


@dataclass(frozen=True)
class Person:
    """Somebody who talks to the API server; without a name the cluster's administrator."""

    cluster: Cluster
    name: str = ""

    def does(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl, which must succeed, and return what it printed."""
        done = self._kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, f"{self.name} {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def is_refused(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl, which must fail, and return why it did."""
        done = self._kubectl(*arguments, stdin=stdin)
        assert done.returncode != 0, f"{self.name} {' '.join(arguments)} was not refused"
        return done.stderr

    def creates(self, *manifests: Json) -> None:
        """Create objects."""
        self.does("create", "--filename=-", stdin=_listed(manifests))

    def may_not_create(self, *manifests: Json) -> str:
        """Try to create objects, and return why that was refused."""
        return self.is_refused("create", "--filename=-", stdin=_listed(manifests))

    def reads(self, *arguments: str) -> Json:
        """Get an object as JSON."""
        found: Json = json.loads(self.does("get", *arguments, "--output=json"))
        return found

    def can(self, *arguments: str) -> bool:
        """Ask the API server whether a right is there."""
        return self.succeeds("auth", "can-i", *arguments)

    def succeeds(self, *arguments: str, stdin: str = "") -> bool:
        """Run kubectl and tell whether it succeeded."""
        return self._kubectl(*arguments, stdin=stdin).returncode == 0

    def _kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        whose = (f"--as={self.name}",) if self.name else ()
        return subprocess.run(
            [self.cluster.kubectl, f"--kubeconfig={self.cluster.kubeconfig}", *whose, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def eventually(holds: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Look until a claim holds, and fail at the deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def _listed(manifests: tuple[Json, ...]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
