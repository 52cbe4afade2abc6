"""Whether a Docker engine runs here, and whether one of its containers does."""

from __future__ import annotations

import shutil
import subprocess


def engine_runs() -> bool:
    """Tell whether a Docker engine answers on this machine."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def container_runs(name: str) -> bool:
    """Tell whether the container of this name runs."""
    asked = ["docker", "inspect", "--format", "{{.State.Running}}", name]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.stdout.strip() == "true"


def kind_node(cluster: str) -> str:
    """Return the name that kind gives the container of a cluster's one node."""
    return f"{cluster}-control-plane"
