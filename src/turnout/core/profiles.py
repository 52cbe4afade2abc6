"""Series that others are known to export: what a gate reads where it names a profile.

Each profile is data: for each type of metric an ordered list of what may be there. The first that
stable has is read. Names and labels are those of the OpenTelemetry GenAI conventions in their
three generations, and of what the projects themselves export and document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from turnout.api.base import seconds
from turnout.api.gate import GateMetric, GateMetricType
from turnout.api.metric import Unit
from turnout.api.profile import Profile
from turnout.core.conduct import conduct_of
from turnout.core.looks import Readings, Says
from turnout.core.measures import Counter, Measure, Option

VERSION_LABEL: Final = "turnout_dev_version"
"""Label that names the version on series of a gateway, written when they are scraped."""

MILLISECONDS: Final = 1000.0


@dataclass(frozen=True)
class _Shares:
    """A share of requests: how the counted ones are told from all."""

    name: str
    metric: str
    counted: Mapping[str, str]
    matches: Mapping[str, str]
    says: Says
    note: str = ""
    labels: Mapping[str, str] | None = None
    version_label: str | None = None
    unit: Unit = Unit.REQUEST


@dataclass(frozen=True)
class _Durations:
    """A classic histogram, in so many units a second."""

    name: str
    metric: str
    note: str = ""
    labels: Mapping[str, str] | None = None
    version_label: str | None = None
    unit: float = 1.0


_NO_OUTCOME: Final = "no outcome counter: counts {} without error"
_NO_5XX: Final = "no outcome counter: counts requests that were not answered with 5xx"
_NO_ERROR: Final = {"error_type": ""}
_CALLS: Final = "durations of model calls, not of runs"
_LOCAL: Final = {"reporter": "destination"}


def _errorless(name: str, metric: str, what: str, unit: Unit) -> _Shares:
    note = _NO_OUTCOME.format(what)
    return _Shares(name, metric, _NO_ERROR, {}, Says.GOOD, note, unit=unit)


def _answered(
    metric: str, status: str, labels: Mapping[str, str] | None = None
) -> tuple[_Shares, ...]:
    """Count answers of 5xx, first by a label that names the version, then by the pod."""
    return tuple(
        _Shares(name, metric, {}, {status: "5.*"}, Says.BAD, _NO_5XX, labels, label)
        for name, label in (("ByVersion", VERSION_LABEL), ("ByPod", None))
    )


def _timed(
    metric: str, unit: float = 1.0, labels: Mapping[str, str] | None = None
) -> tuple[_Durations, ...]:
    return tuple(
        _Durations(name, metric, "", labels, label, unit)
        for name, label in (("ByVersion", VERSION_LABEL), ("ByPod", None))
    )


_SUCCESSES: Final[Mapping[Profile, tuple[_Shares, ...]]] = {
    Profile.OPEN_TELEMETRY_GEN_AI: (
        _Shares(
            "Outcome",
            "agent_tasks_total",
            {"outcome": "success"},
            {},
            Says.GOOD,
            unit=Unit.TASK,
        ),
        _errorless(
            "InvokeAgent", "gen_ai_invoke_agent_duration_seconds_count", "requests", Unit.TASK
        ),
        _errorless(
            "Inference",
            "gen_ai_client_inference_duration_seconds_count",
            "model calls",
            Unit.CALL,
        ),
        _errorless(
            "Operation",
            "gen_ai_client_operation_duration_seconds_count",
            "model calls",
            Unit.CALL,
        ),
    ),
    Profile.AGENTGATEWAY: _answered("agentgateway_requests_total", "status"),
    Profile.ENVOY: _answered("envoy_cluster_upstream_rq_xx", "envoy_response_code_class"),
    Profile.ISTIO: _answered("istio_requests_total", "response_code", _LOCAL),
    Profile.LITE_LLM: _answered("litellm_proxy_total_requests_metric_total", "status_code"),
}

_TIMES: Final[Mapping[Profile, tuple[_Durations, ...]]] = {
    Profile.OPEN_TELEMETRY_GEN_AI: (
        _Durations("InvokeAgent", "gen_ai_invoke_agent_duration_seconds"),
        _Durations("Inference", "gen_ai_client_inference_duration_seconds", _CALLS),
        _Durations("Operation", "gen_ai_client_operation_duration_seconds", _CALLS),
    ),
    Profile.AGENTGATEWAY: _timed("agentgateway_request_duration_seconds"),
    Profile.ENVOY: _timed("envoy_cluster_upstream_rq_time", MILLISECONDS),
    Profile.ISTIO: _timed("istio_request_duration_milliseconds", MILLISECONDS, _LOCAL),
    Profile.LITE_LLM: _timed("litellm_request_total_latency_metric"),
}


def options_of(metric: GateMetric, unit: Unit | None = None) -> tuple[Option, ...]:
    """Tell in order what may be read for a metric that names a profile.

    Args:
        metric: The metric.
        unit: What its series must count where it is a success rate; None for anything.
    """
    if metric.profile is None:
        return ()
    if metric.about is not None:
        return conduct_of(metric.about)
    if metric.type is GateMetricType.SUCCESS_RATE:
        options = (_share(one) for one in _SUCCESSES[metric.profile])
        return tuple(one for one in options if unit in {None, one.unit})
    if metric.type is GateMetricType.LATENCY:
        bound = seconds(metric.slower_than or "0s")
        return tuple(_duration(one, bound) for one in _TIMES[metric.profile])
    return ()


def _share(one: _Shares) -> Option:
    labels = one.labels or {}
    counted = Counter(one.metric, {**labels, **one.counted}, None, one.matches)
    total = Counter(one.metric, labels)
    measure = Measure(counted, total, one.says, one.version_label)
    return Option(one.name, measure, one.note, one.unit)


def _duration(one: _Durations, bound: float) -> Option:
    labels = one.labels or {}
    bucket = Counter(f"{one.metric}_bucket", labels, bound * one.unit)
    count = Counter(f"{one.metric}_count", labels)
    return Option(one.name, Measure(bucket, count, Says.GOOD, one.version_label), one.note)


def option_named(metric: GateMetric, name: str | None) -> Option | None:
    """Find what a rollout reads by its name; None where nothing is chosen yet, or known by it."""
    return next((one for one in options_of(metric) if one.name == name), None)


def chosen(
    found: Sequence[tuple[Option, Readings]], stable: Collection[str]
) -> tuple[Option, Readings] | None:
    """Choose what is read: the first that stable has, else the first that there is.

    A candidate does not choose: its first series may come only with its first task, and one that no
    longer exports what stable does is not to be judged by less.

    Args:
        found: What was found of each option, in their order.
        stable: Names of stable's version and pods.
    """
    there = [one for one in found if one[1].is_there]
    of_stable = (one for one in there if any(series.pod in stable for series in one[1].total))
    return next(of_stable, there[0] if there else None)
