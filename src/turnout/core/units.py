"""What one count of a metric stands for, and whether that is what a gate wants counted.

Ten calls of a model in one task are not independent of each other, nor ten tasks of one session:
whoever counts them as if they were is sure too soon.
"""

from __future__ import annotations

from collections.abc import Mapping

from turnout.api.gate import Gate, GateMetric, GateMetricType
from turnout.api.metric import MetricTemplate, Unit
from turnout.core.profiles import option_named, options_of
from turnout.core.world import Unread

Templates = Mapping[str, MetricTemplate | Unread]


def unit_of(metric: GateMetric, matched: str | None, templates: Templates) -> Unit | None:
    """Tell what one count stands for; None where nobody says so.

    Args:
        metric: The metric.
        matched: Which of a profile's series are read.
        templates: MetricTemplates by name.
    """
    if metric.template_ref is not None:
        template = templates.get(metric.template_ref.name)
        return template.spec.unit if isinstance(template, MetricTemplate) else None
    option = option_named(metric, matched)
    return None if option is None else option.unit


def miscounted(gate: Gate, metric: GateMetric, templates: Templates) -> str | None:
    """Say why a metric does not count what the gate wants counted, with the mend; None if it does.

    Only a success rate is asked: a latency is of requests, and a custom metric of what it is about.
    """
    if gate.count_by is None or metric.type is not GateMetricType.SUCCESS_RATE:
        return None
    wanted = gate.count_by.value
    if metric.template_ref is None:
        if options_of(metric, gate.count_by):
            return None
        known = ", ".join(sorted({one.unit.value for one in options_of(metric)}))
        return (
            f"countBy is {wanted}, and profile {metric.profile} has series by {known}: name a "
            f"MetricTemplate of your own counter with unit: {wanted}"
        )
    unit = unit_of(metric, None, templates)
    if unit is gate.count_by:
        return None
    said = "does not say what it counts" if unit is None else f"counts by {unit.value}"
    return (
        f"countBy is {wanted}, and MetricTemplate {metric.template_ref.name} {said}: name a "
        f"counter that grows once a {wanted.lower()}, with unit: {wanted}"
    )
