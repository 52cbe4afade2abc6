"""kubectl and helm, run as a person would run them."""

import subprocess

from demo.errors import DemoError
from devcluster import Cluster

_LIMIT = 180.0


class Tools:
    """The command-line tools of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl to its end.

        Raises:
            DemoError: It failed; the message is what it said.
        """
        return self._run([self._cluster.kubectl, *arguments], stdin)

    def helm(self, *arguments: str, stdin: str = "") -> str:
        """Run helm to its end.

        Raises:
            DemoError: It failed; the message is what it said.
        """
        return self._run([self._cluster.helm, *arguments], stdin)

    def _run(self, command: list[str], stdin: str) -> str:
        program, *arguments = command
        kubeconfig = f"--kubeconfig={self._cluster.kubeconfig}"
        try:
            done = subprocess.run(
                [program, kubeconfig, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=_LIMIT,
            )
        except subprocess.TimeoutExpired:
            raise DemoError(f"{_shown(command)}: no end after {_LIMIT:.0f}s") from None
        if done.returncode:
            raise DemoError(f"{_shown(command)}: {done.stderr.strip()}")
        return done.stdout


def _shown(command: list[str]) -> str:
    program, *arguments = command
    return " ".join([program.rpartition("/")[2], *arguments])
