"""Ports to metrics providers: raw samples for gates, increases of whole services for objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

UNNAMED: Final = ("",)
"""In place of pods: series without the label that would name one."""


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """The raw samples of one metric of pods, in `(end - lookback, end]`.

    Attributes:
        metric: The metric's name: `agent_tasks_total`, `agent_seconds_bucket`.
        namespaces: Namespaces of the pods.
        end: Last instant of the samples.
        lookback: How far back they reach.
        pods: Names of the pods; series of others are not asked for. All pods where None; what names
            no pod where `UNNAMED`.
        match_labels: Further labels and their exact values.
        upper_bound: Value of `le` where one bucket of a histogram is wanted, however spelled.
        version_label: Label of series that name no pod but a version; then versions stand for pods,
            in the question and in the answer.
    """

    metric: str
    namespaces: tuple[str, ...]
    end: datetime
    lookback: timedelta
    pods: tuple[str, ...] | None = None
    match_labels: Mapping[str, str] = field(default_factory=dict)
    upper_bound: float | None = None
    version_label: str | None = None

    @property
    def is_unnamed(self) -> bool:
        """Claim that series are asked for that do not tell whose they are."""
        return self.pods == UNNAMED


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one time series, oldest first.

    Attributes:
        namespace: Namespace of the pod.
        pod: Pod that exposes it, or version that its label names.
        labels: All its labels but the metric's name.
        samples: When each was scraped, in unix seconds, and its value; values are finite and not
            negative.
        dropped: Samples left out because their value was none (NaN, infinite, negative).
        problem: Why nothing of this pod may be believed; None where it may.
    """

    namespace: str
    pod: str
    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]
    dropped: int = 0
    problem: str | None = None


class Metrics(Protocol):
    """The metrics providers that an administrator defined."""

    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        """Read raw samples; no series is an answer, and says nothing about the agent.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        ...


@dataclass(frozen=True, slots=True)
class IncreaseQuery:
    """By how much a counter grew in `(end - window, end]`, all pods of an agent together.

    Attributes:
        metric: The metric's name: `agent_tasks_total`, `agent_seconds_bucket`.
        namespaces: Namespaces of the agents.
        end: Last instant.
        window: How far back it reaches.
        match_labels: Further labels and their exact values.
        upper_bound: Value of `le` where one bucket of a histogram is wanted, however spelled.
        version_label: Label of series that name no pod but a version; else the provider's pod
            label tells whose they are.
        matches: Further labels, and patterns of RE2 that their whole values match.
    """

    metric: str
    namespaces: tuple[str, ...]
    end: datetime
    window: timedelta
    match_labels: Mapping[str, str] = field(default_factory=dict)
    upper_bound: float | None = None
    version_label: str | None = None
    matches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartsQuery:
    """By how much the parts of a counter grew in `(end - window, end]`, version by version.

    Attributes:
        metric: The metric's name: `gen_ai_execute_tool_duration_seconds_count`.
        namespaces: Namespaces of the agents.
        agents: Names of the agents; pods of others are not asked for.
        end: Last instant.
        window: How far back it reaches.
        by: Labels by which parts are told apart.
        most: Parts of one version that are answered: those that grew most, or began last.
        match_labels: Further labels and their exact values.
    """

    metric: str
    namespaces: tuple[str, ...]
    agents: tuple[str, ...]
    end: datetime
    window: timedelta
    by: tuple[str, ...]
    most: int
    match_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a version's counter.

    Attributes:
        namespace: Namespace of its pods.
        version: The version that their names begin with.
        values: Value of each label that was asked by, in that order; empty where it is missing.
    """

    namespace: str
    version: str
    values: tuple[str, ...]


class ServiceMetrics(Protocol):
    """What the providers know of whole services, pods that are long gone included."""

    async def increases(
        self, provider: str, query: IncreaseQuery
    ) -> Mapping[tuple[str, str], float]:
        """Read the growth by namespace and agent; who is missing has no such series.

        A pod belongs to an agent by its name, which begins with that of a version. Resets of a
        counter are seen, and growth is extrapolated to the window's edges.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        ...

    async def parts(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        """Read the growth of each part; what is missing has no such series, or grew less.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        ...

    async def beginnings(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        """Read since when each part is there, in unix seconds, to a minute at best.

        What was there when the window began is told to have begun then.

        Raises:
            MetricsUnavailable: There is no answer, or none that may be trusted.
        """
        ...
