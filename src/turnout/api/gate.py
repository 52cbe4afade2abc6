"""What a candidate must show before it gets more traffic."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import Duration, FineDuration, LocalRef, Margin, Name, Share, Wire
from turnout.api.metric import Unit
from turnout.api.objectives import ErrorBudget
from turnout.api.profile import About, Profile
from turnout.api.schema import Cel, keyed_by

Increase = Annotated[
    str, Field(max_length=7, pattern=r"^([1-9][0-9]{0,2}(\.[0-9]{1,2})?|0\.(0[1-9]|[1-9][0-9]?))%$")
]
"""A part by which something may grow: from 0.01% to 999.99%."""

Confidence = Annotated[str, Field(max_length=5, pattern=r"^[89][0-9](\.[0-9])?%$")]
"""From 80% to 99.9%."""


class OnInconclusive(StrEnum):
    """What happens when the time is over and the gate has no verdict. May grow."""

    HOLD = "Hold"
    PROMOTE_IF_HEALTHY = "PromoteIfHealthy"
    ROLLBACK = "Rollback"


class OnRegression(StrEnum):
    """What a metric's Fail does. May grow."""

    ROLLBACK = "Rollback"
    HOLD = "Hold"
    RECORD = "Record"


class OnSplitOff(StrEnum):
    """What happens where the arms count another share of requests than their weights. May grow."""

    HOLD = "Hold"
    RECORD = "Record"


class GateMode(StrEnum):
    """How a gate judges. May grow."""

    THRESHOLD = "Threshold"
    STATISTICAL = "Statistical"


class GateMetricType(StrEnum):
    """What a metric says about a request. May grow."""

    SUCCESS_RATE = "SuccessRate"
    LATENCY = "Latency"
    CUSTOM = "Custom"
    COST_PER_SUCCESS = "CostPerSuccess"


class Failures(Wire):
    """How many bad windows are too many."""

    cel = (Cel("self.count <= self.of", "count must not be greater than of"),)

    count: Annotated[int, Field(ge=1, le=20)] = 3
    """So many bad windows are a Fail."""
    of: Annotated[int, Field(ge=1, le=20)] = 5
    """Among so many last windows that counted."""


class GateMetric(Wire):
    """One metric that a gate looks at, and what it is held to."""

    cel = (
        Cel(
            "has(self.slowerThan) == (self.type == 'Latency')",
            "slowerThan is required for type Latency and has no place elsewhere",
        ),
        Cel(
            "has(self.templateRef) != has(self.profile)",
            "name a templateRef or a profile, and only one of them",
        ),
        Cel(
            "!has(self.profile) || has(self.about) || self.type == 'SuccessRate' || "
            "self.type == 'Latency'",
            "profiles have series for types SuccessRate and Latency; for others say what the "
            "metric is about, or name a templateRef",
        ),
        Cel(
            "!has(self.about) || (has(self.profile) && self.profile == 'OpenTelemetryGenAI')",
            "about goes with profile OpenTelemetryGenAI",
        ),
        Cel(
            "!has(self.about) || (self.type == 'Custom' && self.about in "
            "['ToolCalls', 'PolicyHits', 'Limits', 'Timeouts']) || "
            "(self.type == 'CostPerSuccess' && self.about in ['Tokens', 'Steps', 'Retries'])",
            "type Custom is about ToolCalls, PolicyHits, Limits or Timeouts, and type "
            "CostPerSuccess about Tokens, Steps or Retries",
        ),
        Cel(
            "has(self.maxIncrease) == (self.type == 'CostPerSuccess')",
            "maxIncrease is required for type CostPerSuccess and has no place elsewhere",
        ),
        Cel(
            "self.type != 'CostPerSuccess' || !(has(self.minimum) || has(self.maxRegression))",
            "a cost has neither minimum nor maxRegression: it is held to maxIncrease",
        ),
        Cel(
            "has(self.onRegression) || self.type == 'CostPerSuccess'",
            "onRegression is required: Rollback, Hold or Record",
        ),
    )

    name: Name
    """Name of the metric in messages and status. Example: task-success."""
    type: GateMetricType
    """SuccessRate and Custom count good requests among all; Latency counts requests that were not
    slower than slowerThan; CostPerSuccess, in Statistical mode, is what was spent for each
    success."""
    template_ref: LocalRef | None = None
    """MetricTemplate that says which series to read. Example: {name: support-success}."""
    profile: Profile | None = None
    """Instead of templateRef: series that others are known to export. What of them there is, in the
    profile's order, is read, and stays chosen for the rollout; its status says which. For
    SuccessRate and Latency. Example: OpenTelemetryGenAI."""
    about: About | None = None
    """With profile OpenTelemetryGenAI, another side of the agent than its success. For type Custom
    the share of ToolCalls without an error, of calls that were no PolicyHits, of tasks that no
    Limits ended (loops and stalls), of calls of models without Timeouts; for type CostPerSuccess
    the Tokens, Steps (calls of models) or Retries that one success took. Example: ToolCalls."""
    minimum: Share | None = None
    """The bar: the share of good requests must not be below it. Required in Threshold mode; in
    Statistical mode a candidate that is worse than stable and proved below it fails even inside
    maxRegression. Example: 95%."""
    max_regression: Margin | None = None
    """Statistical only: largest acceptable drop of the share of good requests against stable, in
    points. Where absent 2% if stable has 95% or more, 3% from 88%, else 5%. Example: 2%."""
    importance: Annotated[int, Field(ge=0, le=100)] | None = None
    """Statistical only: part of this metric in the evidence of all together, 1 where absent; 0
    lets it speak for a Pass alone. Example: 2."""
    slower_than: FineDuration | None = None
    """Latency only: a request that took longer is not good. It must be a bucket bound of the
    histogram. Example: 500ms."""
    max_increase: Increase | None = None
    """CostPerSuccess only: largest acceptable increase of the cost of one success against stable.
    Example: 15%."""
    on_regression: OnRegression | None = None
    """What a Fail of this metric does: Rollback takes the candidate back, Hold stops and waits for
    a person, Record only writes it down. Required, except for CostPerSuccess, whose evidence is
    approximate: Hold where absent."""

    @property
    def action(self) -> OnRegression:
        """What a Fail does."""
        return self.on_regression or OnRegression.HOLD


class Gate(Wire):
    """What a candidate must show before it gets more traffic.

    In Threshold mode a window of one interval counts where the candidate had minRequests in it; it
    is bad where the candidate was below the bar. In Statistical mode the candidate is compared with
    stable, window by window, until the evidence is enough (docs/gates.md).
    """

    cel = (
        Cel(
            "!has(self.minDuration) || duration(self.minDuration) <= duration(self.maxDuration)",
            "minDuration must not be longer than maxDuration",
        ),
        Cel(
            "duration(self.interval) >= duration('5s') && "
            "duration(self.interval) <= duration('1h')",
            "interval must be between 5s and 1h",
        ),
        Cel(
            "duration(self.maxDuration) >= duration(self.interval)",
            "maxDuration must be at least one interval",
        ),
        Cel(
            "self.metrics.exists(m, !has(m.onRegression) || m.onRegression != 'Record')",
            "at least one metric must decide: onRegression Rollback or Hold",
        ),
        Cel(
            "self.mode != 'Threshold' || self.metrics.all(m, m.type != 'CostPerSuccess')",
            "type CostPerSuccess has a place in Statistical mode only",
        ),
        Cel(
            "self.mode != 'Threshold' || self.metrics.all(m, has(m.minimum))",
            "in Threshold mode every metric needs a minimum",
        ),
        Cel(
            "self.mode != 'Threshold' || !(has(self.confidence) || "
            "self.metrics.exists(m, has(m.maxRegression) || has(m.importance)))",
            "confidence, maxRegression and importance have a place in Statistical mode only",
        ),
        Cel(
            "self.mode != 'Threshold' || !has(self.onSplitOff)",
            "onSplitOff has a place in Statistical mode only",
        ),
        Cel(
            "self.mode != 'Statistical' || !(has(self.failures) || has(self.successes))",
            "failures and successes have a place in Threshold mode only",
        ),
        Cel(
            "self.mode != 'Statistical' || self.metrics.exists(m, (!has(m.onRegression) || "
            "m.onRegression != 'Record') && (!has(m.importance) || m.importance > 0))",
            "at least one metric that decides must have an importance above 0",
        ),
    )

    mode: GateMode
    """How the gate judges: Threshold holds each window against a bar, Statistical compares the
    candidate with stable and bounds the chance of a wrong verdict."""
    confidence: Confidence | None = None
    """Statistical only: how sure each promise is, 95% where absent. A version that is no worse than
    stable fails, and one that is worse by maxRegression passes, in at most the rest of rollouts.
    Example: 99%."""
    interval: Duration = "10s"
    """Length of one window, and the time between two looks. Example: 30s."""
    failures: Failures | None = None
    """Threshold only: how many bad windows are a Fail; 3 of the last 5 where absent.
    Example: {count: 3, of: 5}."""
    successes: Annotated[int, Field(ge=1, le=20)] | None = None
    """Threshold only: so many good windows in a row, since the weight changed last, are a Pass; 3
    where absent."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Threshold: a window with fewer requests to the candidate says nothing, 20 where absent.
    Statistical: no Pass before the candidate has had so many, 50 where absent. Example: 50."""
    min_duration: Duration | None = None
    """No Pass before this time with traffic is over; where absent 15m in Statistical mode, none in
    Threshold mode. Example: 15m."""
    max_duration: Duration = "2h"
    """When the rollout has taken so long without a verdict, onInconclusive decides.
    Example: 6h."""
    on_inconclusive: OnInconclusive
    """What happens at maxDuration: Hold waits for a person, PromoteIfHealthy promotes a candidate
    that no metric speaks against, Rollback goes back to stable."""
    warmup: Duration = "0s"
    """Windows that begin earlier than this after a change of weight do not count; in Statistical
    mode after the first weight, and for a raise of it. Example: 60s."""
    provider: Name = "default"
    """Metrics provider, by the name that the administrator gave it. Example: team-prometheus."""
    metrics: Annotated[tuple[GateMetric, ...], Field(min_length=1, max_length=20), keyed_by("name")]
    """Metrics that are looked at; every one that decides must be good."""
    count_by: Unit | None = None
    """What metrics of type SuccessRate must count: series of anything else are refused, or of a
    profile not read. Where absent whatever they count is taken. Where requests of a session fare
    alike, count sessions, by a MetricTemplate with that unit. Example: Session."""
    on_split_off: OnSplitOff | None = None
    """Statistical, behind a Gateway: what happens where the arms count another share of requests
    than their weights say, which chance does not explain: Hold waits until they do, also where
    absent; Record only writes it down, for agents that callers also reach past the Gateway.
    Example: Record."""
    error_budget: ErrorBudget | None = None
    """What the error budgets of the Agent's objectives let a rollout do; where absent it waits
    while one is used up too fast. Example: {pauseOnBurn: [{rate: "14.4", over: [1h, 5m]}]}."""

    @property
    def is_statistical(self) -> bool:
        """Claim that evidence against stable decides, not a bar."""
        return self.mode is GateMode.STATISTICAL

    @property
    def bad_windows(self) -> Failures:
        """How many bad windows are a Fail."""
        return self.failures or Failures()

    @property
    def good_windows(self) -> int:
        """How many good windows in a row are a Pass."""
        return self.successes or 3

    @property
    def least_requests(self) -> int:
        """Requests to the candidate that a window, or a Pass, needs."""
        return self.min_requests or (50 if self.is_statistical else 20)

    @property
    def least_duration(self) -> str:
        """Time with traffic that a Pass needs."""
        return self.min_duration or ("15m" if self.is_statistical else "0s")
