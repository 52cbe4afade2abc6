"""Evidence from trials of evaluation tasks, for thousands of suites at once."""

import numpy as np
from scipy.special import gammaln, logsumexp

from benchmarks.gates.arrays import Floats, Ints

STAKES = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
BROKEN, BROKEN_ODDS, BROKEN_SHARE = 0.05, 30.0, 0.3
"""How likely a task is taken to be broken, what that does to the odds of a failure, and the part
of the capital that is staked on it."""
BROKEN_FROM = 3
"""Trials of each task before a task is called broken."""


class Trials:
    """Evidence of many suites: what each stake has won on the drops, and tasks that broke."""

    def __init__(self, margin: float, stored: Ints | None, shape: tuple[int, int]) -> None:
        """Begin.

        Args:
            margin: Largest drop of a suite's mean.
            stored: Failures of a recorded baseline by (suite, task); None where trials of the
                baseline are run beside.
            shape: Numbers of suites and tasks.
        """
        self._margin = margin
        self._recorded = stored is not None
        self._worse = np.zeros((STAKES.size, shape[0]))
        self._safe = np.zeros((STAKES.size - 1, shape[0]))
        self._bad1 = np.zeros(shape, dtype=np.int64)
        self._bad0 = np.zeros(shape, dtype=np.int64) if stored is None else stored
        self._rounds = 0

    def take(self, rows: Ints, other: Floats, own: Floats) -> None:
        """Take a round: what the baseline's and the candidate's trials of all tasks scored."""
        drops = other - own
        self._rounds += 1
        for number, stake in enumerate(STAKES):
            self._worse[number, rows] += np.log1p(stake * drops).sum(axis=1)
        for number, stake in enumerate(STAKES[:-1]):
            self._safe[number, rows] += np.log1p(stake * (self._margin - drops)).sum(axis=1)
        self._bad1[rows] += own < 1
        if not self._recorded:
            self._bad0[rows] += other < 1

    def worse(self, rows: Ints, stored: int) -> Floats:
        """Give the logarithm of the evidence that the candidate is worse, or a task broke.

        ``stored`` is the number of recorded trials of each task.
        """
        mean = _mean(self._worse[:, rows])
        broke = np.zeros(mean.shape)
        if self._rounds >= BROKEN_FROM:
            beside = stored if self._recorded else self._rounds
            table = _broken(self._rounds, beside)
            broke = table[self._bad1[rows], self._bad0[rows]].sum(axis=1)
        both: Floats = np.logaddexp(np.log(1 - BROKEN_SHARE) + mean, np.log(BROKEN_SHARE) + broke)
        return both

    def safe(self, rows: Ints) -> Floats:
        """Give the logarithm of the evidence that it is not worse by the margin."""
        return _mean(self._safe[:, rows])


def _mean(logs: Floats) -> Floats:
    mean: Floats = np.logaddexp.reduce(logs, axis=0) - np.log(logs.shape[0])
    return mean


def _broken(trials: int, beside: int) -> Floats:
    """Tabulate the evidence that one task broke, by failures of the candidate and the baseline."""
    own, other = np.arange(trials + 1)[:, None, None], np.arange(beside + 1)[None, :, None]
    failures, mine = own + other, np.arange(trials + 1)[None, None, :]
    possible = (mine <= failures) & (failures - mine <= beside)
    left = np.where(possible, failures - mine, 0)
    ways = np.where(possible, _log_choose(trials, mine) + _log_choose(beside, left), -np.inf)
    tilt = float(np.log(BROKEN_ODDS))
    odds = tilt * own[..., 0] - logsumexp(ways + tilt * mine, axis=2) + logsumexp(ways, axis=2)
    evidence: Floats = np.log(1 - BROKEN + BROKEN * np.exp(odds))
    return evidence


def _log_choose(whole: int, part: Ints) -> Floats:
    log: Floats = gammaln(whole + 1) - gammaln(part + 1) - gammaln(whole - part + 1)
    return log
