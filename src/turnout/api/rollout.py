"""AgentRollout: one transition of an agent from one version to another."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import Name, Resource, Text, VersionRef, Wire
from turnout.api.rollout_status import (
    AgentRolloutStatus,
    BudgetSpend,
    GateStatus,
    IntentAction,
    IntentOutcome,
    IntentStatus,
    MetricStatus,
    RolloutPhase,
    StepStatus,
    TimelineEntry,
    Verdict,
    WeightStatus,
    Window,
)
from turnout.api.schema import SET, Cel, keyed_by
from turnout.api.strategy import Gate, Strategy
from turnout.api.version import Plane

__all__ = [
    "AgentRollout",
    "AgentRolloutSpec",
    "AgentRolloutStatus",
    "Approval",
    "BudgetSpend",
    "Cause",
    "ChangedBy",
    "GateStatus",
    "Intent",
    "IntentAction",
    "IntentOutcome",
    "IntentStatus",
    "MetricStatus",
    "Promote",
    "PromoteMode",
    "RolloutPhase",
    "StepStatus",
    "TimelineEntry",
    "Trigger",
    "Verdict",
    "WeightStatus",
    "Window",
]

FROZEN = Cel("self == oldSelf", "this is fixed when the rollout is created")

Person = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[str, Field(max_length=256)]


class Trigger(StrEnum):
    """Why a rollout began. May grow."""

    INITIAL = "Initial"
    CONTENT_CHANGED = "ContentChanged"
    PINNED = "Pinned"
    RETRY = "Retry"
    RETURN = "Return"
    RECOVER = "Recover"
    DRIFT_FALLBACK = "DriftFallback"


class PromoteMode(StrEnum):
    """How far a person promotes. May grow; an unknown word counts as Step."""

    STEP = "Step"
    FULL = "Full"


class Intent(Wire):
    """A wish and who has it."""

    by: Person
    """User name of the person, as the API server knows it. Example: ada@example.com."""
    reason: Reason | None = None
    """Why, for the record. Example: support saw wrong refunds."""


class Promote(Wire):
    """How far a person lets the rollout go without waiting."""

    cel = (
        Cel(
            "has(self.throughStep) == (self.mode == 'Step')",
            "throughStep is required for mode Step and has no place elsewhere",
        ),
    )

    mode: PromoteMode
    """Step counts the steps up to throughStep as done, Full all of them."""
    through_step: Annotated[int, Field(ge=1, le=32)] | None = None
    """For mode Step: number of the last step that counts as done, from 1. It never falls.
    Example: 3."""
    by: Person
    """User name of the person, as the API server knows it. Example: ada@example.com."""
    reason: Reason | None = None
    """Why, for the record. Example: checked by hand."""


class Approval(Wire):
    """One person's approval of one step."""

    step: Name
    """Name of the approve step. Example: ship."""
    by: Person
    """User name of the person, as the API server knows it. Example: ada@example.com."""
    reason: Reason | None = None
    """Why, for the record. Example: evals read and fine."""


_LATCHES = tuple(
    Cel(f"!has(oldSelf.{name}) || has(self.{name})", f"{name} cannot be taken back")
    for name in ("abort", "promote", "approvals", "retry", "acknowledge")
)


class ChangedBy(Wire):
    """Who changed an object, as far as the object itself tells."""

    manager: Text
    """Field manager that wrote it last: a program's name, never a person's.
    Example: kubectl-client-side-apply."""


class Cause(Wire):
    """What was changed, by whom and why, as it stood on the objects when the rollout began."""

    planes: Annotated[tuple[Plane, ...], Field(max_length=8), SET] = ()
    """Parts of the content that differ from the version before; all parts of a first one.
    Example: [Prompt]."""
    change_cause: Text | None = None
    """Annotation kubernetes.io/change-cause of what was changed. Example: shorter refunds."""
    changed_by: ChangedBy | None = None
    """Who changed it; absent where no object tells. Example: {manager: argocd-controller}."""


class AgentRolloutSpec(Wire):
    """The transition, fixed when it began, and what people want of it, which may be patched."""

    cel = (
        *_LATCHES,
        Cel(
            "has(self.from) == has(oldSelf.from) && (!has(self.from) || self.from == oldSelf.from)",
            "from is fixed when the rollout is created",
        ),
        Cel(
            "has(self.cause) == has(oldSelf.cause) && "
            "(!has(self.cause) || self.cause == oldSelf.cause)",
            "cause is fixed when the rollout is created",
        ),
        Cel(
            "!has(oldSelf.promote) || !has(self.promote) || self.promote.mode == 'Full' || "
            "(oldSelf.promote.mode == 'Step' && "
            "self.promote.throughStep >= oldSelf.promote.throughStep)",
            "promote never falls back: throughStep only grows, and Full stays Full",
        ),
        Cel(
            "!has(self.approvals) || self.approvals.all(a, "
            "self.strategy.steps.exists(s, has(s.approve) && s.name == a.step))",
            "an approval must name an approve step of this rollout",
        ),
    )

    agent: Annotated[Name, FROZEN]
    """Name of the Agent. Example: support."""
    number: Annotated[int, Field(ge=1, le=2**31 - 1), FROZEN]
    """Number of the rollout, one more than any before it. Example: 14."""
    trigger: Annotated[Trigger, FROZEN]
    """Why it began. Example: ContentChanged."""
    from_: Annotated[VersionRef | None, Field(alias="from")] = None
    """Stable version at the start; absent for the first rollout of an agent."""
    to: Annotated[VersionRef, FROZEN]
    """The candidate."""
    strategy: Annotated[Strategy, FROZEN]
    """The steps that were in force at the start."""
    gate: Annotated[Gate, FROZEN]
    """The judgement that was in force at the start."""
    cause: Cause | None = None
    """What was changed, by whom and why, as far as it is known.
    Example: {planes: [Prompt], changeCause: shorter refunds}."""
    pause: Intent | None = None
    """Present: the rollout waits where it is. `null` lets it go on.
    Example: {by: ada@example.com, reason: lunch}."""
    abort: Intent | None = None
    """Present: traffic goes back to stable and the rollout ends. It cannot be taken back and wins
    over every other wish. Example: {by: ada@example.com, reason: wrong refunds}."""
    promote: Promote | None = None
    """Steps that count as done without waiting. Example: {mode: Full, by: ada@example.com}."""
    approvals: Annotated[
        tuple[Approval, ...],
        Field(max_length=16),
        keyed_by("step", "by"),
        Cel("oldSelf.all(o, self.exists(n, n == o))", "approvals can be added, never changed"),
    ] = ()
    """Approvals of approve steps; add one by JSON patch, path /spec/approvals/-.
    Example: [{step: ship, by: ada@example.com}]."""
    retry: Intent | None = None
    """Present on the newest rollout of an agent after its end: the same version is tried again, as
    a new rollout with new evidence. Example: {by: ada@example.com, reason: provider is back}."""
    acknowledge: Intent | None = None
    """Present: switches that nobody asked for, up to this rollout, were looked at; where two of
    them froze further ones, these may begin again. Example: {by: ada@example.com, reason: the
    server is fixed}."""


class AgentRollout(Resource):
    """One transition of an agent from one version to another.

    The operator creates it; people patch pause, abort, promote, approvals, retry and
    acknowledge.
    """

    cel = (
        Cel(
            "self.metadata.name.startsWith(self.spec.agent + '-r') && "
            "self.metadata.name.matches('-r[1-9][0-9]*$') && "
            "int(self.metadata.name.substring(size(self.spec.agent) + 2)) == self.spec.number",
            "the name is the agent's, -r, and the number",
        ),
    )

    kind: Literal["AgentRollout"] = "AgentRollout"
    """Kind of the object."""
    spec: AgentRolloutSpec
    """The transition and people's wishes."""
    status: AgentRolloutStatus = AgentRolloutStatus()
    """How far it came."""
