"""Lays out a root filesystem that holds this Python interpreter and what it links to.

Run inside the base image: `python3 rootfs.py TARGET`. Paths stay as they are in the base, so any
Debian-like base with a Python 3.11 will do. No shell and no package manager come along.
"""

from __future__ import annotations

import compileall
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

_UNUSED = (
    "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data",
    "site-packages", "sitecustomize.py", "test", "tests", "tkinter", "turtledemo", "config-3*",
)  # fmt: skip
# What a manylinux wheel may link to (PEP 600), beside what the interpreter needs itself.
_FOR_WHEELS = (
    "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "libresolv.so.2",
    "librt.so.1", "libstdc++.so.6", "libutil.so.1",
)  # fmt: skip
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_ETC = {
    "passwd": "nonroot:x:65532:65532::/tmp:/nonexistent\n",
    "group": "nonroot:x:65532:\n",
    "nsswitch.conf": "hosts: files dns\n",
}


def lay_out(target: Path) -> None:
    """Fill an empty directory with everything a Python program needs at run time."""
    _keep_top_level_links(target)
    interpreter = Path(sys.executable).resolve()
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, _below(target, standard), ignore=shutil.ignore_patterns(*_UNUSED))
    _copy(interpreter, target)
    link = _below(target, interpreter.parent / "python3")
    if not link.exists():
        link.symlink_to(interpreter.name)
    extensions = (standard / "lib-dynload").glob("*.so")
    for library in sorted(_linked([interpreter, *extensions]) | set(_libraries(_FOR_WHEELS))):
        _copy(library, target)
    _write_configuration(target)
    compileall.compile_dir(
        _below(target, standard),
        quiet=1,
        workers=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        stripdir=target,
        prependdir="/",
    )


def _keep_top_level_links(target: Path) -> None:
    """Make /lib and its like links into /usr where the base has them so."""
    for name in ("lib", "lib64"):
        original = Path("/") / name
        if original.is_symlink():
            (target / "usr" / name).mkdir(parents=True, exist_ok=True)
            (target / name).symlink_to(Path("usr") / name)


def _write_configuration(target: Path) -> None:
    etc = target / "etc"
    etc.mkdir(exist_ok=True)
    for name, text in _ETC.items():
        (etc / name).write_text(text)
    _copy(_AUTHORITIES, target)
    for source in [Path("/etc/ld.so.conf"), *Path("/etc/ld.so.conf.d").glob("*.conf")]:
        _copy(source, target)
    subprocess.run(["/sbin/ldconfig", "-r", target], check=True)
    (target / "tmp").mkdir(mode=0o1777)
    (target / "tmp").chmod(0o1777)


def _linked(programs: Iterable[Path]) -> set[Path]:
    """Return the shared libraries of these programs, the loader among them, as they are named."""
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    return {Path(found) for found in re.findall(r"(/\S+) \(0x", listed)}


def _libraries(names: Iterable[str]) -> Iterator[Path]:
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    for name in names:
        found = re.search(rf"{re.escape(name)} .* => (\S+)", known.stdout)
        if found:
            yield Path(found[1])


def _copy(source: Path, target: Path) -> None:
    """Copy a file to its own path below the target, as a plain file even where it is a link."""
    copied = _below(target, source)
    copied.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, copied)


def _below(target: Path, path: Path) -> Path:
    return target / path.relative_to("/")


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
