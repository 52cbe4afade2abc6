"""The cluster's own certificate authority, made with openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from devcluster.errors import ClusterError

_DAYS = "3650"
_EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_authority(directory: Path) -> None:
    """Write ca.crt and ca.key, and sa.key, which signs the tokens of ServiceAccounts."""
    directory.mkdir(parents=True, exist_ok=True)
    _openssl(
        directory, "req", "-x509", *_EC_KEY, "-days", _DAYS, "-subj", "/CN=turnout-devcluster",
        "-keyout", "ca.key", "-out", "ca.crt",
    )  # fmt: skip
    _openssl(directory, "genrsa", "-out", "sa.key", "2048")


def issue(directory: Path, name: str, subject: str, alternatives: Sequence[str] = ()) -> None:
    """Write NAME.crt and NAME.key, signed by the authority, good for a server and a client."""
    extensions = ["basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth,clientAuth"]
    if alternatives:
        extensions.append("subjectAltName=" + ",".join(alternatives))
    (directory / f"{name}.ext").write_text("\n".join(extensions) + "\n")
    _openssl(
        directory, "req", *_EC_KEY, "-subj", subject,
        "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    _openssl(
        directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", _DAYS, "-extfile", f"{name}.ext", "-out", f"{name}.crt",
    )  # fmt: skip


def _openssl(directory: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
