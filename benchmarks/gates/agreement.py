"""The twin beside the production gate, on some streams of every scenario, in the same run.

Each gate that the benchmark makes follows a few of its repetitions with the production gate too,
which is written down and read back now and then as a restart of the operator would.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override

from benchmarks.gates.arrays import Ints
from benchmarks.gates.production import Followed
from benchmarks.gates.report import Estimate, Section, Target, difference, mean, table
from benchmarks.gates.run import Process
from benchmarks.gates.twin import Look, Terms, Twin
from turnout.api.rollout_status import Verdict

FOLLOWED = 10
"""Repetitions of a scenario that the production gate follows beside the twin."""
CLOSE = 1e-9


@dataclass
class Ledger:
    """What was compared so far.

    Attributes:
        followed: Streams that both gates followed.
        apart: Largest difference of the logarithm of an evidence, in parts of it from 1 on.
        verdicts: Looks at which the verdicts differed.
    """

    followed: list[Followed] = field(default_factory=list)
    apart: float = 0.0
    verdicts: int = 0

    def section(self, least: int) -> Section:
        """Say how well both agree, and what the production gate costs.

        Args:
            least: Streams that must have been compared.
        """
        looks = sum(one.looks for one in self.followed)
        lost = sum(one.lost for one in self.followed)
        times = np.array([1000 * one.seconds / one.looks for one in self.followed if one.looks])
        counted = (
            ("streams", f"{len(self.followed)}"),
            ("looks", f"{looks}"),
            ("largest difference of log evidence", f"{self.apart:.1e}"),
            ("looks with another verdict", f"{self.verdicts}"),
            ("restarts that changed something", f"{lost}"),
        )
        changes = max(one.changes for one in self.followed)
        size = max(one.bytes for one in self.followed)
        targets = (
            Target("twin", "streams compared", Estimate(len(self.followed)), least, least=True),
            Target("twin", "looks with another verdict", Estimate(self.verdicts), 0),
            Target("twin", "difference of log evidence", Estimate(self.apart), CLOSE),
            Target("G9", "changes of verdict in a rollout, most", Estimate(changes), 1),
            Target("G9", "restarts that changed something", Estimate(lost), 0),
            Target("G10", "milliseconds a look and metric", mean(times), 1),
            Target("G10", "bytes of state a metric, most", Estimate(size), 2048),
        )
        title = "The vectorised twin and the production gate on the same streams"
        return Section(title, (table(["compared", "found"], counted),), targets)


class Beside:
    """The production gate beside a process: its first repetitions, compared at every look."""

    def __init__(self, ledger: Ledger, groups: Sequence[Sequence[Terms]], count: int) -> None:
        self._ledger, self._terms = ledger, groups[0][0]
        self._followed = [Followed(groups, one) for one in range(count)]
        ledger.followed += self._followed

    def look(self, process: Process, rows: Ints, looks: Sequence[Look], minutes: float) -> None:
        """Take what a process has taken, and compare."""
        places = np.flatnonzero(rows < len(self._followed))
        if not places.size:
            return
        drops = process.drop
        for place in places.tolist():
            repetition = int(rows[place])
            one = self._followed[repetition]
            before = one.verdict
            one.look(looks, place, minutes)
            fail, safe = float(process.log_fail[repetition]), float(process.log_pass[repetition])
            self._compare(one, fail, safe)
            expected = self._verdict(one, before, (fail, safe, float(drops[repetition])))
            self._ledger.verdicts += one.verdict is not expected

    def _compare(self, one: Followed, fail: float, safe: float) -> None:
        pairs = [(fail, one.worse)]
        if self._terms.passes:
            pairs.append((safe, min(finding.safe for finding in one.findings)))
        self._ledger.apart = max(self._ledger.apart, *(difference(*pair) for pair in pairs))

    def _verdict(
        self, one: Followed, before: Verdict, evidence: tuple[float, float, float]
    ) -> Verdict:
        """Decide as the gate's documentation says, from the process's evidence."""
        fail, safe, drop = evidence
        certain = self._terms.certain
        if before is Verdict.FAIL or (fail >= certain and drop > self._terms.margin):
            return Verdict.FAIL
        passed = self._terms.passes and safe >= certain and one.requests >= 50 and one.age >= 900
        return Verdict.PASS if passed or before is Verdict.PASS else Verdict.CONTINUE


class Checked(Twin):
    """The twin, with the production gate beside it for the first repetitions."""

    def __init__(self, ledger: Ledger, terms: Terms, repetitions: int) -> None:
        super().__init__(terms, repetitions)
        self._beside = Beside(ledger, [[terms]], min(FOLLOWED, repetitions))

    @override
    def look(self, rows: Ints, look: Look, minutes: float) -> None:
        super().look(rows, look, minutes)
        self._beside.look(self, rows, [look], minutes)
