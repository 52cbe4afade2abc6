"""The page docs/phases.md, printed from the tables that the operator runs on.

python -m tests.support.phases > docs/phases.md
"""

import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any

from turnout.api.rollout import RolloutPhase
from turnout.core.phase import FINAL, MOVES
from turnout.core.rules import RULES
from turnout.core.steps import advance

MEANINGS = {
    RolloutPhase.PROGRESSING: "A step or the bake: pods, weight, a timer or the gate's windows.",
    RolloutPhase.PAUSED: "A person is waited for; traffic stays as it is.",
    RolloutPhase.HELD: "Something is not known or not right; it goes on by itself once it is.",
    RolloutPhase.PROMOTED: "The candidate is stable.",
    RolloutPhase.ROLLED_BACK: "The candidate was taken back, by the gate or by a declared limit.",
    RolloutPhase.ABORTED: "A person took the candidate back.",
    RolloutPhase.SUPERSEDED: "Newer content, or stable's own, took the candidate's place.",
    RolloutPhase.EXPIRED: "The first version of an agent never became ready in time.",
}


def page() -> str:
    """Print the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterable[str]:
    yield "# Phases and rules"
    yield ""
    yield "Printed from `turnout.core.phase` and `turnout.core.rules`; a test compares."
    yield "A phase is a column for people: no decision reads one, except whether a rollout is over."
    yield ""
    yield "## Phases of a rollout"
    yield ""
    yield "| phase | what it means | what may come next |"
    yield "|---|---|---|"
    for phase in RolloutPhase:
        yield f"| {phase.value} | {MEANINGS[phase]} | {_next(phase)} |"
    yield ""
    yield "## Rules of a running rollout"
    yield ""
    yield "The first rule that has something to say decides. Its name stands in the rollout's"
    yield "timeline (`.status.timeline[].rule`) and in the operator's log."
    yield ""
    for number, rule in enumerate((*RULES, advance), start=1):
        yield f"{number}. `{rule.__name__}`: {_first_line(rule)}"


def _next(phase: RolloutPhase) -> str:
    if phase in FINAL:
        return "nothing: it is over"
    names = sorted(one.value for one in MOVES[phase])
    return "any phase" if len(names) == len(RolloutPhase) else ", ".join(names)


def _first_line(rule: Callable[..., Any]) -> str:
    return (inspect.getdoc(rule) or "").splitlines()[0]


if __name__ == "__main__":
    sys.stdout.write(page())
