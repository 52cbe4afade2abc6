"""Which series a gate reads: structured selectors, never a query's text."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import SHORT_NAME, Conditions, Int32, Resource, Status, Timestamp, Wire
from turnout.api.schema import Cel, keyed_by
from turnout.api.use import User

MetricName = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
]
LabelValue = Annotated[str, Field(max_length=256)]
LabelName = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$"),
]


class Unit(StrEnum):
    """What one count of a series stands for. May grow."""

    TASK = "Task"
    SESSION = "Session"
    REQUEST = "Request"
    CALL = "Call"


class MetricTemplateType(StrEnum):
    """What kind of series a template names. May grow."""

    RATIO = "Ratio"
    HISTOGRAM = "Histogram"
    SUM_COUNT = "SumCount"


class Direction(StrEnum):
    """Which way is better. May grow."""

    HIGHER_IS_BETTER = "HigherIsBetter"
    LOWER_IS_BETTER = "LowerIsBetter"


class Selector(Wire):
    """Names series by metric and labels. The operator adds the pods of the version itself."""

    metric: MetricName
    """Name of the metric as Prometheus has it; of a histogram without _bucket.
    Example: support_tasks_total."""
    match_labels: Annotated[
        dict[str, LabelValue],
        Field(max_length=16),
        Cel(
            "self.all(k, size(k) <= 64 && k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && "
            "!k.startsWith('__') && k != 'le')",
            "keys must be Prometheus label names of at most 64 characters, neither le nor __*",
        ),
    ] = Field(default_factory=dict)
    """Labels that the series must have, by equality; values are taken literally.
    Example: {outcome: resolved}."""


class Ratio(Wire):
    """A share: good among all."""

    good: Selector
    """Counter of what went well; with direction LowerIsBetter of what went wrong.
    Example: {metric: tasks_total, matchLabels: {outcome: ok}}."""
    total: Selector
    """Counter of everything, good and bad. Example: {metric: tasks_total}."""


class SumCount(Wire):
    """An amount for each one that is counted."""

    sum: Selector
    """Counter of the amount, such as money spent. Example: {metric: agent_cost_usd_total}."""
    count: Selector
    """Counter of what it was spent for.
    Example: {metric: agent_tasks_total, matchLabels: {outcome: success}}."""


class MetricTemplateSpec(Wire):
    """The series behind a metric."""

    cel = (
        Cel(
            "has(self.ratio) == (self.type == 'Ratio') && "
            "has(self.histogram) == (self.type == 'Histogram') && "
            "has(self.sumCount) == (self.type == 'SumCount')",
            "give the block that type names, and only that one",
        ),
        Cel(
            "!has(self.direction) || self.type == 'Ratio' || self.direction == 'LowerIsBetter'",
            "of durations and of costs lower is better",
        ),
    )

    type: MetricTemplateType
    """Ratio reads a share from two counters, Histogram one classic histogram, SumCount an amount
    for each one that is counted."""
    ratio: Ratio | None = None
    """For type Ratio: the two counters."""
    histogram: Selector | None = None
    """For type Histogram: a classic histogram of seconds.
    Example: {metric: support_request_duration_seconds}."""
    sum_count: SumCount | None = None
    """For type SumCount, which a metric of type CostPerSuccess reads: what was spent, and for how
    many."""
    direction: Direction | None = None
    """Whether ratio.good counts good ones (HigherIsBetter, also where absent) or bad ones
    (LowerIsBetter), as a counter of errors does. Of a histogram or a sum lower is better in any
    case.
    Example: LowerIsBetter."""
    unit: Unit | None = None
    """What one count of the series stands for: a Task, a Session of many requests, a Request, or a
    Call of a model or tool, of which a task has many. A gate's countBy asks for it.
    Example: Session."""
    version_label: LabelName | None = None
    """For series without a pod label, as gateways have them: the label whose value is the name of
    the version, which is also the name of its Service. The series must carry the namespace of the
    agent. Where absent series are told apart by their pod. Example: turnout_dev_version."""


class SeriesMatch(Wire):
    """Series that a gate found."""

    series: Int32
    """How many; of several gates the most that one of them found. Example: 12."""
    at: Timestamp
    """When it came to be so many."""


class MetricTemplateStatus(Status):
    """What the operator saw of a template."""

    used_by: Annotated[tuple[User, ...], Field(max_length=256), keyed_by("agent")] = ()
    """Agents whose gate or objectives name it, directly or by their RolloutStrategy."""
    truncated: Int32 | None = None
    """Agents that usedBy has no room for."""
    last_match: SeriesMatch | None = None
    """Series that were found last, with the spec as it is; absent before the first."""
    conditions: Conditions = ()
    """Accepted; and SeriesFound, which a gate that reads the template learns: True Matched, False
    NoSeries or VersionLabelMissing, Unknown before the first look."""


class MetricTemplate(Resource):
    """A metric that gates name by templateRef."""

    cel = (SHORT_NAME,)

    kind: Literal["MetricTemplate"] = "MetricTemplate"
    """Kind of the object."""
    spec: MetricTemplateSpec
    """What is wanted."""
    status: MetricTemplateStatus = MetricTemplateStatus()
    """What the operator saw."""
