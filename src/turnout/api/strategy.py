"""How a version goes out: steps, and the gate that judges on the way."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import (
    SHORT_NAME,
    Conditions,
    Duration,
    FineDuration,
    Int32,
    LocalRef,
    Name,
    Resource,
    Share,
    Status,
    Text,
    Weight,
    Wire,
)
from turnout.api.schema import ATOMIC, Cel, keyed_by


class OnPass(StrEnum):
    """What a gate's Pass does before the last step. May grow."""

    CONTINUE = "Continue"
    PROMOTE = "Promote"


class OnTimeout(StrEnum):
    """What happens when nobody approved in time. May grow."""

    HOLD = "Hold"
    ROLLBACK = "Rollback"


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


class GateMode(StrEnum):
    """How a gate judges. May grow."""

    THRESHOLD = "Threshold"


class GateMetricType(StrEnum):
    """What a metric says about a request. May grow."""

    SUCCESS_RATE = "SuccessRate"
    LATENCY = "Latency"
    CUSTOM = "Custom"


class Pause(Wire):
    """A wait: for a time, or for a person."""

    duration: Duration | None = None
    """How long to wait. Without it the rollout waits until a person promotes it past this step.
    Example: 10m."""


class Approve(Wire):
    """A wait for people who take responsibility."""

    cel = (
        Cel(
            "!has(self.timeout) || duration(self.timeout) >= duration('1s')",
            "timeout must be at least 1s",
        ),
    )

    min_approvals: Annotated[int, Field(ge=1, le=16)] = 1
    """Number of different people who must approve."""
    timeout: Duration | None = None
    """How long to wait for them; for ever where absent. Example: 24h."""
    on_timeout: OnTimeout = OnTimeout.HOLD
    """What happens then: Hold stays at this step, Rollback goes back to stable."""


class Step(Wire):
    """One step: exactly one of setWeight, pause and approve."""

    cel = (
        Cel(
            "(has(self.setWeight) ? 1 : 0) + (has(self.pause) ? 1 : 0) + "
            "(has(self.approve) ? 1 : 0) == 1",
            "a step is exactly one of setWeight, pause and approve",
        ),
        Cel("!has(self.approve) || has(self.name)", "an approve step needs a name"),
    )

    name: Name | None = None
    """Name of the step, required for approve: approvals refer to it. Example: ship."""
    set_weight: Weight | None = None
    """Percentage of the traffic for the candidate from here on. Example: 25."""
    pause: Pause | None = None
    """Wait for a time, or with `{}` for a person. Example: {duration: 10m}."""
    approve: Approve | None = None
    """Wait for approvals, which stand in the AgentRollout. Example: {minApprovals: 2}."""


class Strategy(Wire):
    """The way of a version from no traffic to all of it."""

    cel = (
        Cel(
            "self.steps.all(s, !has(s.name) || "
            "self.steps.exists_one(t, has(t.name) && t.name == s.name))",
            "step names must be unique",
        ),
        Cel(
            "self.steps.filter(s, has(s.setWeight)).map(s, s.setWeight).isSorted()",
            "weights must not decrease from step to step",
        ),
        Cel(
            "duration(self.scaleDownDelay) <= duration('24h')",
            "scaleDownDelay must be at most 24h",
        ),
    )

    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=32), ATOMIC]
    """Steps in their order; after the last one, and with the gate's Pass, the candidate gets all
    traffic and is stable. Example: [{setWeight: 5}, {pause: {duration: 10m}}, {setWeight: 50}]."""
    scale_down_delay: Duration = "30s"
    """How long the previous version stays at full scale after a promotion. Example: 10m."""
    on_pass: OnPass = OnPass.CONTINUE
    """Continue takes the steps as written; Promote skips the remaining weights and timed pauses as
    soon as the gate passes, never an approve or an endless pause."""


class Failures(Wire):
    """How many bad windows are too many."""

    cel = (Cel("self.count <= self.of", "count must not be greater than of"),)

    count: Annotated[int, Field(ge=1, le=20)] = 3
    """So many bad windows are a Fail."""
    of: Annotated[int, Field(ge=1, le=20)] = 5
    """Among so many last windows that counted."""


class GateMetric(Wire):
    """One metric that a gate looks at, and its bar."""

    cel = (
        Cel(
            "has(self.slowerThan) == (self.type == 'Latency')",
            "slowerThan is required for type Latency and has no place elsewhere",
        ),
    )

    name: Name
    """Name of the metric in messages and status. Example: task-success."""
    type: GateMetricType
    """SuccessRate and Custom count good requests among all; Latency counts requests that were not
    slower than slowerThan."""
    template_ref: LocalRef
    """MetricTemplate that says which series to read. Example: {name: support-success}."""
    minimum: Share
    """The bar: the share of good requests must not be below it. Example: 95%."""
    slower_than: FineDuration | None = None
    """Latency only: a request that took longer is not good. It must be a bucket bound of the
    histogram. Example: 500ms."""
    on_regression: OnRegression
    """What a Fail of this metric does: Rollback takes the candidate back, Hold stops and waits for
    a person, Record only writes it down."""


class Gate(Wire):
    """What a candidate must show before it gets more traffic.

    A window of one interval counts where the candidate had minRequests in it; it is bad where the
    candidate was below the bar.
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
            "self.metrics.exists(m, m.onRegression != 'Record')",
            "at least one metric must decide: onRegression Rollback or Hold",
        ),
    )

    mode: GateMode
    """How the gate judges: Threshold compares each window with a bar."""
    interval: Duration = "10s"
    """Length of one window, and the time between two looks. Example: 30s."""
    failures: Failures = Failures()
    """How many bad windows are a Fail; 3 of the last 5 where absent.
    Example: {count: 3, of: 5}."""
    successes: Annotated[int, Field(ge=1, le=20)] = 3
    """So many good windows in a row, since the weight changed last, are a Pass."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """A window with fewer requests to the candidate says nothing. Example: 50."""
    min_duration: Duration | None = None
    """No Pass before this time with traffic is over. Example: 15m."""
    max_duration: Duration = "2h"
    """When the rollout has taken so long without a verdict, onInconclusive decides.
    Example: 6h."""
    on_inconclusive: OnInconclusive
    """What happens at maxDuration: Hold waits for a person, PromoteIfHealthy promotes a candidate
    that no metric speaks against, Rollback goes back to stable."""
    warmup: Duration = "0s"
    """Windows that begin earlier than this after a change of weight do not count.
    Example: 60s."""
    provider: Name = "default"
    """Metrics provider, by the name that the administrator gave it. Example: team-prometheus."""
    metrics: Annotated[tuple[GateMetric, ...], Field(min_length=1, max_length=20), keyed_by("name")]
    """Metrics that are looked at; every one that decides must be good."""


class RolloutStrategySpec(Wire):
    """A strategy and a gate for any number of agents."""

    strategy: Strategy
    """The steps. An edit binds the next rollout; a running one keeps what it began with."""
    gate: Gate
    """The judgement. An edit binds the next rollout; a running one keeps what it began with."""


class StrategyUse(Wire):
    """One agent that uses a strategy."""

    agent: Name
    """Name of the Agent. Example: support."""


class RolloutStrategyStatus(Status):
    """What the operator saw of a strategy."""

    used_by: Annotated[tuple[StrategyUse, ...], Field(max_length=256), keyed_by("agent")] = ()
    """Agents that refer to it."""
    truncated: Int32 | None = None
    """Agents that usedBy has no room for."""
    summary: Text | None = None
    """One line for people."""
    conditions: Conditions = ()
    """Accepted and Ready."""


class RolloutStrategy(Resource):
    """A reusable strategy and gate that Agents name by strategyRef."""

    cel = (SHORT_NAME,)

    kind: Literal["RolloutStrategy"] = "RolloutStrategy"
    """Kind of the object."""
    spec: RolloutStrategySpec
    """What is wanted."""
    status: RolloutStrategyStatus = RolloutStrategyStatus()
    """What the operator saw."""
