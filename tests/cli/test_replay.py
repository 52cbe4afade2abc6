"""Looks of the past through the production gate."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_lint_files import PLAIN
from tests.core.sequential import GOLDEN, Answers
from turnout.cli.exits import Exit
from turnout.cli.replay.command import replay
from turnout.errors import Invalid

BLOCK = """\
gate:
  mode: Statistical            # or Threshold
  confidence: 0.95
  metrics:
  - {name: task-success, type: SuccessRate, maxRegression: 2%, minimum: 80%, weight: 2}
  - {name: latency, type: Latency, slowerThan: 13s, maxRegression: 3%, onRegression: Rollback}
  - {name: cost, type: CostPerSuccess, maxIncrease: 15%, onRegression: Hold}
  - {name: golden, type: Evals, maxRegression: 10%, mustPass: [refund-flow]}
  minDuration: 15m
  minRequests: 50
  maxDuration: 2h
  onInconclusive: Hold
  warmup: 60s
  countBy: Session
  errorBudget: {slo: 99%, window: 30d, freezeBelow: 10%}
"""

SHORT = "metrics: [{name: task-success, type: SuccessRate, maxRegression: 2%}]\n"


def line(answers: Answers, minute: int = 0, stream: str = "a", **changes: Any) -> dict[str, Any]:
    good, bad, stable_good, stable_bad = answers
    return {
        "stream": stream,
        "at": f"2026-01-02T{minute // 60:02}:{minute % 60:02}:00Z",
        "metric": "task-success",
        "stable": {"good": stable_good, "total": stable_good + stable_bad},
        "candidate": {"good": good, "total": good + bad},
    } | changes


class Replay:
    """Writes files, replays them, and reads the answer."""

    def __init__(self, place: Path, screen: pytest.CaptureFixture[str]) -> None:
        self.place, self.screen, self.told = place, screen, ""

    def __call__(self, lines: list[dict[str, Any]], gate: str = SHORT) -> list[dict[str, Any]]:
        return self.text("".join(json.dumps(one) + "\n" for one in lines), gate)

    def text(self, looks: str, gate: str = SHORT) -> list[dict[str, Any]]:
        (self.place / "gate.yaml").write_text(gate)
        (self.place / "looks.jsonl").write_text(looks)
        code = replay(str(self.place / "gate.yaml"), str(self.place / "looks.jsonl"))
        assert code is Exit.DONE
        answer = self.screen.readouterr()
        self.told = answer.err
        return [json.loads(one) for one in answer.out.splitlines()]

    def refused(self, looks: str, gate: str = SHORT) -> str:
        with pytest.raises(Invalid) as refusal:
            self.text(looks, gate)
        return str(refusal.value).replace(f"{self.place}/", "")


@pytest.fixture
def replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Replay:
    return Replay(tmp_path, capsys)


def test_the_published_looks_give_the_published_evidence(replayed: Replay) -> None:
    answers = replayed([line(one, minute) for minute, one in enumerate(GOLDEN)])
    assert [one["evidence_worse"] for one in answers] == pytest.approx(
        [1.775893, 254.934091, 61620.9, 275968912], rel=1e-4
    )
    assert [one["evidence_safe"] for one in answers] == pytest.approx(
        [0.653897, 0.141052, 0.077887, 0.054085], rel=1e-4
    )
    assert [one["verdict"] for one in answers] == ["Continue", "Fail", "Fail", "Fail"]
    assert list(answers[0]) == [
        "stream",
        "at",
        "metric",
        "evidence_worse",
        "evidence_safe",
        "regression",
        "verdict",
    ]
    assert answers[0]["regression"] == pytest.approx(372 / 380 - 18 / 20)


def test_a_version_as_good_as_stable_passes_and_stays_passed(replayed: Replay) -> None:
    answers = replayed([line((97, 3, 291, 9), minute) for minute in range(40)])
    verdicts = [one["verdict"] for one in answers]
    assert verdicts == ["Continue"] * 14 + ["Pass"] * 26
    assert "1 streams: 1 Pass, 0 Fail, 0 Continue" in replayed.told


def test_the_block_of_a_strategy_is_taken_as_it_is_and_what_counts_lack_is_told(
    replayed: Replay,
) -> None:
    block = replayed([line(one, minute) for minute, one in enumerate(GOLDEN)], BLOCK)
    assert [one["evidence_worse"] for one in block] == [
        one["evidence_worse"]
        for one in replayed([line(one, minute) for minute, one in enumerate(GOLDEN)])
    ]
    replayed([line(GOLDEN[0])], BLOCK)
    notes = (
        "metric cost is left out: a cost per success needs sums of money",
        "metric golden is left out: evaluations need trials task by task",
        "metric latency is left out: no look has it",
        "looks are taken as they were counted, whatever the gate says of warmup, countBy, error",
    )
    for told, note in zip(replayed.told.splitlines(), notes, strict=False):
        assert told.startswith(f"note: {note}")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ('confidence: "99%"', "confidence: 0.99"),
        ("", "mode: Statistical"),
        ("minDuration: 15m", "maxDuration: 2h"),
    ],
)
def test_both_spellings_of_a_gate_mean_the_same(replayed: Replay, ours: str, theirs: str) -> None:
    metrics = "metrics: [{name: task-success, type: SuccessRate, maxRegression: %s, %s: 2}]\n"
    looks = [line((28, 2, 88, 2), minute) for minute in range(30)]
    answers = replayed(looks, metrics % ("2%", "importance") + ours)
    assert answers == replayed(looks, metrics % ("0.02", "weight") + theirs)


def test_streams_are_told_apart_and_may_come_mixed(replayed: Replay) -> None:
    mixed = [
        line(one, minute, stream) for minute, one in enumerate(GOLDEN) for stream in ("a", "b")
    ]
    apart = sorted(mixed, key=lambda one: str(one["stream"]))
    answers = replayed(mixed)
    assert sorted(answers, key=lambda one: str(one["stream"])) == replayed(apart)


def test_metrics_of_one_stream_are_judged_together(replayed: Replay) -> None:
    gate = SHORT.replace("]", ", {name: latency, type: Latency, maxRegression: 3%}]")
    fine = [line((97, 3, 291, 9), minute) for minute in range(30)]
    slow = [line((97, 3, 291, 9), minute, metric="latency") for minute in range(28, 30)]
    looks = sorted([*fine, *slow], key=lambda one: str(one["at"]))
    answers = replayed(looks, gate)
    assert {one["verdict"] for one in answers} == {"Continue"}
    assert {one["verdict"] for one in replayed(fine, gate)} == {"Continue", "Pass"}


def test_a_margin_that_is_not_declared_suits_stable(replayed: Replay) -> None:
    gate = SHORT.replace(", maxRegression: 2%", "")
    answers = replayed([line(GOLDEN[3], minute) for minute in range(4)], gate)
    assert answers[0]["evidence_safe"] == 1.0
    assert answers[-1]["evidence_safe"] < 1.0
    assert answers[-1]["verdict"] == "Fail"


def test_a_look_without_requests_changes_no_evidence(replayed: Replay) -> None:
    answers = replayed([line(GOLDEN[0]), line((0, 0, 300, 5), 1), line((0, 0, 0, 0), 2)])
    assert answers[0]["evidence_worse"] == answers[2]["evidence_worse"]
    assert replayed([line((0, 0, 0, 0))])[0]["regression"] is None


def test_what_is_left_undecided_ends_as_declared(replayed: Replay) -> None:
    looks = [line((9, 0, 9, 0), minute) for minute in range(0, 121, 10)]
    gate = SHORT + "onInconclusive: Rollback\n"
    verdicts = [one["verdict"] for one in replayed(looks, gate)]
    assert verdicts == ["Continue"] * 11 + ["Fail"] * 2


def test_a_look_that_stands_alone_is_a_minute_and_a_first_one_as_long_as_the_second(
    replayed: Replay,
) -> None:
    gate = SHORT + "minDuration: 30s\nminRequests: 1\n"
    clear = line((9000, 0, 90000, 0))
    assert replayed([clear], gate)[0]["verdict"] == "Pass"
    sooner = line((9000, 0, 90000, 0), at="2026-01-02T00:00:10+00:00")
    assert [one["verdict"] for one in replayed([clear, sooner], gate)] == ["Continue"] * 2


GOOD = json.dumps(line(GOLDEN[0]))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{", "line 2: this is no JSON"),
        ("7", "line 2: a look is an object"),
        ("[" * 100_000, "line 2: this is no JSON"),
        (json.dumps(line(GOLDEN[0], 1) | {"stream": 7}), "line 2: stream: a text is required"),
        (json.dumps(line(GOLDEN[0], 1, at="noon")), "line 2: at: noon is no time as 2026"),
        (json.dumps(line(GOLDEN[0], 1, at="2026-01-02T00:01:00")), "is no time as 2026"),
        (GOOD, "line 2: at: 2026-01-02T00:00:00Z is not after the look before it"),
        (json.dumps(line(GOLDEN[0], 1, metric="x")), "the gate has no metric x; it has task-"),
        (json.dumps(line(GOLDEN[0], 1, stable=7)), 'stable: counts as {"good": 16, "total": 20}'),
        (json.dumps(line(GOLDEN[0], 1, candidate={"good": 1})), "candidate.total: a number of"),
        (json.dumps(line((-1, 5, 1, 1), 1)), "candidate.good: a number of requests from 0"),
        (json.dumps(line((float("nan"), 5, 1, 1), 1)), "candidate.good: a number of requests"),
        (json.dumps(line((True, 5, 1, 1), 1)), "candidate.good: a number of requests"),
        (json.dumps(line((1, 1, 10, -8), 1)), "stable: 10 good of 2 in total cannot be"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_what_is_wrong(
    replayed: Replay, wrong: str, said: str
) -> None:
    refusal = replayed.refused(f"{GOOD}\n{wrong}\n")
    assert refusal.startswith("InvalidLook: looks.jsonl, line 2: ")
    assert said in refusal


def test_metrics_that_are_no_counts_are_refused_in_looks(replayed: Replay) -> None:
    refusal = replayed.refused(json.dumps(line(GOLDEN[0], metric="cost")), BLOCK)
    assert refusal == (
        "InvalidLook: looks.jsonl, line 1: metric: cost cannot be replayed: a cost per success "
        "needs sums of money, which looks do not have"
    )


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("", "gate.yaml has 0 documents, not one gate"),
        ("a: 1\n---\nb: 2\n", "gate.yaml has 2 documents, not one gate"),
        ("{", "gate.yaml, line 1: this is no YAML"),
        ("7", "gate.yaml, line 1: a gate is a mapping with metrics"),
        ("gate: 7", "gate.yaml, line 1: gate: a gate is a mapping with metrics"),
        ("mode: Statistical", "gate.yaml, line 1: metrics: Field required"),
        ("metrics: 7", "line 1: metrics: "),
        ("metrics: [7]", "line 1: metrics.0: "),
        ("mode: Threshold\n" + SHORT, "line 1: mode: "),
        (SHORT + "dryrun: true", "line 2: dryrun: no gate has such a field"),
        (SHORT + "confidence: 70%", "line 2: confidence: "),
        (SHORT + "confidence: many%", "line 2: confidence: "),
        (SHORT + "onInconclusive: Promote", "line 2: onInconclusive: "),
        (SHORT + "minDuration: 3h", "minDuration must not be longer than maxDuration"),
        (SHORT.replace("2%", "0%"), "metrics.0.maxRegression: "),
        (SHORT.replace("2%}", "2%, weight: 0}"), "some metric must have an importance above 0"),
        (SHORT.replace("[", "[{name: task-success, type: Custom}, "), "the same name"),
    ],
)
def test_a_gate_that_cannot_be_used_is_named_with_its_field_and_line(
    replayed: Replay, gate: str, said: str
) -> None:
    refusal = replayed.refused(GOOD, gate)
    assert refusal.startswith("InvalidGate: gate.yaml")
    assert said in refusal


def test_empty_lines_and_unknown_fields_of_looks_are_passed_over(replayed: Replay) -> None:
    text = f"\n{json.dumps(line(GOLDEN[0], why='x'))}\r\n\n"
    assert len(replayed.text(text)) == 1


def test_a_scrape_between_two_counters_is_no_wrong_look(replayed: Replay) -> None:
    assert replayed([line((20.5, -0.5, 90, 0))])[0]["regression"] == pytest.approx(0.0)


def _program(arguments: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "turnout.cli.main", "gate", "replay", *arguments],
        input=given,
        capture_output=True,
        text=True,
        env=PLAIN,
        check=False,
        timeout=60,
    )


def test_the_program_reads_standard_input_and_ends_with_a_code(tmp_path: Path) -> None:
    gate = tmp_path / "gate.yaml"
    gate.write_text(SHORT)
    done = _program(["--config", str(gate), "-"], GOOD)
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (Exit.DONE, "Continue")
    for arguments, said in (
        (["-c", str(gate), str(tmp_path / "none")], "none: No such file"),
        (["-c", str(tmp_path / "none"), "-"], "none: No such file"),
        (["-c", str(gate), "-"], "InvalidLook: stdin, line 1: this is no JSON"),
    ):
        failed = _program(arguments, "{")
        assert failed.returncode == Exit.FAILED
        assert said in failed.stderr
        assert "Traceback" not in failed.stderr
