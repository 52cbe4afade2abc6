"""The gate's table: what people see of a verdict."""

from typing import Any

from tests.core.test_quiet import PAUSED, rolling
from tests.core.test_statistical import STATISTICAL
from turnout.api.rollout import AgentRollout
from turnout.cli.screen import Marks
from turnout.cli.verdict import gate_lines
from turnout.core.patch import revised


def shown(quality: float = 0.96, **gate: Any) -> list[str]:
    """Show the gate of a rollout after two and a half minutes with traffic."""
    sim = rolling(PAUSED, **gate)
    sim.traffic.quality |= {sim.candidate: quality, sim.stable: 0.97}
    sim.run(150)
    rollout = AgentRollout.model_validate(sim.rollout)
    return [line.plain for line in gate_lines(rollout, sim.now, Marks())]


def test_in_threshold_mode_the_windows_are_shown_one_by_one() -> None:
    head, row = shown()
    assert head.split()[:6] == ["GATE", "candidate", "stable", "bar", "verdict", "windows"]
    assert set(row.split()[-1]) == {Marks().done}


def test_in_statistical_mode_the_evidence_is_shown_with_what_it_still_needs() -> None:
    head, row = shown(**STATISTICAL)
    assert head.split()[:6] == ["GATE", "candidate", "stable", "bar", "verdict", "evidence"]
    assert "96.0% of " in row
    assert "stable - 5%" in row
    assert "worse " in row
    assert "safe " in row


def test_nothing_is_promised_to_a_version_that_is_worse() -> None:
    _, row = shown(quality=0.8, **STATISTICAL)
    assert "Fail" in row
    assert "to go" not in row


def told(changes: dict[str, Any], **of_gate: Any) -> list[str]:
    """Show the gate where this is said of its metric, or of it; without the line of heads."""
    sim = rolling(PAUSED, **STATISTICAL)
    sim.run(150)
    rollout = AgentRollout.model_validate(sim.rollout)
    gate = rollout.status.gate
    assert gate is not None
    changed = revised(gate, metrics=(revised(gate.metrics[0], **changes),), **of_gate)
    status = revised(rollout.status, gate=changed)
    lines = gate_lines(rollout.model_copy(update={"status": status}), sim.now, Marks())
    return [line.plain for line in lines][1:]


def test_what_a_profile_reads_is_shown_with_what_it_does_not_tell_and_a_cost_has_a_limit() -> None:
    row, reads = told({"reads": "runs_count; no outcome counter", "bar": "stable + 15%"})
    assert "at most stable + 15%" in row
    assert reads == "    reads runs_count; no outcome counter"


def test_what_is_counted_how_much_it_scatters_and_how_it_is_split_is_shown() -> None:
    split = "24.7% of 1240 requests are the candidate's, its weight is 25%"
    assert told({"unit": "Session", "noise": "2.3"}, split=split)[1:] == [
        "    counts by Session",
        "    counts scatter 2.3 times as much as by chance",
        f"  split: {split}",
    ]
