"""How a stable version does beside how it was recorded to do."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import Count, Message, Name, Text, Timestamp, Wire, Word
from turnout.api.schema import ATOMIC, keyed_by


class DriftState(StrEnum):
    """Whether stable does as it was recorded to do. May grow; an unknown word counts as Unknown."""

    STEADY = "Steady"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


class Attribution(StrEnum):
    """What is likely to be the cause. May grow."""

    PROVIDER = "Provider"
    TOOL = "Tool"
    OWN = "Own"
    UNKNOWN = "Unknown"


class Baseline(Wire):
    """How a version does by one metric: what it is held to once it is stable."""

    name: Name
    """Name of the metric in the gate."""
    reads: Text
    """The series that this was read from; of others it says nothing."""
    good: Count
    """Good requests; of a CostPerSuccess what was spent."""
    total: Count
    """All requests; of a CostPerSuccess successes."""
    recorded_at: Timestamp
    """When it was recorded."""


class DriftMetric(Wire):
    """How stable does by one metric."""

    name: Name
    """Name of the metric in the gate."""
    state: DriftState
    """Whether it does as recorded."""
    reason: Word
    """Why, in one CamelCase word: AsRecorded, Degraded, Learning, TooFewRequests."""
    recorded: Text | None = None
    """What it is held to as text: 96.1%, or $0.024 for a success."""
    measured: Text | None = None
    """What it measured when it was found to do worse: 85.0%; absent while it does as recorded."""


class ToolTrouble(Wire):
    """A tool that fails more often than before."""

    name: Text
    """Name of the tool, as the agent's metrics have it. Example: refunds.create."""
    recorded: Text
    """Share of its calls that failed in the day before: 0.8%."""
    measured: Text
    """Share that failed when it was found to fail more often: 31.0%."""


class ModelChange(Wire):
    """Another model answers than before, though nobody asked for it."""

    before: Text
    """What answered most calls in the day before, with its fingerprint where there is one.
    Example: gpt-x-2026-08-06."""
    now: Text
    """What answers most calls now. Example: gpt-x-2026-11-20."""
    since: Timestamp | None = None
    """When it was seen first, to a minute; absent where that is not known."""


class DriftStatus(Wire):
    """How stable does since it was promoted, where the strategy has a watch."""

    state: DriftState
    """Degraded where a metric is worse than recorded or an objective's budget is used up too fast;
    Unknown where something is not known and nothing is worse."""
    version: Name
    """The stable version that this speaks of."""
    since: Timestamp
    """Since when the state is so."""
    attribution: Attribution | None = None
    """What is likely to be the cause: Provider where others that ask the same provider do worse,
    too, or another model answers; Tool where a tool fails more often or changed; Own where others
    do as before; Unknown where there are none. Absent where nothing is worse."""
    tools: Annotated[tuple[ToolTrouble, ...], Field(max_length=3), ATOMIC] = ()
    """Tools that fail more often than in the day before, the worst first."""
    model_change: ModelChange | None = None
    """That another model answers than in the day before."""
    metrics: Annotated[tuple[DriftMetric, ...], Field(max_length=20), keyed_by("name")] = ()
    """Each metric of the gate that may take a version back or hold it."""
    objectives: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    """Objectives whose error budget is used up too fast."""
    message: Message = ""
    """The same in a sentence."""
