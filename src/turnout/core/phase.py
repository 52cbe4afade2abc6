"""The phases people see, and the moves between them that are legal.

A phase is a printer column, never an input: no decision reads one, except whether a rollout
has ended. The tables below are walked by a test and printed into the docs.
"""

from __future__ import annotations

from turnout.api.rollout_status import RolloutPhase

RUNNING = frozenset({RolloutPhase.PROGRESSING, RolloutPhase.PAUSED, RolloutPhase.HELD})
FINAL = frozenset(RolloutPhase) - RUNNING

MOVES: dict[RolloutPhase, frozenset[RolloutPhase]] = {
    **{phase: frozenset(RolloutPhase) for phase in RUNNING},
    **{phase: frozenset({phase}) for phase in FINAL},
}
"""Every legal move of a rollout: a running one may go anywhere, an ended one stays ended."""


def has_ended(phase: RolloutPhase) -> bool:
    """Tell whether a rollout of this phase is over."""
    return phase in FINAL
