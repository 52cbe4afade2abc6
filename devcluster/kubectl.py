"""kubectl as the cluster's admin, and a plain look at the API server's readiness."""

from __future__ import annotations

import ssl
import subprocess
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

from devcluster.errors import ClusterError

_TIMEOUT_SECONDS = 60.0


class Kubectl:
    """Runs kubectl with one kubeconfig."""

    def __init__(self, program: str, kubeconfig: Path) -> None:
        self._command = [program, "--kubeconfig", str(kubeconfig)]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command to its end and return what it printed; raise ClusterError if it fails."""
        done = self._call(*arguments, stdin=stdin)
        if done.returncode:
            raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def succeeds(self, *arguments: str) -> bool:
        """Tell whether a command exits with 0."""
        return self._call(*arguments).returncode == 0

    def apply(self, manifest: str | Path) -> None:
        """Apply a manifest's text, or a file or directory of them, on the server's side."""
        text = manifest if isinstance(manifest, str) else None
        source = "-" if text is not None else str(manifest)
        options = ["--server-side", "--force-conflicts", "--field-manager=devcluster"]
        self.run("apply", *options, "-f", source, stdin=text)

    def _call(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments],
            input=stdin if stdin is not None else "",
            capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip


def answers(url: str, ca_file: Path | None = None, status: int = HTTPStatus.OK) -> bool:
    """Tell whether a URL answers with this status now."""
    context = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:
            return bool(answer.status == status)
    except urllib.error.HTTPError as error:
        return error.code == status
    except OSError:
        return False
