"""The tasks as DeepEval test cases with a metric of our own, which asks no judge."""

import sys
import urllib.error

from customer import TASKS, ask
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig, ErrorConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase


class Contains(BaseMetric):
    """Whether the answer holds what is expected."""

    threshold = 1.0
    async_mode = False

    def measure(self, test_case, *_args, **_kwargs):
        if test_case.actual_output == "no answer":
            raise RuntimeError("the agent does not answer")
        self.score = float(test_case.expected_output in test_case.actual_output)
        self.success = self.score >= self.threshold
        return self.score

    async def a_measure(self, test_case, *_args, **_kwargs):
        return self.measure(test_case)

    def is_successful(self):
        return bool(self.success)

    @property
    def __name__(self):
        return "Contains"


def answered(text):
    try:
        return ask(text)
    except urllib.error.URLError:
        return "no answer"


evaluate(
    [
        LLMTestCase(
            name=task["id"],
            input=task["input"],
            actual_output=answered(task["input"]),
            expected_output=task["expects"],
        )
        for _ in range(3)
        for task in TASKS
    ],
    [Contains()],
    async_config=AsyncConfig(run_async=False),
    cache_config=CacheConfig(use_cache=False, write_cache=False),
    display_config=DisplayConfig(results_folder=sys.argv[1], show_indicator=False),
    error_config=ErrorConfig(ignore_errors=True),
)
