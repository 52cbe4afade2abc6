"""Debian packages: installed where the user is root, named where not."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.paths import cache

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


def unpacked_prometheus() -> Path:
    """Return Debian's Prometheus, unpacked beside the cluster's programs and never installed.

    Installed, the package would start a service of its own and bring a web console's libraries.
    apt verifies what it downloads by the archive's signatures.
    """
    kept = cache() / "debian" / "prometheus"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as draft:
            _download("prometheus", Path(draft))
            package = next(Path(draft).glob("prometheus_*.deb"))
            subprocess.run(["dpkg-deb", "-x", package, f"{draft}/files"], check=True)
            Path(draft, "files").replace(kept)
    return kept / "usr" / "bin" / "prometheus"


def _download(package: str, directory: Path) -> None:
    directory.chmod(0o777)  # apt fetches as its own user
    command = ["apt-get", "download", package]
    if _apt(*command, cwd=directory):
        return
    if os.geteuid() == 0:
        _apt("apt-get", "update", "--quiet")
    if not _apt(*command, cwd=directory):
        raise ClusterError(f"could not download {package}; as root: apt-get update")


def _apt(*command: str, cwd: Path | None = None) -> bool:
    environment = {**os.environ, **_APT_ENVIRONMENT}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False)
    return done.returncode == 0


def _is_there(proof: str) -> bool:
    if proof.startswith("/"):
        return Path(proof).exists()
    return shutil.which(proof, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
