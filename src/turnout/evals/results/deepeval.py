"""DeepEval's test runs, as `DEEPEVAL_RESULTS_FOLDER` or `results_folder` collects them.

A task is a test case by name; cases of one name are its trials. DeepEval calls a case failed where
a metric met an error: here that is an error. Metrics marked flaky decide nothing, as in DeepEval.
"""

from __future__ import annotations

from pydantic import Field

from turnout.core.suites.counts import Trials
from turnout.evals.results.bounds import Row, Trial, document, refused, shaped, tallied


class _Metric(Row):
    error: str | None = None
    flaky: bool = False


class _Case(Row):
    name: str
    success: bool | None = None
    metrics_data: tuple[_Metric, ...] | None = Field(default=(), strict=False)

    @property
    def passed(self) -> bool | None:
        """What became of it; an error of a metric that decides leaves that open."""
        deciding = [one for one in self.metrics_data or () if not one.flaky]
        return None if any(one.error is not None for one in deciding) else self.success


class _Run(Row):
    test_cases: tuple[_Case, ...] = Field(strict=False)
    conversational_test_cases: tuple[_Case, ...] = Field(default=(), strict=False)
    test_passed: int | None = None
    test_failed: int | None = None


def read(text: str) -> dict[str, Trials]:
    """Count the trials of each task.

    Raises:
        Invalid: It is no such file, or has fewer cases than its own sums.
    """
    run = shaped(_Run, document(text))
    cases = (*run.test_cases, *run.conversational_test_cases)
    told = (run.test_passed or 0) + (run.test_failed or 0)
    if told > len(cases):
        raise refused(f"the file tells of {told} test cases and has {len(cases)}")
    return tallied([Trial(one.name, one.passed) for one in cases])
