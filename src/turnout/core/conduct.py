"""How an agent goes about its tasks: its calls of tools and models, tokens, limits.

Series are those of the OpenTelemetry GenAI conventions in their generations, and before them the
agent's own counters, where it keeps some under the names of docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from turnout.api.metric import Unit
from turnout.api.profile import About
from turnout.core.looks import Says
from turnout.core.measures import Counter, Measure, Option

TASKS: Final = "agent_tasks_total"
"""The agent's own counter of tasks by how they ended, in label ``outcome``."""

_CALLS: Final = Counter("agent_tool_calls_total")
_EXECUTED: Final = "gen_ai_execute_tool_duration_seconds_count"
_BY_MCP: Final = Counter(
    "mcp_client_operation_duration_seconds_count", {"mcp_method_name": "tools/call"}
)
_NO_ERROR: Final = {"error_type": ""}
_NO_OUTCOME: Final = "no outcome counter: for each run without error"

_SUCCESSES: Final = (
    ("", Counter(TASKS, {"outcome": "success"}), ""),
    ("PerRun", Counter("gen_ai_invoke_agent_duration_seconds_count", _NO_ERROR), _NO_OUTCOME),
)
"""What something may have been spent for: successes, else runs."""

_INPUT: Final = "gen_ai_client_inference_usage_input_tokens_total"
_OUTPUT: Final = "gen_ai_client_inference_usage_output_tokens_total"
_AMOUNTS: Final[Mapping[About, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    About.TOKENS: (
        ("Own", ("agent_tokens_total",)),
        ("InferenceUsage", (_INPUT, _OUTPUT)),
        ("TokenUsage", ("gen_ai_client_token_usage_sum",)),
    ),
    About.STEPS: (
        ("Own", ("agent_steps_total",)),
        ("InferenceCalls", ("gen_ai_invoke_agent_inference_calls_sum",)),
        ("Inference", ("gen_ai_client_inference_duration_seconds_count",)),
        ("Operation", ("gen_ai_client_operation_duration_seconds_count",)),
    ),
    About.RETRIES: (("Own", ("agent_retries_total",)),),
}
"""Counters whose growth is what was spent, by the name of the option."""


def _without(name: str, total: Counter, labels: Mapping[str, str], unit: Unit) -> Option:
    """Count as bad what has these labels besides."""
    bad = Counter(total.metric, {**total.match_labels, **labels})
    return Option(name, Measure(bad, total, Says.BAD), unit=unit)


def _errorless(name: str, total: Counter) -> Option:
    good = Counter(total.metric, {**total.match_labels, **_NO_ERROR})
    return Option(name, Measure(good, total), unit=Unit.CALL)


def _in_time(name: str, metric: str) -> Option:
    """Count as bad what has an error that is called a timeout, as conventions and clients do."""
    bad = Counter(metric, matches={"error_type": "(?i).*timeout.*"})
    return Option(name, Measure(bad, Counter(metric), Says.BAD), unit=Unit.CALL)


_SHARES: Final[Mapping[About, tuple[Option, ...]]] = {
    About.TOOL_CALLS: (
        _without("Own", _CALLS, {"outcome": "error"}, Unit.CALL),
        _errorless("ExecuteTool", Counter(_EXECUTED)),
        _errorless("McpClient", _BY_MCP),
    ),
    About.POLICY_HITS: (_without("Own", _CALLS, {"outcome": "refused"}, Unit.CALL),),
    About.LIMITS: (_without("Own", Counter(TASKS), {"outcome": "limited"}, Unit.TASK),),
    About.TIMEOUTS: (
        _in_time("Inference", "gen_ai_client_inference_duration_seconds_count"),
        _in_time("Operation", "gen_ai_client_operation_duration_seconds_count"),
    ),
}


def conduct_of(about: About) -> tuple[Option, ...]:
    """Tell in order what may be read."""
    return _SHARES[about] if about in _SHARES else tuple(_spent(about))


def _spent(about: About) -> Iterator[Option]:
    """Give what may have been spent, for successes before runs."""
    for (suffix, counted, note), (name, amounts) in product(_SUCCESSES, _AMOUNTS[about]):
        first, *more = (Counter(one) for one in amounts)
        measure = Measure(first, counted, Says.AMOUNT, more=tuple(more))
        yield Option(f"{name}{suffix}", measure, note, Unit.TASK)
