"""The step evaluate: suites that the candidate must pass before it gets any traffic.

Each suite is an EvalRun of the rollout's own, one after another. The rollout goes by nothing but
how it ended; one that was deleted is begun again: so a person has it tried once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from turnout.api.evalrun import EvalPhase, EvalRun, Purpose
from turnout.api.rollout import AgentRollout, RolloutPhase
from turnout.api.strategy import Evaluate, OnUndecided
from turnout.core.moves import Move
from turnout.core.reasons import Reason
from turnout.core.standing import Standing


def run_name(rollout: AgentRollout, suite: str) -> str:
    """Name the run of a suite that a rollout waits for."""
    asked = f"{rollout.metadata.uid} {suite}"
    return f"{rollout.spec.to.version}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def run_names(rollout: AgentRollout) -> Iterator[str]:
    """Name every run that a rollout waits for on its way."""
    for step in rollout.spec.strategy.steps:
        for suite in step.evaluate.suites if step.evaluate else ():
            yield run_name(rollout, suite)


def is_for(run: EvalRun, rollout: AgentRollout, suite: str) -> bool:
    """Claim that a run tries what a rollout waits for, against what it would replace."""
    spec, stable = run.spec, rollout.spec.from_
    return (
        spec.purpose is Purpose.GATE
        and spec.suite.name == suite
        and spec.version.digest == rollout.spec.to.digest
        and stable is not None
        and spec.baseline is not None
        and spec.baseline.digest == stable.digest
    )


def unpassed(runs: Mapping[str, EvalRun], rollout: AgentRollout, evaluate: Evaluate) -> str | None:
    """Name the first suite that the candidate has not passed; None where it passed all."""
    for suite in evaluate.suites:
        run = runs.get(run_name(rollout, suite))
        if run is None or run.status.phase is not EvalPhase.PASSED:
            return suite
    return None


def evaluate(standing: Standing, step: Evaluate) -> Move | None:
    """Have the suites run; None once all are passed."""
    rollout, runs = standing.rollout, standing.world.runs
    suite = unpassed(runs, rollout, step)
    if suite is None:
        return None
    name = run_name(rollout, suite)
    run = runs.get(name)
    if run is not None and not is_for(run, rollout, suite):
        message = f"EvalRun {name} was not made for this rollout: delete it"
        return Move(RolloutPhase.HELD, Reason.NAME_CONFLICT, message)
    phase = EvalPhase.PENDING if run is None else run.status.phase
    said = f"suite {suite}, EvalRun {name}: {phase}"
    if run is None or phase in {EvalPhase.PENDING, EvalPhase.RUNNING}:
        return Move(RolloutPhase.PROGRESSING, Reason.EVALUATING, said)
    told = f"suite {suite}: {run.status.message or phase} (EvalRun {name})"
    if phase is EvalPhase.FAILED:
        message = f"{told}; no request reached {rollout.spec.to.version}"
        return Move(RolloutPhase.ROLLED_BACK, Reason.EVAL_FAILED, message, weight=0)
    if step.on_inconclusive is OnUndecided.ROLLBACK:
        return Move(RolloutPhase.ROLLED_BACK, Reason.EVAL_INCONCLUSIVE, told, weight=0)
    message = f"{told}; delete the EvalRun to try again"
    return Move(RolloutPhase.HELD, Reason.EVAL_INCONCLUSIVE, message)
