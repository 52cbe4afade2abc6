"""Several tests of one rollout taken as one: bounds of a latency, metrics of a gate."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from benchmarks.gates.agreement import Beside
from benchmarks.gates.arrays import Floats, Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.run import Process, row
from benchmarks.gates.streams import Stream
from benchmarks.gates.twin import Look, Terms


class Bounds(Process):
    """A latency at several bounds: evidence is averaged, and so are the drops.

    The first test is given its looks; the others take theirs from their own streams.
    """

    def __init__(
        self, bench: Bench, terms: Sequence[Terms], others: Sequence[Stream], repetitions: int
    ) -> None:
        self._terms, self._others = terms, others
        self._processes = [bench.make(one, repetitions) for one in terms]
        self._number = 0
        self._beside = Beside(bench.ledger, self._groups(), bench.followed(repetitions))
        self.log_fail = np.zeros(repetitions)
        self.log_pass = np.zeros(repetitions)

    def _groups(self) -> list[list[Terms]]:
        """Give the tests of each metric."""
        return [list(self._terms)]

    @property
    @override
    def drop(self) -> Floats:
        mean: Floats = np.mean([one.drop for one in self._processes], axis=0)
        return mean

    @override
    def look(self, rows: Ints, look: Look, minutes: float) -> None:
        looks = [look, *(row(stream, self._number, rows) for stream in self._others)]
        for process, counts in zip(self._processes, looks, strict=True):
            process.look(rows, counts, minutes)
        self._number += 1
        self.log_fail = averaged([one.log_fail for one in self._processes])
        self.log_pass = self._passed()
        self._beside.look(self, rows, looks, minutes)

    def _passed(self) -> Floats:
        return averaged([one.log_pass for one in self._processes])


class Metrics(Bounds):
    """Several metrics of one gate: evidence of fail is averaged, each must pass on its own."""

    @override
    def _groups(self) -> list[list[Terms]]:
        return [[one] for one in self._terms]

    @property
    @override
    def drop(self) -> Floats:
        """Drop of the metric to blame: the loudest one of those that are enough alone, if any."""
        fails = np.array([one.log_fail for one in self._processes])
        drops = np.array([one.drop for one in self._processes])
        margins = np.array([[one.margin] for one in self._terms])
        enough = fails - np.log(len(fails)) >= self._terms[0].certain
        alone = enough & (drops > margins)
        loud = np.where(alone.any(axis=0) & ~alone, -np.inf, fails)
        blamed: Floats = np.take_along_axis(drops, loud.argmax(axis=0)[None], axis=0)[0]
        return blamed

    @override
    def _passed(self) -> Floats:
        least: Floats = np.min([one.log_pass for one in self._processes], axis=0)
        return least


def averaged(logs: Sequence[Floats]) -> Floats:
    """Average evidence that is given as logarithms."""
    mean: Floats = np.logaddexp.reduce(np.array(logs), axis=0) - np.log(len(logs))
    return mean
