"""What one row of an answer of Prometheus says; raises where it may not be believed."""

import math
from collections.abc import Mapping
from typing import Any

from turnout.adapters.metrics import Part, PartsQuery, SampleQuery, Series
from turnout.adapters.promql import AGENT, VERSION
from turnout.errors import MetricsUnavailable
from turnout.settings import MetricsProvider


def series_of(found: Any, query: SampleQuery, provider: MetricsProvider) -> Series:
    """Read the samples of one series."""
    try:
        labels = {str(name): str(value) for name, value in found["metric"].items()}
        pairs = [(float(at), float(value)) for at, value in found["values"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MetricsUnavailable("Malformed", "a series is not made of samples") from error
    oldest = (query.end - query.lookback).timestamp()
    asked = [(at, value) for at, value in pairs if at > oldest]
    usable = tuple((at, value) for at, value in asked if math.isfinite(value) and value >= 0)
    problem = _disbelief(labels, query, provider)
    if problem is not None and query.pods is not None:
        raise MetricsUnavailable("Malformed", problem)
    return Series(
        namespace=labels.get(provider.namespace_label, ""),
        pod=labels.get(query.version_label or provider.pod_label, ""),
        labels={name: value for name, value in labels.items() if name != "__name__"},
        samples=usable,
        dropped=len(asked) - len(usable),
        problem=problem,
    )


def increase_of(found: Any, provider: MetricsProvider) -> tuple[tuple[str, str], float]:
    """Read one agent's growth."""
    labels, grown = _number(found, (provider.namespace_label, AGENT))
    return (labels[provider.namespace_label], labels[AGENT]), grown


def part_of(found: Any, query: PartsQuery, provider: MetricsProvider) -> tuple[Part, float]:
    """Read one part of a version's counter."""
    labels, value = _number(found, (provider.namespace_label, VERSION))
    values = tuple(labels.get(name, "") for name in query.by)
    return Part(labels[provider.namespace_label], labels[VERSION], values), value


def _number(found: Any, needed: tuple[str, ...]) -> tuple[dict[str, str], float]:
    """Read labels and value, of which none and less than none are no numbers."""
    try:
        labels = {str(name): str(value) for name, value in found["metric"].items()}
        _, value = found["value"]
        number = float(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MetricsUnavailable("Malformed", "an answer is not made of numbers") from error
    if not math.isfinite(number) or number < 0 or not labels.keys() >= set(needed):
        raise MetricsUnavailable("Malformed", "a counter grew by no number")
    return labels, number


def _disbelief(
    labels: Mapping[str, str], query: SampleQuery, provider: MetricsProvider
) -> str | None:
    """Say why a series is not that of the pod that was scraped; None where it is."""
    whose = query.version_label or provider.pod_label
    forged = {f"exported_{whose}", f"exported_{provider.namespace_label}"}
    pod, namespace = labels.get(whose, ""), labels.get(provider.namespace_label)
    strange = pod not in query.pods if query.pods is not None else not pod
    if strange or namespace not in query.namespaces or forged & labels.keys():
        return f"a series of {query.metric} names another pod than the one that was scraped"
    return None
