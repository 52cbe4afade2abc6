"""The table of phases, and the page that people read of it."""

from pathlib import Path

from tests.support.phases import page
from turnout.api.rollout import RolloutPhase
from turnout.core.phase import FINAL, MOVES, RUNNING, has_ended

PAGE = Path(__file__).parents[2] / "docs" / "phases.md"


def test_every_phase_has_its_moves_and_what_has_ended_stays_ended() -> None:
    assert set(MOVES) == set(RolloutPhase) == RUNNING | FINAL
    for phase in FINAL:
        assert MOVES[phase] == {phase}
        assert has_ended(phase)
    for phase in RUNNING:
        assert MOVES[phase] == set(RolloutPhase)
        assert not has_ended(phase)


def test_the_page_is_printed_from_the_tables() -> None:
    assert PAGE.read_text() == page(), "python -m tests.support.phases > docs/phases.md"
