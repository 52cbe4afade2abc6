"""How an agent goes about its tasks, by the series of the conventions and by its own."""

from collections.abc import Mapping

import pytest

from turnout.api.profile import About
from turnout.core.conduct import conduct_of
from turnout.core.looks import Readings, Says, Series
from turnout.core.measures import Option
from turnout.core.profiles import chosen

SHARES = (About.TOOL_CALLS, About.POLICY_HITS, About.LIMITS, About.TIMEOUTS)
AMOUNTS = (About.TOKENS, About.STEPS, About.RETRIES)


def option(about: About, name: str) -> Option:
    (found,) = (one for one in conduct_of(about) if one.name == name)
    return found


@pytest.mark.parametrize("about", list(About))
def test_all_that_a_metric_can_be_about_has_series_of_different_names(about: About) -> None:
    options = conduct_of(about)
    assert options
    assert len({one.name for one in options}) == len(options)


@pytest.mark.parametrize("about", SHARES)
def test_a_share_is_told_by_one_counter_alone(about: About) -> None:
    assert all(one.measure.total.includes(one.measure.first) for one in conduct_of(about))


@pytest.mark.parametrize("about", AMOUNTS)
def test_what_is_spent_is_counted_for_successes_before_runs_without_error(about: About) -> None:
    options = conduct_of(about)
    assert {one.measure.says for one in options} == {Says.AMOUNT}
    half = len(options) // 2
    assert {one.measure.total.metric for one in options[:half]} == {"agent_tasks_total"}
    assert all(one.name.endswith("PerRun") and one.note for one in options[half:])


@pytest.mark.parametrize(
    ("about", "name", "labels", "is_counted"),
    [
        (About.TOOL_CALLS, "Own", {"outcome": "error", "tool": "refunds"}, True),
        (About.TOOL_CALLS, "Own", {"outcome": "refused"}, False),
        (About.TOOL_CALLS, "ExecuteTool", {"error_type": "tool_error"}, False),
        (About.TOOL_CALLS, "ExecuteTool", {"gen_ai_tool_name": "refunds"}, True),
        (About.TOOL_CALLS, "McpClient", {"mcp_method_name": "tools/list"}, False),
        (About.TOOL_CALLS, "McpClient", {"mcp_method_name": "tools/call"}, True),
        (About.POLICY_HITS, "Own", {"outcome": "refused"}, True),
        (About.LIMITS, "Own", {"outcome": "limited"}, True),
        (About.TIMEOUTS, "Operation", {"error_type": "timeout"}, True),
        (About.TIMEOUTS, "Operation", {"error_type": "openai.APITimeoutError"}, True),
        (About.TIMEOUTS, "Operation", {"error_type": "RateLimitError"}, False),
        (About.TIMEOUTS, "Inference", {}, False),
    ],
)
def test_which_series_are_counted(
    about: About, name: str, labels: Mapping[str, str], *, is_counted: bool
) -> None:
    assert option(about, name).measure.first.has(labels) is is_counted


def test_tokens_of_the_newest_conventions_are_those_read_and_those_written() -> None:
    measure = option(About.TOKENS, "InferenceUsage").measure
    assert [one.metric for one in (measure.first, *measure.more)] == [
        "gen_ai_client_inference_usage_input_tokens_total",
        "gen_ai_client_inference_usage_output_tokens_total",
    ]


def test_what_is_spent_is_chosen_where_both_parts_of_it_are_there() -> None:
    one = (Series("stable-1", ((0.0, 1.0),)),)
    own, usage = option(About.TOKENS, "Own"), option(About.TOKENS, "TokenUsage")
    counted = Readings((), one, Says.AMOUNT)
    whole = Readings(one, one, Says.AMOUNT)
    assert chosen([(own, counted), (usage, whole)], {"stable-1"}) == (usage, whole)
    assert chosen([(own, counted)], {"stable-1"}) is None
