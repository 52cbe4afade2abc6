"""`turnout simulate`: strategies out of files, truths out of words, rollouts as text and JSON."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.manifests import agent, kind, prompt
from turnout.cli.exits import Exit
from turnout.cli.options import Form, Plan, Told
from turnout.cli.simulate.command import simulate
from turnout.cli.simulate.truths import length_of, truth_of
from turnout.errors import Invalid
from turnout.simulation.truth import Drop, Outage

BLOCKS: dict[str, Any] = yaml.safe_load("""
strategy: {steps: [{setWeight: 50}]}
gate:
  mode: Statistical
  minDuration: 1m
  maxDuration: 10m
  onInconclusive: Hold
  metrics:
  - name: task-success
    type: SuccessRate
    templateRef: {name: tasks}
    maxRegression: 5%
    onRegression: Rollback
""")
BUSY = Told(rate=60)


class Simulate:
    """Writes a file, simulates it, and reads what was told."""

    def __init__(self, place: Path, screen: pytest.CaptureFixture[str]) -> None:
        self._file, self._screen, self.code, self.told = place / "all.yaml", screen, Exit.DONE, ""

    def __call__(
        self, *documents: Any, told: Told = BUSY, plan: Plan | None = None, form: Form = Form.TEXT
    ) -> str:
        return self.text(yaml.safe_dump_all(documents), told, plan or Plan(), form)

    def text(
        self, text: str, told: Told = BUSY, plan: Plan | None = None, form: Form = Form.TEXT
    ) -> str:
        self._file.write_text(text)
        self.code = simulate(str(self._file), told, plan or Plan(), form)
        answer = self._screen.readouterr()
        self.told = answer.err.replace(str(self._file), "all.yaml")
        return answer.out


@pytest.fixture
def simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Simulate:
    return Simulate(tmp_path, capsys)


def test_a_rollout_is_told_from_its_first_second_to_its_end(simulated: Simulate) -> None:
    lines = simulated(BLOCKS, told=Told(rate=60, worse=["20pts@30s"])).splitlines()
    assert simulated.code is Exit.DONE
    assert lines[0] == "truth: 60 requests a second, stable 97% good; seed 1"
    assert lines[1].split() == ["AT", "PHASE", "STEP", "WEIGHT", "GATE", "REASON", "MESSAGE"]
    assert lines[2].split()[:4] == ["0s", "Progressing", "1/1", "50"]
    assert "30s   -- the candidate is 20 points worse than stable" in lines
    assert lines[-4].split()[1:4] == ["RolledBack", "1/1", "0"]
    assert lines[-2].startswith("RolledBack after ")
    assert lines[-1].startswith("requests to the candidate ")


@pytest.mark.parametrize(
    "documents",
    [
        [BLOCKS],
        [kind("RolloutStrategy", "careful", BLOCKS)],
        [prompt(), agent(**BLOCKS), {"kind": "ConfigMap", "apiVersion": "v1"}],
        [prompt(), kind("RolloutStrategy", "careful", BLOCKS), kind("Agent", "support", {})],
    ],
    ids=["the blocks", "a strategy", "an agent of many objects", "a strategy of many objects"],
)
def test_a_strategy_is_found_in_whatever_file_has_one(
    simulated: Simulate, documents: list[Any]
) -> None:
    answer = json.loads(simulated(*documents, form=Form.JSON))
    assert simulated.told == ""
    assert answer["kind"] == "Simulation"
    assert answer["shares"] == {"Promoted": 1.0, "RolledBack": 0.0}


@pytest.mark.parametrize(
    ("documents", "count"),
    [
        ([prompt()], 0),
        ([kind("RolloutStrategy", "a", BLOCKS), kind("RolloutStrategy", "b", BLOCKS)], 2),
        (["a text"], 0),
        ([], 0),
    ],
)
def test_a_file_without_one_strategy_is_refused(
    simulated: Simulate, documents: list[Any], count: int
) -> None:
    with pytest.raises(Invalid, match=rf"all.yaml has {count} strategies, not one: write"):
        simulated(*documents)


def test_what_is_wrong_with_a_strategy_is_told_as_lint_tells_it(simulated: Simulate) -> None:
    text = "strategy:\n  steps: [{setWeight: 500}]\ngate:\n  mode: Statistical\n  metric: []\n"
    assert simulated.text(text) == ""
    assert simulated.code is Exit.FOUND
    assert "all.yaml:2:23: error: document, strategy.steps[0].setWeight:" in simulated.told
    assert "    value  500" in simulated.told
    assert 'gate.metric: unknown field "spec.gate.metric"' in simulated.told
    assert "    mend   did you mean metrics?" in simulated.told
    simulated(agent(**BLOCKS | {"strategy": {"steps": []}}))
    assert "error: Agent support, spec.strategy.steps:" in simulated.told


def test_text_that_is_no_yaml_and_a_key_given_twice_are_told_with_their_place(
    simulated: Simulate,
) -> None:
    simulated.text("strategy: [")
    assert simulated.code is Exit.FOUND
    assert "all.yaml:1:12: error: document: this is no YAML" in simulated.told
    simulated.text("gate: {mode: Statistical, mode: Threshold}")
    assert 'gate.mode: key "mode" is already set in this map' in simulated.told


def test_many_rollouts_are_a_table_of_their_ends(simulated: Simulate) -> None:
    lines = simulated(BLOCKS, told=Told(60, worse=["30pts"]), plan=Plan(5, 3)).splitlines()
    assert lines[0].endswith("seeds 5 to 7")
    assert lines[1].split("   ")[0] == "END"
    assert lines[2].split() == ["Promoted", "0%", "-", "-", "-"]
    assert lines[3].split()[:2] == ["RolledBack", "100%"]
    assert lines[-1].endswith("a rollout")


def test_a_version_is_followed_through_its_bake(simulated: Simulate) -> None:
    watched = BLOCKS | {"strategy": BLOCKS["strategy"] | {"watch": {"bake": "2h"}}}
    lines = simulated(watched, told=Told(rate=5)).splitlines()
    assert "Baking" in lines[-5]
    assert lines[-2].startswith("Promoted after 2h")


def test_rollouts_that_are_not_over_are_said_to_be(simulated: Simulate) -> None:
    paused = BLOCKS | {"strategy": {"steps": [{"setWeight": 50}, {"pause": {}}]}}
    lines = simulated(paused, plan=Plan(until="3m")).splitlines()
    assert lines[-2].startswith("not over when the time was up, Paused: paused until a person")
    lines = simulated(paused, plan=Plan(runs=2, until="3m")).splitlines()
    assert lines[4].split()[:4] == ["Paused", "100%", "not", "over"]


def test_programs_get_the_timeline_of_one_and_the_ends_of_many(simulated: Simulate) -> None:
    told = Told(60, outage=["30s+1m"])
    (run,) = json.loads(simulated(BLOCKS, told=told, form=Form.JSON))["runs"]
    assert run["phase"] == "Promoted"
    assert {"seconds": 30.0, "truth": "the metrics provider is away"} in run["timeline"]
    assert run["timeline"][-1]["weight"] == 100
    many = json.loads(simulated(BLOCKS, plan=Plan(runs=2), form=Form.JSON))
    assert [one["seed"] for one in many["runs"]] == [1, 2]
    assert all("timeline" not in one for one in many["runs"])


def test_truths_are_read_as_they_are_said() -> None:
    told = Told(
        5,
        ["95%", "latency=99.5%"],
        ["5pts", "latency=2.5%@1h30m", "-1pt@5m+90s"],
        ["10pts@20m+10m"],
        ["30m+5m"],
    )
    truth = truth_of(told, ["task-success", "latency"])
    assert (truth.rate, truth.usual, truth.stable) == (5, 0.95, {"latency": 0.995})
    assert truth.worse == (
        Drop(0.05),
        Drop(0.025, 5400, metric="latency"),
        Drop(-0.01, 300, 390),
    )
    assert truth.incidents == (Drop(0.1, 1200, 1800),)
    assert truth.outages == (Outage(1800, 2100),)
    assert truth_of(Told(), ["any"]).usual == 0.97
    assert truth_of(Told(people="10m"), ["any"]).people == 600


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Told(0), "--rps: 0 is not above 0 and at most 10000"),
        (Told(float("nan")), "--rps: nan is not above 0"),
        (Told(stable=["97"]), "--stable: 97 is not understood; write 97%, or latency=95%"),
        (Told(stable=["101%"]), "--stable: 101% is more than 100%"),
        (Told(worse=["5pts@noon"]), "--worse: 5pts@noon is not understood; write 5pts, or 5pts@"),
        (Told(worse=["x=5pts"]), "--worse: the gate has no metric x; it has task-success"),
        (Told(incident=["10pts@5m"]), "--incident: 10pts@5m is not understood; write 10pts@20m+"),
        (Told(people="soon"), "--people: soon is not understood; write a time above 0"),
        (Told(outage=["5m"]), "--outage: 5m is not understood; write 30m\\+5m: from when on"),
    ],
)
def test_a_truth_that_is_not_understood_says_how_to_write_it(told: Told, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        truth_of(told, ["task-success"])


def test_a_length_of_time_is_above_nothing() -> None:
    assert length_of("--until", "1h30m") == 5400
    for word in ("0s", "soon", ""):
        with pytest.raises(Invalid, match=r"--until: .* is not understood; write a time above 0"):
            length_of("--until", word)


def test_the_program_simulates_and_answers_in_exit_codes(tmp_path: Path) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text(yaml.safe_dump(BLOCKS))
    program = [sys.executable, "-m", "turnout.cli", "simulate", str(file), "--rps", "60"]
    done = _run(*program, "--worse", "30pts")
    assert done.returncode == 0
    assert "RolledBack after" in done.stdout
    wrong = _run(*program, "--worse", "bad")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: InvalidTruth: --worse: bad is not understood")


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_suites_pass_at_once_and_it_is_said(simulated: Simulate) -> None:
    steps = [{"evaluate": {"suites": ["core"]}}, {"setWeight": 50}]
    told = simulated(BLOCKS | {"strategy": {"steps": steps}})
    assert "every suite passes at once here" in simulated.told
    assert "Promoted" in told
