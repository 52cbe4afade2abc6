"""How a version goes out: steps, and the gate that judges on the way."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import (
    SHORT_NAME,
    Conditions,
    Duration,
    Int32,
    Name,
    Resource,
    Status,
    Text,
    Weight,
    Wire,
)
from turnout.api.gate import (
    Failures,
    Gate,
    GateMetric,
    GateMetricType,
    GateMode,
    OnInconclusive,
    OnRegression,
)
from turnout.api.schema import ATOMIC, SET, Cel, keyed_by
from turnout.api.use import User

Holdback = Annotated[str, Field(max_length=8, pattern=r"^([1-9]|[1-4][0-9]|50)%$")]
"""From 1% to 50%, whole as weights are."""


class OnPass(StrEnum):
    """What a gate's Pass does before the last step. May grow."""

    CONTINUE = "Continue"
    PROMOTE = "Promote"


class OnTimeout(StrEnum):
    """What happens when nobody approved in time. May grow."""

    HOLD = "Hold"
    ROLLBACK = "Rollback"


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


class OnUndecided(StrEnum):
    """What happens where a suite came to no verdict: never a promotion. May grow."""

    HOLD = "Hold"
    ROLLBACK = "Rollback"


class Evaluate(Wire):
    """Suites that the candidate must pass before it gets any traffic."""

    suites: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8), SET]
    """Names of EvalSuites in this namespace, tried one after another. Example: [core]."""
    on_inconclusive: OnUndecided = OnUndecided.HOLD
    """What happens where a run comes to no verdict: Hold stays at this step until a person deletes
    the EvalRun, so that it is run again, or promotes past the step; Rollback goes back to
    stable."""


class Step(Wire):
    """One step: exactly one of evaluate, setWeight, pause and approve."""

    cel = (
        Cel(
            "(has(self.setWeight) ? 1 : 0) + (has(self.pause) ? 1 : 0) + "
            "(has(self.approve) ? 1 : 0) + (has(self.evaluate) ? 1 : 0) == 1",
            "a step is exactly one of evaluate, setWeight, pause and approve",
        ),
        Cel("!has(self.approve) || has(self.name)", "an approve step needs a name"),
    )

    name: Name | None = None
    """Name of the step, required for approve: approvals refer to it. Example: ship."""
    evaluate: Evaluate | None = None
    """Have suites run against the candidate, before it gets any traffic.
    Example: {suites: [core], onInconclusive: Hold}."""
    set_weight: Weight | None = None
    """Percentage of the traffic for the candidate from here on. Example: 25."""
    pause: Pause | None = None
    """Wait for a time, or with `{}` for a person. Example: {duration: 10m}."""
    approve: Approve | None = None
    """Wait for approvals, which stand in the AgentRollout. Example: {minApprovals: 2}."""


class OnDrift(StrEnum):
    """What follows where a stable version does worse without a change. May grow."""

    ALERT = "Alert"
    FALLBACK = "Fallback"


class Watch(Wire):
    """A watch over a version that took every step, before the one before it goes."""

    cel = (
        Cel(
            "duration(self.bake) >= duration('1s') && duration(self.bake) <= duration('168h')",
            "bake must be between 1s and 168h",
        ),
        Cel(
            "duration(self.flapWindow) >= duration('1m') && "
            "duration(self.flapWindow) <= duration('720h')",
            "flapWindow must be between 1m and 720h",
        ),
        Cel(
            "(self.onDrift == 'Fallback') == has(self.fallbackVersion)",
            "onDrift Fallback needs a fallbackVersion, and only Fallback has one",
        ),
    )

    holdback: Holdback = "5%"
    """Share of the traffic that the version before keeps meanwhile, from 1% to 50%, in whole
    percent; it keeps its pods too, so that the way back is short. Example: 10%."""
    bake: Duration = "30m"
    """How long that lasts. The gate goes on judging: a regression takes the new version back, and
    with the verdict missing at the end the rollout waits for it. Example: 2h."""
    on_drift: OnDrift = OnDrift.ALERT
    """What follows where the stable version does worse than recorded though nobody changed it:
    Alert tells it; Fallback takes fallbackVersion in its place, by steps, of which one must
    evaluate, and gate, until a person acknowledges it in the AgentRollout. Example: Fallback."""
    fallback_version: Name | None = None
    """The AgentVersion that stands in. It must not have been taken back, and must differ in what
    is the likely cause: another model, other tools. Example: support-e07b55a9c1."""
    flap_window: Duration = "24h"
    """Two switches of stable within this time that nobody asked for, away from tools that drifted
    or back, freeze further ones until a person acknowledges them in the AgentRollout.
    Example: 48h."""

    @property
    def weight(self) -> int:
        """Percentage of the traffic that the new version has meanwhile."""
        return 100 - int(self.holdback.removesuffix("%"))


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
            "self.steps.filter(s, has(s.evaluate) || has(s.setWeight))"
            ".map(s, has(s.setWeight) ? 1 : 0).isSorted()",
            "evaluate steps come before the first setWeight: what fails gets no traffic at all",
        ),
        Cel(
            "!has(self.watch) || self.watch.onDrift != 'Fallback' || "
            "self.steps.exists(s, has(s.evaluate))",
            "onDrift Fallback needs an evaluate step: what stands in is verified before it serves",
        ),
        Cel(
            "duration(self.scaleDownDelay) <= duration('24h')",
            "scaleDownDelay must be at most 24h",
        ),
        Cel(
            "!has(self.watch) || self.steps.all(s, !has(s.setWeight) || "
            "s.setWeight < 100 - int(self.watch.holdback.replace('%', '')))",
            "with watch every setWeight must be below 100 - holdback: after the last step the new "
            "version gets that share by itself",
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
    watch: Watch | None = None
    """Before all the traffic: after the last step, and with the gate's Pass, the version before
    keeps a small share for a while, and a regression still takes the new one back. Only in traffic
    mode HTTPRoute. Where absent the Pass gives the new version all. Example: {holdback: 5%, bake:
    30m}."""


class RolloutStrategySpec(Wire):
    """A strategy and a gate for any number of agents."""

    strategy: Strategy
    """The steps. An edit binds the next rollout; a running one keeps what it began with."""
    gate: Gate
    """The judgement. An edit binds the next rollout; a running one keeps what it began with."""


class RolloutStrategyStatus(Status):
    """What the operator saw of a strategy."""

    used_by: Annotated[tuple[User, ...], Field(max_length=256), keyed_by("agent")] = ()
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


__all__ = [
    "Approve",
    "Evaluate",
    "Failures",
    "Gate",
    "GateMetric",
    "GateMetricType",
    "GateMode",
    "OnDrift",
    "OnInconclusive",
    "OnPass",
    "OnRegression",
    "OnTimeout",
    "Pause",
    "RolloutStrategy",
    "RolloutStrategySpec",
    "RolloutStrategyStatus",
    "Step",
    "Strategy",
    "Watch",
]
