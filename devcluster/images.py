"""The project's own container images: built by the Dockerfile, kept by content, loaded on demand.

buildah builds where no Docker engine runs; since no registry is assumed, the base image is then
made of Debian packages. Wheels are fetched here by the lock's hashes, never inside the build.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from devcluster import debian, kind, network, runtime, wheels
from devcluster.cluster import Cluster
from devcluster.errors import ClusterError
from devcluster.locks import alone
from devcluster.paths import CHECKOUT, cache
from devcluster.progress import Progress

DEBIAN_PACKAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}
_BASE_PACKAGES = "python3,python3-venv,ca-certificates"
_BASE_SUITE = "bookworm"  # its Python is 3.11
_BASE_IMAGE = "localhost/turnout-base:bookworm"
_PYTHON = "3.11"
_EXAMPLE = "examples/support-agent"
_RECIPE = ("Dockerfile", ".dockerignore", "devcluster/image/rootfs.py")


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """One image of this project."""

    name: str
    target: str
    """Its stage in the Dockerfile."""
    lock: str
    sources: tuple[str, ...]


OPERATOR = Image(
    "turnout.dev/operator:dev", "operator", "requirements/operator.txt", ("src/turnout",)
)
AGENT = Image(
    "turnout.dev/support-agent:dev",
    "agent",
    f"{_EXAMPLE}/requirements.txt",
    tuple(f"{_EXAMPLE}/{package}" for package in ("support_agent", "standin", "loadgen")),
)
IMAGES = (OPERATOR, AGENT)


def digest(image: Image, checkout: Path = CHECKOUT) -> str:
    """Name an image's content by all files that go into it."""
    if not (checkout / image.lock).exists():
        raise ClusterError(f"{image.lock} is missing: the image's dependencies are locked there")
    content = hashlib.sha256()
    for file in sorted(_inputs(image, checkout)):
        content.update(f"{file.relative_to(checkout)}\0".encode())
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:16]


def archive_of(image: Image) -> Path:
    """Return where the archive of the image's present content lies, or will lie."""
    return cache() / "images" / f"{image.target}-{digest(image)}.tar"


def build(image: Image, progress: Progress) -> Path:
    """Return the archive of an image, built where its content has changed."""
    archive = archive_of(image)
    if archive.exists():
        return archive
    with alone("images"), progress.step(f"build image {image.name}"):
        debian.install(DEBIAN_PACKAGES)
        progress.detail("base image")
        _make_base()
        progress.detail("wheels")
        fetched = wheels.fetched(CHECKOUT / image.lock, _PYTHON)
        progress.detail("layers")
        _build_archive(image, fetched, archive)
    return archive


def load(cluster: Cluster, image: Image, progress: Progress) -> None:
    """Build an image where needed and load it into the cluster's node, once a content."""
    if cluster.engine == "external":
        raise ClusterError(f"push {image.name} to a registry that {cluster.server} reads")
    if cluster.engine == "kind":
        _load_by_docker(cluster, image, progress)
        return
    archive = build(image, progress)
    record = cluster.state_dir / "images.json"
    loaded: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    if loaded.get(image.name) == archive.name:
        return
    with progress.step(f"load image {image.name}"):
        runtime.load(network.inside(cluster.name), archive)
    record.write_text(json.dumps({**loaded, image.name: archive.name}, indent=1))


def docker_build_command(image: Image, fetched: Path) -> list[str]:
    """Return the command that builds an image on the public base image, with a Docker engine."""
    return [
        "docker", "build", f"--build-context=wheels={fetched}", f"--target={image.target}",
        f"--tag={image.name}", str(CHECKOUT),
    ]  # fmt: skip


def _load_by_docker(cluster: Cluster, image: Image, progress: Progress) -> None:
    with progress.step(f"build and load image {image.name}"):
        _run(*docker_build_command(image, wheels.fetched(CHECKOUT / image.lock, _PYTHON)))
        _run(*kind.load_command(cluster.name, image.name))


def _inputs(image: Image, checkout: Path) -> Iterator[Path]:
    yield from (checkout / name for name in (*_RECIPE, image.lock))
    for source in image.sources:
        for file in (checkout / source).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file


def _make_base() -> None:
    """Make the base image of Debian packages, which apt verifies by the archive's signatures."""
    if _succeeds("inspect", _BASE_IMAGE):
        return
    tarball = cache() / "images" / "base.tar"
    tarball.parent.mkdir(parents=True, exist_ok=True)
    packages = f"--include={_BASE_PACKAGES}"
    _run("mmdebstrap", "--quiet", "--variant=minbase", packages, _BASE_SUITE, str(tarball))
    container = _buildah("from", "scratch").strip()
    _buildah("add", "--quiet", container, str(tarball), "/")
    _buildah("commit", "--quiet", "--rm", container, _BASE_IMAGE)
    tarball.unlink()


def _build_archive(image: Image, fetched: Path, archive: Path) -> None:
    _buildah(
        "build", "--layers", f"--build-arg=BASE={_BASE_IMAGE}", f"--build-context=wheels={fetched}",
        f"--target={image.target}", f"--tag={image.name}", str(CHECKOUT),
    )  # fmt: skip
    draft = archive.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    _buildah("push", "--quiet", image.name, f"docker-archive:{draft}:{image.name}")
    for outdated in archive.parent.glob(f"{image.target}-*.tar"):
        outdated.unlink()
    draft.replace(archive)


def _buildah(*arguments: str) -> str:
    store = cache() / "buildah"
    where = [f"--root={store / 'root'}", f"--runroot={store / 'run'}", "--storage-driver=overlay"]
    return _run("buildah", *where, *arguments)


def _succeeds(*arguments: str) -> bool:
    try:
        _buildah(*arguments)
    except ClusterError:
        return False
    return True


def _run(*command: str) -> str:
    environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.splitlines()[-15:])
        raise ClusterError(f"{command[0]} failed:\n{said}")
    return done.stdout
