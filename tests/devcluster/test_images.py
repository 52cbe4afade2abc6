import fnmatch
import json
import re
import shutil
from pathlib import Path

import pytest

from devcluster import images, network, runtime
from devcluster.cluster import Cluster, Engine
from devcluster.errors import ClusterError
from devcluster.images import AGENT, IMAGES, OPERATOR, Image
from devcluster.paths import CHECKOUT
from devcluster.progress import silence


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.target)
def test_a_changed_source_file_changes_the_image(image: Image, tmp_path: Path) -> None:
    checkout = _copy_of_inputs(image, tmp_path)
    before = images.digest(image, checkout)
    assert before == images.digest(image)
    (checkout / image.sources[0] / "added.py").write_text("")
    assert images.digest(image, checkout) != before


def test_bytecode_left_by_a_test_run_changes_nothing(tmp_path: Path) -> None:
    checkout = _copy_of_inputs(AGENT, tmp_path)
    before = images.digest(AGENT, checkout)
    cached = checkout / AGENT.sources[0] / "__pycache__"
    cached.mkdir()
    (cached / "x.cpython-311.pyc").write_bytes(b"")
    assert images.digest(AGENT, checkout) == before


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.target)
def test_a_build_sees_all_that_an_image_is_made_of(image: Image) -> None:
    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_in = [line[1:] for line in lines if line.startswith("!")]
    for copied in (*image.sources, image.lock, "devcluster/image/rootfs.py"):
        assert any(copied == path or copied.startswith(f"{path}/") for path in let_in)
    assert "*" in lines
    assert any(fnmatch.fnmatch("a/__pycache__", line) for line in lines)


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.target)
def test_a_final_image_runs_as_nobody_from_scratch_and_writes_nothing(image: Image) -> None:
    stage = _stage(image.target)
    assert stage.startswith("FROM scratch")
    assert "USER 65532:65532" in stage
    assert "PYTHONDONTWRITEBYTECODE=1" in stage
    assert "RUN" not in stage


def test_dependencies_are_installed_by_hash_and_without_an_index() -> None:
    installs = re.findall(r"RUN .*pip.*", (CHECKOUT / "Dockerfile").read_text())
    assert len(installs) == len(IMAGES)
    for install in installs:
        assert {'"--no-index"', '"--require-hashes"'} <= set(re.findall(r'"[^"]*"', install))


def test_a_missing_lock_is_named(cache: Path) -> None:
    unlocked = Image("turnout.dev/x:dev", "x", "requirements/nowhere.txt", ())
    with pytest.raises(ClusterError, match=r"requirements/nowhere\.txt is missing"):
        images.build(unlocked, silence())


def test_an_image_is_not_pushed_into_a_cluster_that_is_not_ours(tmp_path: Path) -> None:
    theirs = _cluster(tmp_path, engine="external")
    with pytest.raises(ClusterError, match=r"push turnout\.dev/operator:dev to a registry"):
        images.load(theirs, OPERATOR, silence())


def test_with_docker_an_image_is_built_on_the_public_base(tmp_path: Path) -> None:
    command = images.docker_build_command(OPERATOR, tmp_path)
    assert command[:2] == ["docker", "build"]
    assert f"--build-context=wheels={tmp_path}" in command
    assert "--target=operator" in command
    assert not [word for word in command if "BASE" in word]


def test_an_image_is_loaded_once_a_content(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    archive = tmp_path / "operator-1.tar"
    monkeypatch.setattr(images, "build", lambda _image, _progress: archive)
    monkeypatch.setattr(network, "inside", lambda _name: None)
    monkeypatch.setattr(runtime, "load", lambda _site, file: loaded.append(file))
    ours = _cluster(tmp_path, engine="processes")
    for _ in range(2):
        images.load(ours, OPERATOR, silence())
    assert loaded == [archive]
    assert json.loads((tmp_path / "images.json").read_text()) == {OPERATOR.name: archive.name}


def _cluster(directory: Path, engine: Engine) -> Cluster:
    return Cluster(
        name="x", profile="node", engine=engine, state_dir=directory, kubeconfig=directory,
        server="https://x", ca_file=directory, kubectl="kubectl", helm="helm",
    )  # fmt: skip


def _copy_of_inputs(image: Image, target: Path) -> Path:
    for file in images._inputs(image, CHECKOUT):
        copied = target / file.relative_to(CHECKOUT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)
    return target


def _stage(target: str) -> str:
    stages = re.split(r"\n\n(?=FROM)", (CHECKOUT / "Dockerfile").read_text())
    return next(stage for stage in stages if stage.splitlines()[0].endswith(f" AS {target}"))
