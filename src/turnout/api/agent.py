"""The Agent: what a person wants to run, and how a new version of it may go out."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from turnout.api.agent_status import (
    AgentPhase,
    AgentStatus,
    CandidateStatus,
    DesiredStatus,
    QueueStatus,
    RolloutSummary,
    RouteStatus,
    SourceStatus,
    StableStatus,
    VersionWeight,
)
from turnout.api.base import (
    Content,
    Decimals,
    Duration,
    IntOrShare,
    LocalRef,
    Name,
    PinnedRef,
    Printable,
    Resource,
    Wire,
)
from turnout.api.objectives import BudgetOverride, Objective
from turnout.api.route import HTTPRouteSpec, ParentRef, RouteRule
from turnout.api.schema import POD_TEMPLATE, Cel, keyed_by
from turnout.api.strategy import Gate, Strategy
from turnout.api.traffic import ServiceSpec, Traffic, TrafficMode, TrafficState

__all__ = [
    "Agent",
    "AgentPhase",
    "AgentSpec",
    "AgentStatus",
    "CandidateStatus",
    "DeletionPolicy",
    "DeploymentSpec",
    "DesiredStatus",
    "HTTPRouteSpec",
    "Model",
    "Owner",
    "ParentRef",
    "QueueStatus",
    "RollbackWindow",
    "RolloutSummary",
    "RouteRule",
    "RouteStatus",
    "ServiceSpec",
    "SourceStatus",
    "StableStatus",
    "Traffic",
    "TrafficMode",
    "TrafficState",
    "VersionWeight",
]

PodTemplate = Annotated[dict[str, Any], WithJsonSchema({POD_TEMPLATE: True})]
"""A PodTemplateSpec as a plain document: Turnout passes on what it does not need to know."""


class DeletionPolicy(StrEnum):
    """What becomes of a deleted Agent's workloads. May grow."""

    DELETE = "Delete"
    ORPHAN = "Orphan"


class Model(Content):
    """The model that the agent asks. It is content: a change is a new version."""

    provider: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9]([-a-z0-9_.]*[a-z0-9])?$")
    ]
    """Who serves the model, in the agent's own words. Example: openai."""
    name: Annotated[
        str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/@-]*$")
    ]
    """Name of the model, as the provider has it. Example: gpt-5-mini."""
    temperature: Decimals | None = None
    """Sampling temperature, a decimal as text; the provider's default where absent.
    Example: "0.2"."""
    max_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """Longest answer in tokens; the provider's default where absent. Example: 2000."""
    extra: Annotated[str, Field(min_length=2, max_length=8192)] | None = None
    """Further parameters of the request, as a JSON text. Example: '{"seed": 7}'."""


class DeploymentSpec(Wire):
    """What every version's Deployment gets besides its pods."""

    cel = (
        Cel(
            "duration(self.progressDeadline) >= duration('1s')",
            "progressDeadline must be at least 1s",
        ),
    )

    min_ready_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """Seconds that a new pod must be Ready before it counts. Example: 5."""
    progress_deadline: Duration = "10m"
    """How long a version may take to become Ready before it is given up. Example: 5m."""
    max_surge: IntOrShare | None = None
    """Pods above the wanted number while pods are replaced, a number or a share; 25% where absent.
    Example: 1."""
    max_unavailable: IntOrShare | None = None
    """Pods below the wanted number while pods are replaced, a number or a share; 0 where absent.
    Example: 0."""


class RollbackWindow(Wire):
    """Which versions pinnedVersion goes straight back to."""

    versions: Annotated[int, Field(ge=0, le=50)] = 3
    """How many versions that were stable before the present one; 0 goes through the steps always.
    Example: 3."""
    max_age: Duration = "168h"
    """How long ago the version may have been replaced. Example: 168h."""


class Owner(Wire):
    """People who answer for the agent."""

    name: Printable
    """Name of the team or person. Example: support-team."""
    contact: Printable | None = None
    """Where they are reached. Example: "#support"."""


class AgentSpec(Wire):
    """What is wanted: content, which is versioned, and the way that it goes out."""

    cel = (
        Cel(
            "has(self.strategyRef) != (has(self.strategy) || has(self.gate))",
            "give either strategyRef, or strategy and gate",
        ),
        Cel("has(self.strategy) == has(self.gate)", "strategy and gate go together"),
        Cel(
            "!has(self.strategy) || !has(self.strategy.watch) || "
            "self.traffic.mode != 'ReplicaRatio'",
            "strategy.watch needs traffic.mode HTTPRoute: by replica ratio stable keeps all its "
            "pods, so it cannot keep a small share",
        ),
        Cel(
            "!has(self.container) || "
            "self.template.spec.containers.exists(c, c.name == self.container)",
            "container must name a container of the template",
        ),
    )

    replicas: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Pods for all of the traffic. An autoscaler may own it through the scale subresource; leave
    it out of Git then. Example: 3."""
    template: PodTemplate
    """Pod template of the agent, as in a Deployment. It is content: a change is a new version."""
    container: Name | None = None
    """Container that gets the resolved content and the TURNOUT_ variables; the first one where
    absent. It is content. Example: agent."""
    model: Model | None = None
    """The model that the agent asks. Example: {provider: openai, name: gpt-5-mini}."""
    prompt_refs: Annotated[
        tuple[PinnedRef, ...], Field(min_length=1, max_length=16), keyed_by("name")
    ]
    """Prompts in the order in which the agent is given them. Their text is content.
    Example: [{name: support-system}]."""
    tool_registry_ref: PinnedRef | None = None
    """Tools of the agent. What the registry holds is content. Example: {name: support-tools}."""
    policy_ref: PinnedRef | None = None
    """Policy of the agent. What it holds is content. Example: {name: support-policy}."""
    strategy_ref: LocalRef | None = None
    """RolloutStrategy that says how a new version goes out; in place of strategy and gate.
    Example: {name: careful}."""
    strategy: Strategy | None = None
    """Steps of a rollout, in place of strategyRef."""
    gate: Gate | None = None
    """Judgement of a rollout, in place of strategyRef."""
    traffic: Traffic
    """How requests reach the agent, and how two versions share them."""
    deployment: DeploymentSpec = DeploymentSpec()
    """What every version's Deployment gets besides its pods. Example: {progressDeadline: 5m}."""
    objectives: Annotated[tuple[Objective, ...], Field(max_length=8), keyed_by("name")] = ()
    """Promises about all the requests to the agent; while one's error budget is used up too fast a
    rollout waits. Example: [{name: answers, metric: support-success, target: 99%, window: 30d}]."""
    budget_override: BudgetOverride | None = None
    """Lets one version go out while an error budget is used up too fast or is too small. It stands
    in the rollout's record. Example: {version: support-9c41e07b2d, by: ada@example.com, reason:
    it mends the failures}."""
    pinned_version: Name | None = None
    """Version to run whatever the content says now, by the name of its AgentVersion: one inside
    rollbackWindow at once, any other through the strategy. Example: support-9c41e07b2d."""
    rollback_window: RollbackWindow = RollbackWindow()
    """Pinning a version that was stable this recently skips steps and gate: it is an undo.
    Example: {versions: 3, maxAge: 168h}."""
    paused: bool = False
    """Freezes: no new rollout and no step forward. A rollback, an abort and the care for pods
    without traffic still happen, and traffic stays where it is."""
    revision_history_limit: Annotated[int, Field(ge=1, le=50)] = 10
    """Old versions that are kept, and old rollouts, of those that promoted and of the others each
    so many; what is in use is kept besides. Example: 5."""
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """Delete removes what was made for the Agent once it is deleted; Orphan gives all traffic to
    stable and leaves it running."""
    owners: Annotated[tuple[Owner, ...], Field(max_length=8), keyed_by("name")] = ()
    """People who answer for the agent. Example: [{name: support-team, contact: "#support"}]."""


class Agent(Resource):
    """An AI agent: container, prompts, tools, policy and model, versioned and rolled out as one."""

    cel = (
        Cel(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && "
            "size(self.metadata.name) <= 40 && "
            "!self.metadata.name.matches('-[0-9a-f]{10}(-.*)?$')",
            "metadata.name of an Agent is a DNS label of at most 40 characters that begins with a "
            "letter and does not end like a version's name",
        ),
    )

    kind: Literal["Agent"] = "Agent"
    """Kind of the object."""
    spec: AgentSpec
    """What is wanted."""
    status: AgentStatus = AgentStatus()
    """What the operator saw and did."""
