"""What `turnout lint` reads, and how it answers scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.documents import good
from tests.cli.linted import errors, looked, only_error, read, template
from tests.support.manifests import everything
from turnout.cli.exits import Exit
from turnout.cli.lint.manifests import read_manifests

PLAIN = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
"""What a program is told of its surroundings: no cluster is among it."""


def test_kinds_of_other_groups_are_passed_over_and_unknown_ones_of_ours_are_not() -> None:
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": 7}
    outcome = looked(other)
    assert (outcome.clean, outcome.objects, outcome.others) == (True, 0, 1)
    for wrong in ({"kind": "Agnet"}, {"apiVersion": "turnout.dev/v1"}, {"kind": 7}):
        found = only_error(looked(good("Agent") | wrong))
        assert found.problem.reason == "UnknownKind"


def test_a_list_is_taken_apart_and_its_lines_are_its_items() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: turnout.dev/v1alpha1\n"
        "  kind: Prompt\n  metadata: {name: tone}\n  spec: {role: System, format: Plain}\n"
    )
    found = only_error(read(text))
    assert (found.kind, found.place.line) == ("Prompt", 7)


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: [1", "this is no YAML: expected ',' or ']'"),
        ("a:\n\t- b", "found character '\\t' that cannot start any token"),
        ("[" * 2000, "it nests too deep to be read"),
        ("a: *b", "found undefined alias"),
        ("a: \x07", "this is no YAML"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_place(text: str, words: str) -> None:
    found = only_error(read(text))
    assert words in found.problem.message
    assert found.place.line in {1, 2}


@pytest.mark.parametrize("spec", ["[" * 99 + "]" * 99, "&a [*a]"])
def test_what_nests_deeper_than_any_schema_is_told(spec: str) -> None:
    head = "{apiVersion: turnout.dev/v1alpha1, kind: Prompt, metadata: {name: x}, spec: "
    assert "TooDeep" in {one.problem.reason for one in errors(read(f"{head}{spec}}}"))}


def test_aliases_that_unfold_without_end_are_refused() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than" in only_error(read("\n".join(rows))).problem.message


@pytest.mark.parametrize(
    "written, value",
    [
        ("2026-01-01", "2026-01-01"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        ("0x1f", 31),
        ("017", 15),
        ("1_000", 1000),
        ("'7'", "7"),
        ("~", None),
        ("{<<: {a: 1}, b: 2}", {"a": 1, "b": 2}),
        ("{7: x}", {"7": "x"}),
        (r'{"\ud83d\ude82": 1}', {"\U0001f682": 1}),
        (r'"\ud83d\ude82 \ud83d"', "\U0001f682 \ufffd"),
    ],
)
def test_values_are_read_as_kubectl_reads_them(written: str, value: Any) -> None:
    (manifest,) = read_manifests("one.yaml", f"a: {written}")
    assert manifest.content == {"a": value}


@pytest.mark.parametrize(
    "spec, words",
    [
        ("{role: System, role: User, format: Plain, text: x}", 'key "role" is already set'),
        ("{role: System, format: Plain, text: !!binary eA==}", "no tag tag:yaml.org,2002:binary"),
        ("{role: System, format: Plain, text: .nan}", "nan is no number of JSON"),
    ],
)
def test_yaml_that_json_cannot_say_is_told(spec: str, words: str) -> None:
    head = "{apiVersion: turnout.dev/v1alpha1, kind: Prompt, metadata: {name: x}, spec: "
    said = [one.problem.message for one in errors(read(head + spec + "}"))]
    assert any(words in one for one in said)


def _run(*words: str, given: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "turnout.cli", "lint", *words],
        input=given,
        env=PLAIN,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_ci_gets_an_exit_code_a_line_to_jump_to_and_json(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text(yaml.safe_dump(template("{{ x }")))
    (tmp_path / "b.yml").write_text(yaml.safe_dump_all(everything()))
    (tmp_path / "notes.txt").write_text("a: [")
    code, out, _ = _run(str(tmp_path))
    assert code == Exit.FOUND
    assert out.startswith(f"{tmp_path}/deep/a.yaml:")
    assert "error: Prompt tone, spec.text: line 1" in out
    code, out, _ = _run("-o", "json", str(tmp_path / "b.yml"))
    assert (code, json.loads(out)["findings"]) == (Exit.DONE, [])
    code, out, _ = _run("-", given=yaml.safe_dump_all(everything(replicas=-1)))
    assert (code, out.split(":")[0]) == (Exit.FOUND, "stdin")


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "Missing argument"),
        (("nowhere.yaml",), "error: Unreadable: nowhere.yaml: No such file or directory"),
        (("--cluster", "x"), "No such option"),
    ],
)
def test_a_call_that_cannot_be_meant_ends_with_two(words: tuple[str, ...], said: str) -> None:
    code, _, err = _run(*words)
    assert code == Exit.FAILED
    assert said in err
    assert "Traceback" not in err


def test_a_file_that_is_not_text_ends_with_two(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    code, _, err = _run(str(tmp_path / "a.yaml"))
    assert code == Exit.FAILED
    assert "is not UTF-8 at byte 0" in err
