"""Series that others are known to export, in the order in which they are looked for."""

import re
from itertools import product

import pytest

from turnout.api.gate import GateMetric, GateMetricType
from turnout.api.profile import About, Profile
from turnout.core.conduct import conduct_of
from turnout.core.looks import Readings, Says, Series
from turnout.core.measures import Counter, Option
from turnout.core.profiles import chosen, option_named, options_of

TYPES = (GateMetricType.SUCCESS_RATE, GateMetricType.LATENCY)
RUNS = "gen_ai_invoke_agent_duration_seconds_count"
METRIC_NAME = re.compile(r"[a-z_]+")


def asked(profile: Profile | None, kind: GateMetricType, bound: str = "2500ms") -> GateMetric:
    fields = {"name": "m", "type": kind, "profile": profile, "onRegression": "Hold"}
    slower = {"slowerThan": bound} if kind is GateMetricType.LATENCY else {}
    return GateMetric.model_validate(fields | slower)


def names(metric: GateMetric) -> list[str]:
    return [one.name for one in options_of(metric)]


@pytest.mark.parametrize(("profile", "kind"), list(product(Profile, TYPES)))
def test_every_profile_has_series_for_success_and_latency(
    profile: Profile, kind: GateMetricType
) -> None:
    options = options_of(asked(profile, kind))
    assert options
    assert len({one.name for one in options}) == len(options)
    for one in options:
        assert METRIC_NAME.fullmatch(one.measure.total.metric)
        assert one.measure.first.matches == {} or one.measure.total.includes(one.measure.first)


def test_an_outcome_counter_comes_first_and_what_stands_in_for_it_says_so() -> None:
    metric = asked(Profile.OPEN_TELEMETRY_GEN_AI, GateMetricType.SUCCESS_RATE)
    assert names(metric) == ["Outcome", "InvokeAgent", "Inference", "Operation"]
    said = [one.said for one in options_of(metric)]
    assert said[:2] == [
        "agent_tasks_total",
        f"{RUNS}; no outcome counter: counts requests without error",
    ]
    assert all("no outcome counter" in one for one in said[1:])


@pytest.mark.parametrize(
    ("profile", "metric", "bound"),
    [
        (Profile.OPEN_TELEMETRY_GEN_AI, "gen_ai_invoke_agent_duration_seconds_bucket", 2.5),
        (Profile.AGENTGATEWAY, "agentgateway_request_duration_seconds_bucket", 2.5),
        (Profile.ENVOY, "envoy_cluster_upstream_rq_time_bucket", 2500),
        (Profile.ISTIO, "istio_request_duration_milliseconds_bucket", 2500),
        (Profile.LITE_LLM, "litellm_request_total_latency_metric_bucket", 2.5),
    ],
)
def test_a_bound_is_in_the_unit_of_its_histogram(
    profile: Profile, metric: str, bound: float
) -> None:
    first = options_of(asked(profile, GateMetricType.LATENCY))[0].measure.first
    assert (first.metric, first.upper_bound) == (metric, bound)


def test_answers_of_5xx_are_bad_and_those_without_a_status_are_not() -> None:
    (measure, _) = (
        one.measure for one in options_of(asked(Profile.ISTIO, GateMetricType.SUCCESS_RATE))
    )
    assert measure.says is Says.BAD
    local = {"reporter": "destination"}
    codes = ["200", "500", "504", "0", "25"]
    assert [measure.first.has({**local, "response_code": code}) for code in codes] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert not measure.first.has(local)


def test_what_names_no_profile_or_has_no_series_has_no_options() -> None:
    assert options_of(asked(None, GateMetricType.SUCCESS_RATE)) == ()
    assert options_of(asked(Profile.ISTIO, GateMetricType.CUSTOM)) == ()
    metric = asked(Profile.ISTIO, GateMetricType.LATENCY)
    assert option_named(metric, None) is None
    assert option_named(metric, "Older") is None
    found = option_named(metric, "ByPod")
    assert found is not None
    assert found.measure.version_label is None


def found_of(*pods: tuple[str, ...]) -> list[tuple[Option, Readings]]:
    options = options_of(asked(Profile.OPEN_TELEMETRY_GEN_AI, GateMetricType.SUCCESS_RATE))
    readings = (Readings((), tuple(Series(pod, ((0.0, 1.0),)) for pod in one)) for one in pods)
    return list(zip(options, readings, strict=False))


@pytest.mark.parametrize(
    ("pods", "name"),
    [
        ([("old", "new"), ("old",), (), ()], "Outcome"),
        ([(), ("old", "new"), ("old",), ()], "InvokeAgent"),
        ([("new",), (), ("old", "new"), ()], "Inference"),
        ([("old",), ("old", "new"), (), ()], "Outcome"),
        ([(), (), (), ("new",)], "Operation"),
        ([(), (), (), ()], None),
    ],
)
def test_the_first_that_stable_has_is_read(pods: list[tuple[str, ...]], name: str | None) -> None:
    choice = chosen(found_of(*pods), {"old"})
    assert (choice[0].name if choice else None) == name


CALLS = "gen_ai_client_operation_duration_seconds_count"
PROXIED = "litellm_proxy_total_requests_metric_total"
EXPORTED: dict[Profile, list[tuple[str, dict[str, str], float]]] = {
    Profile.OPEN_TELEMETRY_GEN_AI: [
        (CALLS, {"error_type": "", "gen_ai_response_model": "m-1"}, 6.0),
        (CALLS, {"error_type": "openai.BadRequestError", "gen_ai_response_model": ""}, 2.0),
        (CALLS.replace("count", "sum"), {"error_type": "", "gen_ai_response_model": "m-1"}, 0.6),
    ],
    Profile.LITE_LLM: [
        (PROXIED, {"requested_model": "m", "status_code": "200", "team": "None"}, 6.0),
        (PROXIED, {"requested_model": "m", "status_code": "500", "team": "None"}, 2.0),
    ],
}
"""What real exporters had to tell of eight requests, two of which failed (docs/metrics.md)."""


@pytest.mark.parametrize(
    ("profile", "option", "says", "counted"),
    [
        (Profile.OPEN_TELEMETRY_GEN_AI, "Operation", Says.GOOD, 6.0),
        (Profile.LITE_LLM, "ByPod", Says.BAD, 2.0),
    ],
)
def test_what_real_exporters_told_is_counted(
    profile: Profile, option: str, says: Says, counted: float
) -> None:
    found = option_named(asked(profile, GateMetricType.SUCCESS_RATE), option)
    assert found is not None
    assert found.measure.says is says

    def count(counter: Counter) -> float:
        rows = EXPORTED[profile]
        return sum(n for name, labels, n in rows if name == counter.metric and counter.has(labels))

    assert [count(one) for one in (found.measure.first, found.measure.total)] == [counted, 8.0]


@pytest.mark.parametrize("about", list(About))
def test_where_a_metric_is_about_something_else_that_is_read(about: About) -> None:
    metric = asked(Profile.OPEN_TELEMETRY_GEN_AI, GateMetricType.CUSTOM)
    assert options_of(metric) == ()
    assert options_of(metric.model_copy(update={"about": about})) == conduct_of(about)
