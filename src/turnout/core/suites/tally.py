"""A suite's evidence, round by round: what is kept of all trials so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from turnout.core.sequential.bets import mixed
from turnout.core.sequential.broken import with_broken
from turnout.core.sequential.pairs import Gains, Pairs, Winnings, beside, recorded
from turnout.core.suites.counts import Counts, Task, Trials


@dataclass(frozen=True, slots=True)
class Round:
    """Trials that were run in one go.

    Attributes:
        candidate: Trials of the version under evaluation.
        baseline: Trials of the other, run at the same time; empty against a record.
    """

    candidate: Counts
    baseline: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a suite's trials come to so far.

    Attributes:
        margin: Largest acceptable drop of the suite's mean.
        tasks: The suite's tasks with all their trials.
        is_recorded: The baseline was run before and is taken as the truth.
        winnings: What the stakes on the suite's mean have won.
        alone: Tasks a round in which only one version met errors: ``regressed`` counts the
            candidate's.
    """

    margin: float
    tasks: Mapping[str, Task]
    is_recorded: bool = False
    winnings: Winnings = field(default_factory=Winnings)
    alone: Pairs = field(default_factory=Pairs)

    @property
    def worse(self) -> float:
        """Logarithm of the evidence that the suite's mean fell, or that some task broke."""
        both = [(one.candidate.outcomes, one.baseline.outcomes) for one in self.tasks.values()]
        return with_broken(self.winnings.evidence()[0], both)

    @property
    def safe(self) -> float:
        """Logarithm of the evidence that the mean did not fall by the margin."""
        return self.winnings.evidence()[1]

    @property
    def lopsided(self) -> float:
        """Logarithm of the evidence that errors strike the one version more than the other.

        What is missing then is no draw of chance, and what is left is no fair comparison.
        """
        alone = self.alone
        mirrored = replace(alone, regressed=alone.improved, improved=alone.regressed)
        either = [Winnings().after(one.gains(0.0)).evidence()[0] for one in (alone, mirrored)]
        return mixed(either, [0.5, 0.5])

    def after(self, trials: Round) -> Tally:
        """Take a round in; trials of tasks that are not of this suite are left aside."""
        winnings, alone, tasks = self.winnings, self.alone, dict(self.tasks)
        for name in sorted(self.tasks):
            own = trials.candidate.get(name, Trials())
            other = Trials() if self.is_recorded else trials.baseline.get(name, Trials())
            winnings = winnings.after(self._gains(tasks[name], own, other))
            alone = alone if self.is_recorded else _with_errors(alone, own, other)
            tasks[name] = replace(
                tasks[name],
                candidate=tasks[name].candidate.plus(own),
                baseline=tasks[name].baseline.plus(other),
            )
        return replace(self, tasks=tasks, winnings=winnings, alone=alone)

    def _gains(self, task: Task, own: Trials, other: Trials) -> Gains:
        share = task.baseline.share
        if not self.is_recorded or share is None:
            return beside(own.outcomes, other.outcomes, self.margin)
        return recorded(own.outcomes, share, self.margin)


def _with_errors(alone: Pairs, own: Trials, other: Trials) -> Pairs:
    """Count a task whose trials of this round met errors with one version only."""
    if bool(own.errors) is bool(other.errors):
        return alone
    if own.errors:
        return replace(alone, regressed=alone.regressed + 1)
    return replace(alone, improved=alone.improved + 1)
