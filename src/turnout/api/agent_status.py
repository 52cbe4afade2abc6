"""What the operator says about an Agent."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import (
    Conditions,
    Digest,
    Int32,
    Int64,
    Name,
    Status,
    Text,
    Timestamp,
    Uid,
    Weight,
    Wire,
    Word,
)
from turnout.api.drift import DriftStatus
from turnout.api.objectives import ObjectiveStatus
from turnout.api.schema import keyed_by


class AgentPhase(StrEnum):
    """Where an agent stands, for people to read; programs read conditions. May grow."""

    PENDING = "Pending"
    HEALTHY = "Healthy"
    QUEUED = "Queued"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    HELD = "Held"
    ROLLED_BACK = "RolledBack"
    DEGRADED = "Degraded"
    SUSPENDED = "Suspended"


class StableStatus(Wire):
    """The version that the traffic can always go back to."""

    version: Name
    """Name of the AgentVersion."""
    digest: Digest
    """Full digest of its content."""
    since: Timestamp | None = None
    """When it became stable."""
    replicas: Int32 = 0
    """Pods that it should have."""
    ready_replicas: Int32 = 0
    """Pods that are Ready."""
    unavailable_since: Timestamp | None = None
    """Since when none of its pods has been Ready; absent while one is, or none is wanted."""


class CandidateStatus(Wire):
    """The version that is being tried."""

    version: Name
    """Name of the AgentVersion."""
    digest: Digest
    """Full digest of its content."""
    weight: Weight = 0
    """Percentage of the traffic that it has, as read back from the route."""
    replicas: Int32 = 0
    """Pods that it should have."""
    ready_replicas: Int32 = 0
    """Pods that are Ready."""


class DesiredStatus(Wire):
    """The version that the spec and its references ask for now."""

    version: Name
    """Name of the AgentVersion."""
    digest: Digest
    """Full digest of its content."""
    rejected: bool = False
    """Whether it was tried and taken back; it is not tried again by itself."""


class QueueStatus(Wire):
    """What a rollout waits for that would begin, if it were its turn."""

    position: Int32
    """Place in the queue, from 1; it is told anew at most twice a minute."""
    of: Int32
    """How many wait."""
    since: Timestamp
    """Since when the agent waits."""
    reason: Text = ""
    """What is full: 3 of 3 rollouts run."""


class RolloutSummary(Wire):
    """The rollout that runs, or ran last."""

    name: Name
    """Name of the AgentRollout."""
    number: Int32
    """Its number."""
    step: Annotated[int, Field(ge=0, le=33)] = 0
    """Step that it is at, counted from 1; 0 before the first."""
    steps: Annotated[int, Field(ge=0, le=32)] = 0
    """Number of steps."""
    step_name: Name | None = None
    """Name of the step, if it has one."""
    progress: Annotated[str, Field(max_length=16)] | None = None
    """Both numbers as the column shows them: 3/6."""
    queue: QueueStatus | None = None
    """Place of the next rollout in the queue; absent where none waits."""


class SourceStatus(Wire):
    """Which state of a referenced object was used."""

    kind: Word
    """Kind of the object."""
    name: Name
    """Name of the object."""
    uid: Uid = ""
    """Identity of the object."""
    generation: Int64 = 0
    """Generation of its spec that was used."""
    digest: Digest | None = None
    """Digest of its content, where it is content."""


class VersionWeight(Wire):
    """The share of one version in the traffic."""

    version: Name
    """Name of the AgentVersion."""
    weight: Weight
    """Percentage of the traffic."""


class RouteStatus(Wire):
    """What was read back from the route."""

    weights: Annotated[tuple[VersionWeight, ...], Field(max_length=4), keyed_by("version")] = ()
    """Share of each version; sums to 100."""
    observed_at: Timestamp | None = None
    """When the route was seen to have these weights first."""


class AgentStatus(Status):
    """What the operator saw and did. It may be lost at any time without a change of traffic."""

    phase: AgentPhase = AgentPhase.PENDING
    """Where the agent stands, for people to read; programs read conditions."""
    summary: Text | None = None
    """The gate in one line."""
    replicas: Int32 = 0
    """Pods of the stable version, for the scale subresource."""
    selector: Annotated[str, Field(max_length=512)] | None = None
    """Label selector of the stable version's pods, for the scale subresource."""
    stable: StableStatus | None = None
    """The version that the traffic can always go back to; absent before the first is Ready."""
    candidate: CandidateStatus | None = None
    """The version that is being tried; absent at rest."""
    desired: DesiredStatus | None = None
    """The version that the spec and its references ask for now."""
    rollout: RolloutSummary | None = None
    """The rollout that runs, or ran last."""
    last_rollout: Int32 = 0
    """Highest number that a rollout of this agent ever had; written before it is used."""
    sources: Annotated[
        tuple[SourceStatus, ...], Field(max_length=64), keyed_by("kind", "name")
    ] = ()
    """Which generation of each referenced object was used."""
    route: RouteStatus | None = None
    """What was read back from the route."""
    objectives: Annotated[tuple[ObjectiveStatus, ...], Field(max_length=8), keyed_by("name")] = ()
    """How the objectives are kept."""
    drift: DriftStatus | None = None
    """How stable does beside how it was recorded to do; absent where the strategy has no watch."""
    conditions: Conditions = ()
    """Accepted, ResolvedRefs, ContentPinned, Available, Programmed, Progressing, GatesPassing and
    Ready, always; ErrorBudget where there are objectives; Steady where the strategy has a watch;
    FallbackReady where that has a fallbackVersion; Reconciling, Stalled and Forbidden while they
    apply."""
