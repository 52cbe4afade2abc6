"""What the operator says about one rollout."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import (
    Conditions,
    Count,
    Difference,
    Int64,
    Message,
    Name,
    Share,
    Status,
    Text,
    Timestamp,
    Weight,
    Wire,
    Word,
)
from turnout.api.schema import ATOMIC, keyed_by


class RolloutPhase(StrEnum):
    """Where a rollout stands, for people to read; the last five are ends. May grow."""

    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    HELD = "Held"
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    EXPIRED = "Expired"


class Verdict(StrEnum):
    """What the evidence says so far. May grow; an unknown word counts as Continue."""

    PASS = "Pass"
    FAIL = "Fail"
    CONTINUE = "Continue"


class IntentAction(StrEnum):
    """What a person asked for. May grow."""

    PAUSE = "Pause"
    RESUME = "Resume"
    ABORT = "Abort"
    PROMOTE = "Promote"
    APPROVE = "Approve"
    RETRY = "Retry"
    ACKNOWLEDGE = "Acknowledge"
    OVERRIDE = "Override"


class IntentOutcome(StrEnum):
    """What became of it. May grow."""

    APPLIED = "Applied"
    IGNORED = "Ignored"


class StepStatus(Wire):
    """The step that a rollout is at."""

    index: Annotated[int, Field(ge=0, le=34)] = 0
    """Number of the step, counted from 1; 0 before the first, one more than there are steps while
    only the promotion is left, two more while it is watched before that."""
    name: Name | None = None
    """Name of the step, if it has one."""
    progress: Annotated[str, Field(max_length=16)] | None = None
    """Number of the step and number of steps, as the column shows them: 3/6."""
    started_at: Timestamp | None = None
    """When the step began."""
    ends_at: Timestamp | None = None
    """When it ends by itself, where it does."""


class WeightStatus(Wire):
    """The candidate's share of the traffic."""

    desired: Weight = 0
    """Percentage that it should have."""
    observed: Weight = 0
    """Percentage that was read back from the route."""
    changed_at: Timestamp | None = None
    """When the weight changed last; a pass is counted from here."""
    first_at: Timestamp | None = None
    """When the candidate had traffic first; evidence begins here."""


class Window(Wire):
    """What was counted in one window, in both arms."""

    starts_at: Timestamp
    """Beginning of the window, in sample time."""
    ends_at: Timestamp
    """End of the window, in sample time."""
    candidate_good: Count = "0"
    """Good requests to the candidate."""
    candidate_total: Count = "0"
    """Requests to the candidate."""
    stable_good: Count = "0"
    """Good requests to stable."""
    stable_total: Count = "0"
    """Requests to stable."""


class MetricStatus(Wire):
    """What one metric says."""

    name: Name
    """Name of the metric in the gate."""
    verdict: Verdict = Verdict.CONTINUE
    """What it says so far."""
    candidate: Text | None = None
    """Value of the candidate as text: 88.0%."""
    stable: Text | None = None
    """Value of stable in the same windows as text: 96.1%."""
    candidate_requests: Int64 = 0
    """Requests to the candidate that were counted."""
    stable_requests: Int64 = 0
    """Requests to stable that were counted."""
    extra_failures: Difference | None = None
    """Failures of the candidate, since the rollout began, beyond those that stable would have had
    of the same requests; below 0 where it had fewer. Absent for a cost."""
    uncompared: Window | None = None
    """Counts among them that are compared anew with each look, until stable has had enough."""
    bar: Text | None = None
    """What the candidate is held to, as text: 95%, or in Statistical mode stable - 2%."""
    measured_regression: Text | None = None
    """Statistical mode: by how much the candidate measures worse than stable lately: 0.9%."""
    evidence_worse: Text | None = None
    """Statistical mode: evidence that the candidate is worse than stable; 20 is enough at 95 %
    confidence, 3 is suspicious."""
    evidence_safe: Text | None = None
    """Statistical mode: evidence that it is not worse by maxRegression; 20 is enough at 95 %."""
    noise: Text | None = None
    """Statistical mode: how many times as much stable's counts scattered in the hour before as by
    chance; evidence is dampened by it. Absent where no more: 2.3."""
    more_requests_needed: Int64 | None = None
    """Statistical mode: about so many more requests to the candidate are needed for a Pass if it is
    as good as stable; absent where it measures worse than is allowed."""
    checkpoint: Annotated[str, Field(max_length=2048)] | None = None
    """Statistical mode: all that is kept of what was counted, as JSON; evidence goes on from it."""
    matched: Word | None = None
    """Of a profile: which of its series are read, fixed once something was counted: InvokeAgent."""
    unit: Word | None = None
    """What one count stands for, as the template or the profile has it: Task, Session, Request or
    Call; absent where nobody says."""
    reads: Text | None = None
    """Of a profile: the series, and what they do not tell, as no outcome counter: counts requests
    without error."""
    windows: Annotated[tuple[Window, ...], Field(max_length=20), ATOMIC] = ()
    """The last windows, oldest first."""


class BudgetSpend(Wire):
    """What a rollout has used up of the error budget of one objective."""

    objective: Name
    """Name of the objective."""
    metric: Name
    """Metric of the gate by which it is counted: it reads what the objective does."""
    failures: Count
    """Failures beyond those that stable would have had of the same requests."""
    allowed: Count
    """Failures that make up the whole budget, with as many requests as there were lately."""
    spent: Share
    """Part of the budget that the rollout has used up, 100% at most."""


class GateStatus(Wire):
    """What the gate says."""

    verdict: Verdict = Verdict.CONTINUE
    """All metrics together: Fail if one fails, Pass if all pass that decide."""
    metrics: Annotated[tuple[MetricStatus, ...], Field(max_length=20), keyed_by("name")] = ()
    """Each metric."""
    checkpointed_at: Timestamp | None = None
    """When the windows were last written here; between two checkpoints they are kept in memory and
    replayed from the provider after a restart."""
    last_look_at: Timestamp | None = None
    """End of the last window that was looked at, in sample time."""
    budget: Annotated[tuple[BudgetSpend, ...], Field(max_length=8), keyed_by("objective")] = ()
    """What the rollout has used up of error budgets, as far as the gate reads what their objectives
    do."""
    summary: Text | None = None
    """The gate in one line."""
    split: Text | None = None
    """How requests are split at this weight, as the arms counted them: 24.7% of 1240 requests are
    the candidate's, its weight is 25%."""


class IntentStatus(Wire):
    """What became of a person's wish."""

    action: IntentAction
    """What was asked for."""
    by: Text
    """Who asked."""
    seen_at: Timestamp
    """When the operator saw it."""
    outcome: IntentOutcome
    """Whether it was acted on."""
    why: Message = ""
    """Why not, or what was done."""


class TimelineEntry(Wire):
    """One thing that happened."""

    at: Timestamp
    """When."""
    rule: Word
    """Rule that decided."""
    reason: Word
    """One CamelCase word for what happened."""
    message: Message = ""
    """The same in a sentence."""


class AgentRolloutStatus(Status):
    """How far the rollout came, and why."""

    phase: RolloutPhase = RolloutPhase.PROGRESSING
    """Where the rollout stands, for people to read; programs read conditions."""
    step: StepStatus | None = None
    """The step that it is at."""
    weights: WeightStatus | None = None
    """The candidate's share of the traffic."""
    gate: GateStatus | None = None
    """What the gate says."""
    intents: Annotated[tuple[IntentStatus, ...], Field(max_length=32), ATOMIC] = ()
    """What became of people's wishes, oldest first."""
    timeline: Annotated[tuple[TimelineEntry, ...], Field(max_length=64), ATOMIC] = ()
    """What happened, oldest first."""
    started_at: Timestamp | None = None
    """When it began."""
    finished_at: Timestamp | None = None
    """When it ended, whichever way."""
    promoted_at: Timestamp | None = None
    """When the candidate became stable."""
    waiting_since: Timestamp | None = None
    """Since when pods of the candidate are waited for; the progress deadline runs from here."""
    scale_down_at: Timestamp | None = None
    """When the version that lost the traffic is scaled down."""
    reason: Word | None = None
    """One CamelCase word for the phase."""
    message: Message | None = None
    """The same in a sentence: metric, both values, rule."""
    conditions: Conditions = ()
    """Accepted, Progressing, GatesPassing, Approved and Completed; Reconciling or Stalled while
    they apply."""
