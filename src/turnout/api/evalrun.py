"""EvalRun: one run of a suite against one version, beside another one."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import (
    Conditions,
    Digest,
    Int32,
    Message,
    Name,
    PinnedRef,
    Resource,
    Share,
    Status,
    Text,
    Timestamp,
    VersionRef,
    Wire,
    Word,
)
from turnout.api.schema import ATOMIC, Cel, keyed_by
from turnout.api.suite_task import MOST_TASKS, TaskId
from turnout.api.task import TaskStatus

MOST_NAMED = 50
"""Regressed tasks that are named."""


class Purpose(StrEnum):
    """What a run is for. May grow."""

    GATE = "Gate"
    MANUAL = "Manual"


class EvalPhase(StrEnum):
    """Where a run stands; only Passed and Failed are verdicts. May grow."""

    PENDING = "Pending"
    RUNNING = "Running"
    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"


class EvalRunSpec(Wire):
    """What is tried, with what, beside what; fixed when the run is created."""

    cel = (Cel("self == oldSelf", "an EvalRun is one run: create another one"),)

    suite: PinnedRef
    """The EvalSuite. With a digest the run ends as Error where the suite is another one by then.
    Example: {name: core}."""
    version: PinnedRef
    """The AgentVersion under evaluation. Example: {name: support-9c41e07b2d}."""
    baseline: PinnedRef | None = None
    """The AgentVersion that it is compared with; the agent's stable version where absent.
    Example: {name: support-e07b55a9c1}."""
    purpose: Purpose
    """What the run is for: a rollout waits for a Gate, which only the operator creates; a person's
    is Manual and decides nothing. Example: Manual."""


class SuiteRef(Wire):
    """Names a suite and what was in it."""

    name: Name
    """Name of the EvalSuite."""
    digest: Digest
    """Identity of its tasks and graders."""


class EvalPlan(Wire):
    """What a run was begun with: whatever is edited later, this is what is judged."""

    agent: Name
    """Name of the Agent."""
    suite: SuiteRef
    """The suite."""
    version: VersionRef
    """The version under evaluation."""
    baseline: VersionRef
    """The version that it is compared with."""
    fewest: Annotated[int, Field(ge=1, le=50)]
    """Trials of each task before the first verdict."""
    most: Annotated[int, Field(ge=1, le=50)]
    """Trials of each task after which the run ends without one."""
    limit: Int32
    """Seconds that the trials may take."""
    pods_by: Timestamp
    """When the pods of both versions must be ready."""


class EvalProgress(Wire):
    """How far the round under way is."""

    share: Share
    """Part of the round's trials that were run."""
    done: Int32
    """Trials that were run."""
    total: Int32
    """Trials of the round."""
    eta: Timestamp | None = None
    """When the round ends at the pace so far."""


class EvalCounts(Wire):
    """Trials of the version under evaluation, over all tasks."""

    passed: Int32
    """Trials that all graders passed."""
    failed: Int32
    """Trials that some grader failed."""
    errored: Int32
    """Trials without a result: neither of both."""


class TaskCounts(Wire):
    """Trials of one task."""

    id: TaskId
    """Name of the task."""
    c: Int32
    """Trials that the version under evaluation passed."""
    cn: Int32
    """Its trials that have a result."""
    b: Int32
    """Trials that the baseline passed."""
    bn: Int32
    """Its trials that have a result."""
    e: Int32
    """Trials of both that have none."""


class PassRate(Wire):
    """A pass rate with an interval."""

    value: Share
    """Mean over the tasks."""
    low: Share
    """Lower end of a 95 % interval."""
    high: Share
    """Its upper end."""


class EvalEvidence(Wire):
    """How sure the verdict is."""

    worse: Text
    """Evidence that the version is worse than the baseline; 20 is enough."""
    safe: Text
    """Evidence that it is not worse by the margin; 20 is enough."""


class EvalReason(Wire):
    """How often trials had no result for one reason."""

    reason: Word
    """One CamelCase word."""
    count: Int32
    """How often."""


class EvalRunStatus(Status):
    """How far the run came, and what it found."""

    phase: EvalPhase = EvalPhase.PENDING
    """Where the run stands, for people to read; programs read the condition Completed."""
    plan: EvalPlan | None = None
    """What the run was begun with."""
    task: TaskStatus | None = None
    """The Job that runs the trials."""
    started_at: Timestamp | None = None
    """When the run was begun."""
    finished_at: Timestamp | None = None
    """When it ended."""
    progress: EvalProgress | None = None
    """How far the round under way is."""
    trials: Int32 | None = None
    """Rounds that were run: trials of each task."""
    counts: EvalCounts | None = None
    """Trials of the version under evaluation."""
    tasks: Annotated[tuple[TaskCounts, ...], Field(max_length=MOST_TASKS), ATOMIC] = ()
    """Each task's trials, those that tell most first, as many as there is room for."""
    omitted: Int32 | None = None
    """Tasks for which there was no room."""
    regressed: Annotated[tuple[TaskId, ...], Field(max_length=MOST_NAMED), ATOMIC] = ()
    """Tasks that the version broke, the most telling first."""
    regressed_count: Int32 | None = None
    """How many tasks the version broke."""
    improved: Int32 | None = None
    """How many tasks it mended."""
    tied: Int32 | None = None
    """Of how many neither can be said."""
    pass_rate: PassRate | None = None
    """The version's pass rate."""
    baseline_rate: PassRate | None = None
    """The baseline's."""
    evidence: EvalEvidence | None = None
    """How sure the verdict is."""
    errors: Annotated[tuple[EvalReason, ...], Field(max_length=16), keyed_by("reason")] = ()
    """Why trials had no result."""
    tokens: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None
    """Tokens that were used, where the agents tell."""
    reason: Word | None = None
    """One CamelCase word for the phase."""
    message: Message | None = None
    """The same in a sentence."""
    conditions: Conditions = ()
    """Started and Completed."""


class EvalRun(Resource):
    """One run of an EvalSuite against one version.

    The operator creates those that a rollout waits for; people create others with purpose Manual.
    """

    cel = (
        Cel(
            "size(self.metadata.name) <= 60 && "
            "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
            "metadata.name is a DNS label of at most 60 characters: a-z, 0-9 and - inside, no dots",
        ),
    )

    kind: Literal["EvalRun"] = "EvalRun"
    """Kind of the object."""
    spec: EvalRunSpec
    """What is tried."""
    status: EvalRunStatus = EvalRunStatus()
    """How far it came."""
