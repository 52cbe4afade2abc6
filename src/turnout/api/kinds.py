"""The table of our kinds: what a CRD says besides its schema."""

from dataclasses import dataclass, field

from turnout.api.agent import Agent
from turnout.api.base import Resource
from turnout.api.evalrun import EvalRun
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import RolloutStrategy
from turnout.api.suite import EvalSuite
from turnout.api.tools import ToolRegistry
from turnout.api.version import AgentVersion

CATEGORY = "turnout"


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`.

    Attributes:
        name: Heading.
        path: JSONPath of the value in the object.
        type: Type of the value: string, integer or date.
        wide: Shown only with `-o wide`.
    """

    name: str
    path: str
    type: str = "string"
    wide: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of ours.

    Attributes:
        model: The wire type; its name is the kind and its docstring the description.
        plural: Name of the resource in the API.
        short_name: What people may type for it.
        columns: What `kubectl get` shows.
        selectable: Fields that a field selector may name.
        scale: Whether autoscalers can drive it.
    """

    model: type[Resource]
    plural: str
    short_name: str
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    scale: bool = field(default=False, kw_only=True)

    @property
    def name(self) -> str:
        """The kind."""
        return self.model.__name__


AGE = Column("AGE", ".metadata.creationTimestamp", "date")


def _condition(name: str, condition: str, part: str = "status", *, wide: bool = False) -> Column:
    return Column(name, f'.status.conditions[?(@.type=="{condition}")].{part}', wide=wide)


KINDS: tuple[Kind, ...] = (
    Kind(
        Agent,
        "agents",
        "tagent",
        (
            Column("PHASE", ".status.phase"),
            Column("STABLE", ".status.stable.version"),
            Column("CANDIDATE", ".status.candidate.version"),
            Column("STEP", ".status.rollout.progress"),
            Column("WEIGHT", ".status.candidate.weight", "integer"),
            Column("GATE", ".status.summary"),
            _condition("READY", "Ready", wide=True),
            Column("ROLLOUT", ".status.rollout.name", wide=True),
            Column("MODEL", ".spec.model.name", wide=True),
            _condition("MESSAGE", "Ready", "message", wide=True),
            AGE,
        ),
        (".status.phase", ".status.stable.version"),
        scale=True,
    ),
    Kind(
        Prompt,
        "prompts",
        "tprompt",
        (
            Column("ROLE", ".spec.role"),
            Column("FORMAT", ".spec.format"),
            _condition("ROLLED-OUT", "RolledOut"),
            Column("DIGEST", ".status.digest", wide=True),
            AGE,
        ),
    ),
    Kind(
        ToolRegistry,
        "toolregistries",
        "ttool",
        (
            Column("SERVERS", ".status.counts.servers", "integer"),
            Column("TOOLS", ".status.counts.tools", "integer"),
            Column("WRITE", ".status.counts.write", "integer"),
            _condition("ROLLED-OUT", "RolledOut"),
            Column("DIGEST", ".status.digest", wide=True),
            AGE,
        ),
    ),
    Kind(
        AgentPolicy,
        "agentpolicies",
        "tpolicy",
        (
            Column("MODE", ".spec.mode"),
            Column("ALLOW", ".status.allowed", "integer"),
            Column("DENY", ".status.denied", "integer"),
            _condition("KILL", "KillSwitch", "reason"),
            _condition("ROLLED-OUT", "RolledOut"),
            Column("KILLED", ".status.killed.pods", wide=True),
            Column("DIGEST", ".status.digest", wide=True),
            AGE,
        ),
    ),
    Kind(
        RolloutStrategy,
        "rolloutstrategies",
        "tstrat",
        (
            Column("MODE", ".spec.gate.mode"),
            Column("MAX-DURATION", ".spec.gate.maxDuration"),
            _condition("READY", "Ready", wide=True),
            AGE,
        ),
    ),
    Kind(
        MetricTemplate,
        "metrictemplates",
        "tmetric",
        (
            Column("TYPE", ".spec.type"),
            Column("SERIES", ".status.lastMatch.series", "integer"),
            _condition("ACCEPTED", "Accepted"),
            _condition("SERIES", "SeriesFound", "reason"),
            AGE,
        ),
    ),
    Kind(
        EvalSuite,
        "evalsuites",
        "tsuite",
        (
            Column("TASKS", ".status.taskCount", "integer"),
            _condition("ACCEPTED", "Accepted"),
            Column("LAST", ".status.lastRun.name"),
            Column("VERDICT", ".status.lastRun.verdict"),
            Column("DIGEST", ".status.digest", wide=True),
            _condition("MESSAGE", "Accepted", "message", wide=True),
            AGE,
        ),
    ),
    Kind(
        AgentVersion,
        "agentversions",
        "tav",
        (
            Column("AGENT", ".spec.agent"),
            Column("STATE", ".status.state"),
            _condition("READY", "Available"),
            Column("PROMOTED", ".status.promotedAt", "date"),
            Column("REJECTED-BY", ".status.rejectedBy.metric", wide=True),
            Column("DIGEST", ".spec.digest", wide=True),
            AGE,
        ),
        (".spec.agent",),
    ),
    Kind(
        AgentRollout,
        "agentrollouts",
        "tar",
        (
            Column("AGENT", ".spec.agent"),
            Column("FROM", ".spec.from.version"),
            Column("TO", ".spec.to.version"),
            Column("PHASE", ".status.phase"),
            Column("STEP", ".status.step.progress"),
            Column("WEIGHT", ".status.weights.desired", "integer"),
            Column("GATE", ".status.gate.summary"),
            Column("BY", ".status.intents[-1:].by", wide=True),
            Column("MESSAGE", ".status.message", wide=True),
            AGE,
        ),
        (".spec.agent", ".status.phase"),
    ),
    Kind(
        EvalRun,
        "evalruns",
        "tev",
        (
            Column("SUITE", ".spec.suite.name"),
            Column("VERSION", ".spec.version.name"),
            Column("VERDICT", ".status.phase"),
            Column("PASS", ".status.passRate.value"),
            Column("REGRESSED", ".status.regressedCount", "integer"),
            Column("PROGRESS", ".status.progress.share"),
            Column("BASELINE", ".status.plan.baseline.version", wide=True),
            Column("LOW", ".status.passRate.low", wide=True),
            Column("HIGH", ".status.passRate.high", wide=True),
            Column("MESSAGE", ".status.message", wide=True),
            AGE,
        ),
        (".spec.suite.name", ".spec.version.name", ".status.phase"),
    ),
)
"""Every kind of the group turnout.dev, version v1alpha1."""
