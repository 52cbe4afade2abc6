"""The production gate, driven as the operator drives it, a rollout at a time."""

import json
import math
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.gates.arrays import Floats, Ints
from benchmarks.gates.noise import Noise
from benchmarks.gates.twin import Look, Terms
from turnout.api.rollout_status import Verdict
from turnout.core.looks import Counts, Window
from turnout.core.sequential import noise, recent, tally
from turnout.core.sequential.findings import Finding, Metric, find
from turnout.core.sequential.record import read, written
from turnout.core.sequential.verdicts import Policy, decide

RESTART_EVERY = 7
"""Looks between two restarts of the operator."""


class Followed:
    """One rollout as the operator follows it.

    Attributes:
        findings: What each metric says.
        worse: Logarithm of the evidence of all metrics that the candidate is worse.
        verdict: What the gate says.
        changes: How often it said something else.
        age: Seconds since the candidate was asked first.
        looks: Looks taken, at all metrics.
        seconds: Processor time that they took.
        bytes: Size of what a checkpoint keeps of a metric.
        lost: Restarts after which a tally was not the same.
    """

    def __init__(self, groups: Sequence[Sequence[Terms]], repetition: int) -> None:
        """Begin with a group of tests for each metric, most with one."""
        self._metrics = [
            Metric(f"metric-{number}", own_terms(group[0])) for number, group in enumerate(groups)
        ]
        self._tallies = [[_begin(terms, repetition) for terms in group] for group in groups]
        passes = all(terms.passes for group in groups for terms in group)
        self._policy = Policy(
            alpha=self._metrics[0].terms.alpha,
            min_duration=Policy.min_duration if passes else math.inf,
            max_duration=math.inf,
        )
        self.findings: list[Finding] = []
        self.worse = 0.0
        self.verdict = Verdict.CONTINUE
        self.changes = 0
        self.age = 0.0
        self.looks = 0
        self.seconds = 0.0
        self.bytes = 0
        self.lost = 0

    @property
    def requests(self) -> float:
        """Candidate requests so far."""
        return self._tallies[0][0].candidate.total

    def look(self, looks: Sequence[Look], place: int, minutes: float) -> None:
        """Take the counts at ``place`` of one look at each test, in their order, and decide."""
        windows = iter([_window(look, place, minutes) for look in looks])
        began = time.process_time()
        for metric, group in zip(self._metrics, self._tallies, strict=True):
            group[:] = [tally.follow(one, next(windows), metric.terms) for one in group]
        self.findings = [
            find(metric, group) for metric, group in zip(self._metrics, self._tallies, strict=True)
        ]
        self.age += 60 * minutes if self.requests > 0 else 0.0
        decision = decide(self.findings, self._policy, self.age, self.verdict)
        self.seconds += time.process_time() - began
        self.looks += len(looks)
        self.changes += decision.verdict is not self.verdict
        self.worse, self.verdict = decision.worse, decision.verdict
        if self.looks // len(looks) % RESTART_EVERY == 0:
            self._restart()

    def _restart(self) -> None:
        for group in self._tallies:
            kept = [json.dumps(written(one), separators=(",", ":")) for one in group]
            again = [read(json.loads(one)) for one in kept]
            self.bytes = max(self.bytes, *map(len, kept))
            self.lost += again != group
            group[:] = again


def own_terms(terms: Terms) -> tally.Terms:
    """Say terms in the product's words."""
    return tally.Terms(terms.margin, alpha=1 - terms.confidence)


def _begin(terms: Terms, repetition: int) -> tally.Tally:
    factor = 1.0 if terms.prior is None else _noise(terms.prior, repetition).factor
    rate = recent.Rate.known(terms.history)
    return tally.begin(own_terms(terms), rate=rate, noise=factor)


def _noise(known: Noise, repetition: int) -> noise.Noise:
    squares, deviation, variance, blocks = map(float, known.sums[:, repetition])
    return noise.Noise(squares, deviation, variance, int(blocks))


def _window(look: Look, place: int, minutes: float) -> Window:
    good1, bad1 = float(look.good1[place]), float(look.bad1[place])
    good0, bad0 = float(look.good0[place]), float(look.bad0[place])
    return Window(0.0, 60 * minutes, Counts(good1, good1 + bad1), Counts(good0, good0 + bad0))


class Production:
    """Evidence of many rollouts of one scenario, each by the production gate."""

    def __init__(self, terms: Terms, repetitions: int) -> None:
        self._passes = terms.passes
        self.log_fail = np.zeros(repetitions)
        self.log_pass = np.zeros(repetitions)
        self.drop: Floats = np.full(repetitions, -np.inf)
        self.followed = [Followed([[terms]], one) for one in range(repetitions)]

    def look(self, rows: Ints, look: Look, minutes: float) -> None:
        """Take the counts of one look for some repetitions."""
        for place, repetition in enumerate(rows.tolist()):
            self.followed[repetition].look([look], place, minutes)
            [finding] = self.followed[repetition].findings
            self.log_fail[repetition] = finding.worse
            self.log_pass[repetition] = finding.safe if self._passes else 0.0
            self.drop[repetition] = -np.inf if finding.drop is None else finding.drop
