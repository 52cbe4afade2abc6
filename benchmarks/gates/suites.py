"""One suite of evaluation tasks as the production gate follows it."""

from collections.abc import Mapping

from turnout.api.rollout_status import Verdict
from turnout.core.suites.counts import Trials
from turnout.core.suites.tally import Round
from turnout.core.suites.verdict import Suite, judge

PASSED, FAILED = Trials(passed=1), Trials(failed=1)


class Course:
    """A suite under way, a round of one trial a task at a time."""

    def __init__(self, suite: Suite, record: Mapping[str, Trials] | None) -> None:
        """Begin against a record, or with trials of the baseline run beside."""
        self._suite = suite
        self._is_recorded = record is not None
        self._tally = suite.begun(record)

    def take(self, baseline: list[float], outcomes: list[float]) -> None:
        """Take one trial of every task: 1 where it passed."""
        self._tally = self._tally.after(
            Round(
                self._trials(outcomes),
                {} if self._is_recorded else self._trials(baseline),
            )
        )

    def evidence(self) -> tuple[float, float]:
        """Give the logarithms of the evidence: worse, and safe."""
        return self._tally.worse, self._tally.safe

    def verdict(self) -> Verdict:
        """Judge the rounds so far."""
        return judge(self._suite, self._tally).ruling.verdict

    def _trials(self, outcomes: list[float]) -> dict[str, Trials]:
        scored = zip(self._suite.tasks, outcomes, strict=True)
        return {name: PASSED if one >= 1 else FAILED for name, one in scored}
