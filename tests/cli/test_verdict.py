"""The gate's table: what people see of a verdict."""

from typing import Any

from tests.core.test_quiet import PAUSED, rolling
from tests.core.test_statistical import STATISTICAL
from turnout.api.rollout import AgentRollout
from turnout.cli.screen import Marks
from turnout.cli.verdict import gate_lines


def shown(**gate: Any) -> list[str]:
    """Show the gate of a rollout after two and a half minutes with traffic."""
    sim = rolling(PAUSED, **gate)
    sim.traffic.quality |= {sim.candidate: 0.96, sim.stable: 0.97}
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
