"""One run of the benchmark: its seed, its size, and the gate that is judged by."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.gates.agreement import FOLLOWED, Checked, Ledger
from benchmarks.gates.production import Production
from benchmarks.gates.run import Process
from benchmarks.gates.twin import Terms


@dataclass(frozen=True)
class Bench:
    """How a run was asked for.

    Attributes:
        seed: Of all of it; every section has its own numbers from it.
        repetitions: Of a scenario without a regression; others have half as many.
        production: Whether the production gate judges everything, and not the twin.
        ledger: What was found where both followed the same streams.
    """

    seed: int
    repetitions: int
    production: bool = False
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def fewer(self) -> int:
        """Repetitions of a scenario whose figures are not small shares."""
        return max(self.repetitions // 2, 1)

    def make(self, terms: Terms, repetitions: int) -> Process:
        """Make a gate."""
        if self.production:
            gate = Production(terms, repetitions)
            self.ledger.followed += gate.followed[:FOLLOWED]
            return gate
        return Checked(self.ledger, terms, repetitions)

    def followed(self, repetitions: int) -> int:
        """Give how many repetitions the production gate follows where the sums are our own."""
        return repetitions if self.production else min(FOLLOWED, repetitions)

    def rng(self, section: int) -> np.random.Generator:
        """Give a section its random numbers, the same whatever else runs."""
        return np.random.default_rng([self.seed, section])
