"""`turnout gate evals`: result files of two versions in, a verdict and an exit code out."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from turnout.cli.app import app
from turnout.cli.evals import Asked, evals
from turnout.cli.exits import Exit
from turnout.cli.options import Form, Terms
from turnout.errors import Invalid
from turnout.evals.results.formats import Format

NAMES = [f"task-{number:02}" for number in range(40)]
GOOD = {"passed": 10, "trials": 10}


class Files:
    """Writes results of two versions, and judges them by the command."""

    def __init__(self, place: Path) -> None:
        self.own, self.other = place / "candidate.jsonl", place / "stable.jsonl"

    def write(self, own: dict[str, Any], other: dict[str, Any]) -> None:
        for path, given in ((self.own, own), (self.other, other)):
            rows = [{"id": name, **(GOOD | given.get(name, {}))} for name in NAMES]
            path.write_text("\n".join(json.dumps(row) for row in rows))

    def judge(self, *words: str) -> tuple[int, str]:
        asked = ["gate", "evals", str(self.own), str(self.other), "--format", "jsonl", *words]
        ended = CliRunner().invoke(app, asked)
        return ended.exit_code, ended.stdout

    def refused(self, *, how: Format = Format.JSONL, **words: Any) -> str:
        with pytest.raises(Invalid) as refusal:
            evals(str(self.own), str(self.other), Asked(how, Terms(**words)), Form.TEXT)
        return str(refusal.value)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    files.write({}, {})
    return files


def test_equal_results_pass(files: Files) -> None:
    code, told = files.judge()
    assert code == Exit.DONE
    assert told.startswith("✔ Pass  Safe\n  pass rate: candidate 100.0%")
    assert "regressed" not in told


def test_broken_tasks_fail_by_their_names_and_stand_first(files: Files) -> None:
    files.write({key: {"passed": 0} for key in NAMES[5:9]}, {"task-30": {"passed": 0}})
    code, told = files.judge()
    assert code == Exit.FOUND
    lines = told.splitlines()
    assert lines[0] == "✖ Fail  Regressed: task-05, task-06, task-07, task-08"
    assert lines[4] == "✖ task-05  0/10       10/10  regressed"
    assert lines[8] == "✔ task-30  10/10      0/10  improved"


def test_errors_leave_it_open_and_are_counted_apart(files: Files) -> None:
    files.write({key: {"passed": 4, "trials": 5, "errors": 5} for key in NAMES[:9]}, {})
    code, told = files.judge()
    assert code == Exit.HELD
    assert told.startswith("◐ Continue  TooManyErrors: task-00")
    assert "task-00  4/5 +5!    10/10" in told


def test_a_task_that_must_pass_blocks_at_one_failure(files: Files) -> None:
    files.write({"task-03": {"passed": 9}}, {})
    assert files.judge()[0] == Exit.DONE
    code, told = files.judge("--must-pass", "task-03", "--must-pass", "task-04")
    assert code == Exit.FOUND
    assert "MustPassFailed: task-03" in told


def test_a_record_needs_twenty_trials_a_task(files: Files) -> None:
    code, told = files.judge("--recorded")
    assert (code, told.splitlines()[0].split(":")[0]) == (Exit.HELD, "◐ Continue  ThinBaseline")
    files.write({}, {key: {"passed": 19, "trials": 20} for key in NAMES})
    assert files.judge("--recorded")[0] == Exit.DONE


def test_the_margin_is_a_person_s(files: Files) -> None:
    files.write({"task-00": {"passed": 9}}, {})
    assert files.judge("--max-regression", "10%")[0] == Exit.DONE
    assert files.judge("--max-regression", "0.5%")[0] == Exit.HELD


def test_programs_get_a_document(files: Files) -> None:
    code, told = files.judge("-o", "json")
    document = json.loads(told)
    assert code == Exit.DONE
    assert (document["kind"], document["verdict"], document["reason"]) == ("Evals", "Pass", "Safe")
    assert document["evidence"]["safe"] > 20
    assert document["tasks"][0] == {
        "id": "task-00",
        "fate": "tied",
        "candidate": {"passed": 10, "trials": 10, "errors": 0},
        "baseline": {"passed": 10, "trials": 10, "errors": 0},
    }


def test_tasks_that_neither_version_tried_are_left_out_and_named_as_many(files: Files) -> None:
    files.write({"task-00": {"passed": 0, "trials": 0}}, {"task-00": {"passed": 0, "trials": 0}})
    ended = CliRunner().invoke(
        app, ["gate", "evals", str(files.own), str(files.other), "--format", "JSONL"]
    )
    assert ended.exit_code == Exit.DONE
    assert "note: 1 tasks are left out: neither version tried them" in ended.stderr


def test_a_file_without_any_result_has_no_verdict(files: Files) -> None:
    files.write(*[{key: {"passed": 0, "trials": 0, "errors": 3} for key in NAMES}] * 2)
    code, told = files.judge()
    assert code == Exit.HELD
    assert "candidate unknown, baseline unknown" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"must_pass": ["task-99"]}, "--must-pass task-99 is no task"),
        ({"max_regression": "10"}, "--max-regression 10 is not as 10%"),
        ({"max_regression": "0%"}, "--max-regression 0% is not as 10%"),
        ({"threshold": ["x"]}, "--threshold x is not METRIC=SCORE"),
        ({"how": Format.JUNIT}, "candidate.jsonl: the file is not XML"),
        ({"how": Format.RAGAS, "threshold": ["m=0.5"]}, "candidate.jsonl: no row has the metric m"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_name(
    files: Files, words: dict[str, Any], said: str
) -> None:
    assert said in files.refused(**words)


def test_a_file_that_is_not_there_is_told(files: Files) -> None:
    files.other.unlink()
    assert "stable.jsonl: No such file" in files.refused()
