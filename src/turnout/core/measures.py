"""What is read of a gate's metric: which two counters, and what a look may conclude from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from turnout.api.base import seconds
from turnout.api.gate import GateMetric, GateMetricType
from turnout.api.metric import Direction, MetricTemplate, MetricTemplateSpec, Ratio, Selector, Unit
from turnout.api.objectives import Objective
from turnout.core.gates import Blind
from turnout.core.looks import Readings, Says
from turnout.core.reasons import Reason

PROVEN = 2
"""Samples of a total, by which what is counted of it has been scraped, too."""


_READS: Final = {
    GateMetricType.SUCCESS_RATE: "a Ratio",
    GateMetricType.CUSTOM: "a Ratio",
    GateMetricType.LATENCY: "a Histogram, or a Ratio of requests that were fast enough",
    GateMetricType.COST_PER_SUCCESS: "a SumCount",
}


@dataclass(frozen=True)
class Counter:
    """Series of one name.

    Attributes:
        metric: The name as Prometheus has it.
        match_labels: Labels that they have, by equality.
        upper_bound: Value of ``le`` where they are one bucket of a histogram.
        matches: Patterns of our own that labels match as a whole, in the syntax that RE2 and
            Python share. For samples nobody is asked by them, so others must include them.
    """

    metric: str
    match_labels: Mapping[str, str] = field(default_factory=dict)
    upper_bound: float | None = None
    matches: Mapping[str, str] = field(default_factory=dict)

    def includes(self, other: Counter) -> bool:
        """Claim that whoever asks for these is told of the others, too."""
        every = self.match_labels.items() <= other.match_labels.items()
        return every and (self.metric, self.upper_bound) == (other.metric, other.upper_bound)

    def has(self, labels: Mapping[str, str]) -> bool:
        """Claim that a series is one of these: a label that it lacks is as good as empty."""
        same = all(labels.get(name, "") == value for name, value in self.match_labels.items())
        alike = all(re.fullmatch(one, labels.get(name, "")) for name, one in self.matches.items())
        return same and alike


@dataclass(frozen=True)
class Measure:
    """Two counters that are read together.

    Attributes:
        first: Good ones, bad ones or an amount, as ``says`` says.
        total: All of them.
        version_label: Label that names the version, where series have no pod label.
        more: Counters of further amounts that are added to the first.
    """

    first: Counter
    total: Counter
    says: Says = Says.GOOD
    version_label: str | None = None
    more: tuple[Counter, ...] = ()


@dataclass(frozen=True)
class Option:
    """One of the series that a profile knows.

    Attributes:
        name: What it is called in a rollout's status.
        measure: What is read.
        note: What it does not tell; empty where it tells what the metric is about.
        unit: What one count of it stands for.
    """

    name: str
    measure: Measure
    note: str = ""
    unit: Unit = Unit.REQUEST

    @property
    def said(self) -> str:
        """What is read, for people."""
        return "; ".join(one for one in (self.measure.total.metric, self.note) if one)


@dataclass(frozen=True)
class Sight:
    """What a gate's look found of a template's series.

    Attributes:
        reason: Matched, NoSeries or VersionLabelMissing.
        message: The same in a sentence, with the mend.
        generation: Generation of the template that was looked at with.
        series: Number of series of all that is counted.
    """

    reason: Reason
    message: str
    generation: int = 0
    series: int = 0

    @property
    def is_found(self) -> bool:
        """Claim that there are series to judge by."""
        return self.reason is Reason.MATCHED


def measure_of(metric: GateMetric, template: MetricTemplate) -> Measure | str:
    """Tell what is read for a metric; where its template does not fit, why, with the mend."""
    spec, is_cost = template.spec, metric.type is GateMetricType.COST_PER_SUCCESS
    if spec.sum_count is not None and is_cost:
        amount, count = _counter(spec.sum_count.sum), _counter(spec.sum_count.count)
        return Measure(amount, count, Says.AMOUNT, spec.version_label)
    share = None if is_cost else share_of(spec, metric.slower_than)
    return share or (
        f"MetricTemplate {template.metadata.name} is of type {spec.type.value}, and a metric of "
        f"type {metric.type.value} reads {_READS[metric.type]}: name another template"
    )


def share_of(spec: MetricTemplateSpec, slower_than: str | None) -> Measure | None:
    """Tell what is read for a share: two counters, or of a histogram one bucket and the count."""
    if spec.ratio is not None:
        return _share(spec.ratio, spec)
    if spec.histogram is None or slower_than is None:
        return None
    base, labels = spec.histogram.metric, spec.histogram.match_labels
    bucket = Counter(f"{base}_bucket", labels, seconds(slower_than))
    return Measure(bucket, Counter(f"{base}_count", labels), Says.GOOD, spec.version_label)


def promised_share(objective: Objective, spec: MetricTemplateSpec) -> Measure | None:
    """Tell what an objective reads of a template; None where the two do not fit."""
    fits = spec.ratio is None or objective.slower_than is None
    return share_of(spec, objective.slower_than) if fits else None


def _share(ratio: Ratio, spec: MetricTemplateSpec) -> Measure:
    says = Says.BAD if spec.direction is Direction.LOWER_IS_BETTER else Says.GOOD
    return Measure(_counter(ratio.good), _counter(ratio.total), says, spec.version_label)


def _counter(selector: Selector) -> Counter:
    return Counter(selector.metric, selector.match_labels)


def sight_of(measure: Measure, readings: Readings, *, unnamed: bool) -> Sight:
    """Tell what a look found.

    Args:
        measure: What was looked for.
        readings: What there is of the versions that are compared.
        unnamed: There are such series that do not tell whose they are.
    """
    metric = measure.total.metric
    if not readings.total:
        return _missing(measure) if unnamed else _absent(metric)
    doubt = _doubt(measure, readings)
    if doubt is not None:
        return Sight(Reason.NO_SERIES, doubt)
    message = f"series of {metric}, by {measure.version_label or 'pod'}"
    return Sight(Reason.MATCHED, message, series=len(readings.total))


def trusted(metric: str, readings: Readings, sight: Sight) -> Readings | Blind:
    """Refuse what nothing may be concluded from; what is not there yet is waited for a while."""
    if sight.is_found or (not readings.total and sight.reason is Reason.NO_SERIES):
        return readings
    missing = sight.reason is Reason.VERSION_LABEL_MISSING
    return Blind(sight.reason if missing else Reason.METRIC_NOT_FOUND, f"{metric}: {sight.message}")


def _absent(metric: str) -> Sight:
    message = (
        f"there is no series of {metric} of the agent's pods: see that they are scraped, and that "
        "the names and labels are those that Prometheus has"
    )
    return Sight(Reason.NO_SERIES, message)


def _missing(measure: Measure) -> Sight:
    metric, label = measure.total.metric, measure.version_label
    if label is None:
        message = (
            f"series of {metric} have no pod label, so nobody can tell which version they count: "
            "set versionLabel to the label that has the name of the version's Service, or have "
            "the pod label added where they are scraped"
        )
    else:
        message = (
            f"series of {metric} have no label {label}, so nobody can tell which version they "
            "count: add it where they are scraped, with the name of the version's Service"
        )
    return Sight(Reason.VERSION_LABEL_MISSING, message)


def _doubt(measure: Measure, readings: Readings) -> str | None:
    """Say what is counted of all that nobody counts: there is no zero where there is no series."""
    first, counted = measure.first, {one.pod for one in readings.good}
    silent = any(one.pod not in counted and len(one.samples) >= PROVEN for one in readings.total)
    if not silent:
        return None
    if first.upper_bound is not None:
        return (
            f"{first.metric} has no bucket that ends at {first.upper_bound:g}s: "
            "set slowerThan to a bound that it has"
        )
    if measure.says is not Says.GOOD and not measure.total.includes(first):
        return (
            f"there is no series of {first.metric} where {measure.total.metric} is counted, which "
            "is not the same as a zero: have it exported from 0 on"
        )
    return None
