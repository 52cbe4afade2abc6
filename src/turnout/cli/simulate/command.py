"""`turnout simulate`: one rollout as a timeline, or many as a table."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

from turnout.api.base import seconds
from turnout.api.strategy import RolloutStrategySpec
from turnout.cli.exits import Exit
from turnout.cli.lint.findings import finding_lines
from turnout.cli.options import Form, Plan, Told
from turnout.cli.screen import emit, screen
from turnout.cli.simulate.shown import document, summary_lines, trial_lines, truth_line
from turnout.cli.simulate.strategyfile import read_strategy
from turnout.cli.simulate.truths import length_of, truth_of
from turnout.simulation.trial import Trial, try_out
from turnout.simulation.truth import Truth
from turnout.simulation.users import counted

AFTER: Final = 600.0
"""Seconds that a rollout is followed after its gate's time is up."""


def simulate(path: str, told: Told, plan: Plan, form: Form) -> Exit:
    """Play rollouts of a file's strategy, and tell what came of them.

    Raises:
        Invalid: the file or the truth cannot be used.
    """
    file = read_strategy(path)
    for one in file.findings:
        sys.stderr.writelines(f"{line}\n" for line in finding_lines(one))
    if file.spec is None:
        return Exit.FOUND
    spec = file.spec
    if any(step.evaluate is not None for step in spec.strategy.steps):
        sys.stderr.write("note: every suite passes at once here; evaluations are not simulated\n")
    truth = truth_of(told, [one.name for one in spec.gate.metrics])
    until = length_of("--until", plan.until) if plan.until else _longest(spec, truth)
    seeds = range(plan.seed, plan.seed + plan.runs)
    trials = [try_out(spec, truth, seed, until) for seed in seeds]
    _tell(form, truth, trials, counted(spec.gate.metrics))
    return Exit.DONE


def _longest(spec: RolloutStrategySpec, truth: Truth) -> float:
    """Tell how long a rollout may take where nobody is waited for in vain, in seconds."""
    waits = len(spec.strategy.steps) * (truth.people or 0.0)
    pauses = (one.pause.duration for one in spec.strategy.steps if one.pause is not None)
    paused = sum(seconds(one) for one in pauses if one is not None)
    watched = seconds(spec.strategy.watch.bake) if spec.strategy.watch is not None else 0.0
    return seconds(spec.gate.max_duration) + paused + waits + watched + AFTER


def _tell(form: Form, truth: Truth, trials: Sequence[Trial], metric: str) -> None:
    if form is not Form.TEXT:
        emit(form, "Simulation", document(trials, metric))
        return
    console = screen()
    for line in _lines(truth, trials, metric):
        console.print(line, soft_wrap=not console.is_terminal)


def _lines(truth: Truth, trials: Sequence[Trial], metric: str) -> Iterator[str]:
    if len(trials) == 1:
        yield f"{truth_line(truth)}; seed {trials[0].seed}"
        yield from trial_lines(trials[0], metric)
    else:
        yield f"{truth_line(truth)}; seeds {trials[0].seed} to {trials[-1].seed}"
        yield from summary_lines(trials, metric)
