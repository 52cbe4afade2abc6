"""What Prometheus is told. Every series that can be named beforehand starts at zero."""

from collections.abc import Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from .outcome import Outcome

_TASK_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_TOOL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)

UNKNOWN_TOOL = "unknown"
"""Stands for every name that a model made up, so that no model can grow our series."""


class ToolOutcome(StrEnum):
    """How a tool call went."""

    SUCCESS = "success"
    ERROR = "error"
    REFUSED = "refused"


class Metrics:
    """One process's counters."""

    def __init__(self, tools: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.tasks = self._counter("agent_tasks", "Tasks by how they ended", "outcome")
        self.steps = self._counter("agent_steps", "Questions put to the model")
        self.tokens = self._counter("agent_tokens", "Tokens read and written by the model", "type")
        self.tool_calls = self._counter("agent_tool_calls", "Calls of tools", "tool", "outcome")
        self.violations = self._counter(
            "agent_policy_violations", "What the policy refused, or would have", "rule"
        )
        self.task_seconds = Histogram(
            "agent_task_duration_seconds",
            "From a task's arrival to its outcome",
            buckets=_TASK_SECONDS,
            registry=self.registry,
        )
        self.tool_seconds = Histogram(
            "agent_tool_call_duration_seconds",
            "From a tool's call to its answer",
            buckets=_TOOL_SECONDS,
            registry=self.registry,
        )
        self._start_at_zero(tools)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self.registry)

    def _start_at_zero(self, tools: Iterable[str]) -> None:
        for outcome in Outcome:
            self.tasks.labels(outcome)
        for kind in ("input", "output"):
            self.tokens.labels(kind)
        for tool in (*tools, UNKNOWN_TOOL):
            for result in ToolOutcome:
                self.tool_calls.labels(tool, result)
