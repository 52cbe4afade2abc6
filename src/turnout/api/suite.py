"""EvalSuite: tasks with a known right outcome, and how trials of them are run."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import (
    SHORT_NAME,
    Conditions,
    Digest,
    Duration,
    Int32,
    Name,
    Resource,
    Status,
    Timestamp,
    Wire,
)
from turnout.api.evalrun import EvalPhase
from turnout.api.prompt import ConfigMapKeyRef
from turnout.api.schema import ATOMIC, Cel, keyed_by
from turnout.api.suite_task import SuiteTask, TaskFormat

MOST_INLINE = 500
"""Tasks that a suite holds itself."""

_Path = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^\$")]


class TaskSource(Wire):
    """Tasks that are kept in a ConfigMap."""

    config_map_key_ref: ConfigMapKeyRef
    """Where they are. Example: {name: golden, key: tasks.jsonl}."""
    format: TaskFormat
    """How they are written there. Example: JSONL."""


class TrialLimits(Wire):
    """How often each task is tried."""

    cel = (Cel("self.min <= self.max", "min must be at most max"),)

    min: Annotated[int, Field(ge=1, le=50)] = 2
    """Trials of each task before the first verdict. Example: 2."""
    max: Annotated[int, Field(ge=1, le=50)] = 10
    """Trials of each task after which the run ends without one. Example: 10."""


class AgentProtocol(StrEnum):
    """How an agent is asked. May grow."""

    OPENAI_CHAT = "OpenAIChat"
    OPENAI_RESPONSES = "OpenAIResponses"
    A2A = "A2A"
    HTTP = "HTTP"


class BuiltinRunner(Wire):
    """The runner that comes with Turnout: it asks the agent and grades its answers."""

    cel = (
        Cel(
            "duration(self.timeoutPerTask) >= duration('1s') && "
            "duration(self.timeoutPerTask) <= duration('10m')",
            "timeoutPerTask must be between 1s and 10m",
        ),
        Cel(
            "self.protocol == 'HTTP' || (!has(self.inputField) && !has(self.answerPath))",
            "inputField and answerPath are for protocol HTTP",
        ),
    )

    protocol: AgentProtocol = AgentProtocol.OPENAI_CHAT
    """What the agent speaks. Example: OpenAIChat."""
    path: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^/[!-~]*$")] = (
        "/v1/chat/completions"
    )
    """Path on the port of the agent's Service. Example: /v1/chat/completions."""
    input_field: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """For protocol HTTP: field of the JSON body that holds the question; input where absent.
    Example: question."""
    answer_path: _Path | None = None
    """For protocol HTTP: place of the answer in the response; $.output where absent.
    Example: $.answer.text."""
    calls_path: _Path | None = None
    """Place in the response of the list of tools that were called, for graders of trajectories;
    what the protocol itself tells where absent. Example: $.task.calls."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    """Questions that are under way at a time, to each version. Example: 4."""
    per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Most questions that are begun in a minute, to each version; no limit where absent.
    Example: 60."""
    timeout_per_task: Duration = "60s"
    """How long one answer may take; then it is an error, neither passed nor failed.
    Example: 90s."""


class Runner(Wire):
    """Who tries the tasks."""

    builtin: BuiltinRunner
    """Turnout's own runner, in a Job in the suite's namespace.
    Example: {protocol: A2A, path: /}."""


class HistoryLimits(Wire):
    """How many runs of people are kept that have ended; those of a rollout go with it."""

    successful: Annotated[int, Field(ge=0, le=50)] = 5
    """Runs that passed. Example: 5."""
    failed: Annotated[int, Field(ge=0, le=50)] = 5
    """Runs that failed or came to no verdict. Example: 5."""


class EvalSuiteSpec(Wire):
    """Tasks, and how they are tried."""

    cel = (
        Cel(
            "(has(self.tasks) && size(self.tasks) > 0) || "
            "(has(self.tasksFrom) && size(self.tasksFrom) > 0)",
            "a suite needs tasks: give tasks, tasksFrom or both",
        ),
    )

    tasks: Annotated[tuple[SuiteTask, ...], Field(max_length=MOST_INLINE), keyed_by("id")] = ()
    """Tasks that stand here. Example: [{id: hours, input: When are you open?,
    graders: [{name: says, contains: {allOf: [9 to 5]}}]}]."""
    tasks_from: Annotated[tuple[TaskSource, ...], Field(max_length=16), ATOMIC] = ()
    """Tasks that are kept in ConfigMaps of this namespace, after those that stand here.
    Example: [{configMapKeyRef: {name: golden, key: tasks.jsonl}, format: JSONL}]."""
    trials: TrialLimits = TrialLimits()
    """How often each task is tried. Example: {min: 4, max: 10}."""
    runner: Runner
    """Who tries them. Example: {builtin: {protocol: OpenAIChat}}."""
    history_limits: HistoryLimits = HistoryLimits()
    """How many runs are kept that have ended. Example: {successful: 3, failed: 10}."""


class LastRun(Wire):
    """The run of a suite that ended last."""

    name: Name
    """Name of the EvalRun."""
    verdict: EvalPhase
    """How it ended: only Passed and Failed are verdicts."""
    at: Timestamp
    """When it ended."""


class EvalSuiteStatus(Status):
    """What the operator saw of a suite."""

    digest: Digest | None = None
    """Identity of its tasks and graders; absent while they cannot be read."""
    task_count: Int32 | None = None
    """How many tasks it has; absent while they cannot be read."""
    last_run: LastRun | None = None
    """The run that ended last."""
    conditions: Conditions = ()
    """Accepted and Ready; Stalled while the suite cannot be used."""


class EvalSuite(Resource):
    """Golden tasks that a version of an agent is tried with."""

    cel = (SHORT_NAME,)

    kind: Literal["EvalSuite"] = "EvalSuite"
    """Kind of the object."""
    spec: EvalSuiteSpec
    """What is wanted."""
    status: EvalSuiteStatus = EvalSuiteStatus()
    """What the operator saw."""
