import os
import subprocess
from pathlib import Path

import pytest

from devcluster import golang
from devcluster.catalog import PAUSE, PROGRAMS
from devcluster.errors import ClusterError
from devcluster.progress import silence


def test_nothing_is_missing_once_it_is_built(cache: Path) -> None:
    assert golang.missing(["pause"]) == {"pause": ["pause"]}
    _pretend_built("pause")
    assert golang.missing(["pause"]) == {}


def test_what_is_built_is_not_built_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_built("pause")
    monkeypatch.setattr(golang, "toolchain", lambda: pytest.fail("asked for Go"))
    golang.build(["pause"], silence())
    assert golang.binary("pause").read_text() == "built"


def test_a_light_cluster_lacks_only_what_it_runs(cache: Path) -> None:
    assert set(golang.missing(PROGRAMS["light"])) == {"kubernetes", "kwok"}


def test_a_failed_build_says_the_last_words_of_the_compiler(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = tmp_path / "go"
    compiler.write_text("#!/bin/sh\necho 'main.go:1: no such thing' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(golang, "toolchain", lambda: str(compiler))
    with pytest.raises(ClusterError, match="no such thing"):
        golang.build(["pause"], silence())
    assert golang.missing(["pause"])


@pytest.mark.light
def test_a_program_is_built_from_its_pins_and_runs(cache: Path) -> None:
    golang.build(["pause"], silence())
    running = subprocess.Popen([golang.binary("pause")])
    running.terminate()
    assert running.wait(timeout=10) in {0, -15}
    assert os.access(golang.binary("pause"), os.X_OK)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("k8s.io/kubernetes/cmd/kubectl", "kubectl"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("turnout.dev/devcluster/coredns", "coredns"),
    ],
)
def test_a_built_file_is_found_under_the_name_that_go_gives_it(package: str, name: str) -> None:
    assert golang._built_name(package) == name


@pytest.mark.parametrize(("older", "newer"), [("1.26.7", "1.26.10"), ("1.9", "1.26.0")])
def test_go_versions_are_compared_by_number(older: str, newer: str) -> None:
    assert golang._version(older) < golang._version(newer)


def _pretend_built(program: str) -> None:
    binary = golang.binary(program)
    assert PAUSE.name in str(binary)
    binary.parent.mkdir(parents=True)
    binary.write_text("built")
