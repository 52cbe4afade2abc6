"""Growth that the chart's recording rules keep: a month of it in a few sums.

Rules record for each counter by how much it grew in each step, agent by agent, and beside it that
they did: a mark with the labels that were kept and the length of a step. What they keep is read
where its marks reach back over all of a window; else the counters themselves are asked.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from turnout.adapters.metrics import IncreaseQuery
from turnout.adapters.promql import AGENT, check_names, literal, one_of, selector, whole_seconds
from turnout.errors import MetricsUnavailable
from turnout.settings import MetricsProvider

STEPS: Final = 20
"""Steps that a window needs at least: at its edges up to one of them is counted wrongly."""

COVERED: Final = 0.98
"""Part of the steps that must have been recorded: a restart of Prometheus loses one or two."""

_BY: Final = "turnout_by"
_EVERY: Final = "turnout_every"
_LABELS: Final = "turnout_labels"
_OWN: Final = 'instance="",job=""'
"""What was recorded and not scraped: whoever can have a pod scraped cannot forge it."""

_STEP: Final = re.compile(r"([1-9][0-9]{0,6})([ms])")
_UNITS: Final = {"m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Mark:
    """How far rules have recorded one counter.

    Attributes:
        labels: Labels that they kept.
        step: Time between two evaluations.
        steps: Evaluations in the window.
    """

    labels: frozenset[str]
    step: timedelta
    steps: float

    def serves(self, query: IncreaseQuery) -> bool:
        """Claim that a question may be answered from what was recorded."""
        needed = {*query.match_labels, *(("le",) if query.upper_bound is not None else ())}
        expected = query.window / self.step
        return needed <= self.labels and expected >= STEPS and self.steps >= COVERED * expected


def may_be_recorded(query: IncreaseQuery) -> bool:
    """Claim that it is worth asking for marks: an empty label matches what lacks it, too."""
    return all(query.match_labels.values())


def marks_of(query: IncreaseQuery, provider: MetricsProvider) -> str:
    """Write the question how far a counter was recorded."""
    check_names(query.metric)
    by = query.version_label or provider.pod_label
    where = f"turnout_metric={literal(query.metric)},{_BY}={literal(by)},{_OWN}"
    counted = f"count_over_time(turnout:recorded{{{where}}}[{whole_seconds(query.window)}s])"
    return f"max by ({_LABELS},{_EVERY}) ({counted})"


def read_mark(found: Any) -> Mark | None:
    """Read a mark; what is none, as of other rules, says nothing.

    Raises:
        MetricsUnavailable: The answer is not made of numbers.
    """
    try:
        labels, (_, steps) = found["metric"], found["value"]
        every = _STEP.fullmatch(labels.get(_EVERY, ""))
        kept = frozenset(labels.get(_LABELS, "").split(","))
        if every is None:
            return None
        return Mark(kept, timedelta(seconds=int(every[1]) * _UNITS[every[2]]), float(steps))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MetricsUnavailable("Malformed", "a mark is not made of numbers") from error


def recorded_increase(query: IncreaseQuery, provider: MetricsProvider) -> str:
    """Write the question for growth that was recorded, summed up for each agent."""
    by = query.version_label or provider.pod_label
    where = [
        one_of(provider.namespace_label, query.namespaces),
        f'{AGENT}!=""',
        f"{_BY}={literal(by)}",
        _OWN,
    ]
    check_names(query.metric)
    name = f"turnout:{query.metric}:increase"
    kept = selector(name, where, query.match_labels, query.upper_bound)
    grown = f"sum_over_time({kept}[{whole_seconds(query.window)}s])"
    return f"sum by ({provider.namespace_label},{AGENT}) ({grown})"
