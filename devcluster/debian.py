"""Debian packages: installed where the user is root, named where not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.paths import program_path

_APT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive"}


def absent(packages: Mapping[str, str]) -> list[str]:
    """Return the packages whose program or file is not on this machine."""
    return [name for name, proof in packages.items() if not _is_there(proof)]


def install(packages: Mapping[str, str]) -> None:
    """Install what is absent; as an ordinary user say what to install instead."""
    wanted = absent(packages)
    if not wanted:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    if os.geteuid() != 0:
        raise ClusterError(f"Debian packages are missing; as root: {' '.join(command)}")
    if not _apt(*command):
        _apt("apt-get", "update", "--quiet")
        if not _apt(*command):
            raise ClusterError(f"could not install: {' '.join(wanted)}")


def _apt(*command: str) -> bool:
    environment = {**os.environ, **_APT_ENVIRONMENT}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    return done.returncode == 0


def _is_there(proof: str) -> bool:
    if proof.startswith("/"):
        return Path(proof).exists()
    return shutil.which(proof, path=program_path()) is not None
