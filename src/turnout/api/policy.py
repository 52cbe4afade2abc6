"""What an agent may do. Turnout versions and delivers it; the agent or its gateway enforces it."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from turnout.api.base import (
    SHORT_NAME,
    Conditions,
    Content,
    Decimals,
    Digest,
    Duration,
    Int32,
    Name,
    Printable,
    Resource,
    Status,
    Timestamp,
    Wire,
)
from turnout.api.schema import SET, Cel, keyed_by
from turnout.api.use import Use

ToolPattern = Annotated[
    str, Field(min_length=1, max_length=129, pattern=r"^[a-zA-Z0-9_.-]*(\*|[a-zA-Z0-9_.-])$")
]
ModelPattern = Annotated[
    str, Field(min_length=1, max_length=129, pattern=r"^[a-zA-Z0-9_.:/@-]*(\*|[a-zA-Z0-9_.:/@-])$")
]
Limit = Annotated[int, Field(ge=1, le=2**31 - 1)]
ToolPatterns = Annotated[tuple[ToolPattern, ...], Field(max_length=256), SET]


class PolicyMode(StrEnum):
    """Whether what is forbidden is prevented. May grow; an unknown word counts as Enforce."""

    ENFORCE = "Enforce"
    AUDIT = "Audit"


class ToolAccess(Content):
    """Which tools may be called. Names may end in `*`; deny wins."""

    allow: ToolPatterns = ()
    """Tools that may be called; every tool where empty. Example: ["orders.*", "refunds.create"]."""
    deny: ToolPatterns = ()
    """Tools that may never be called, even where allowed. Example: ["admin.*"]."""
    require_approval: ToolPatterns = ()
    """Tools of which each call needs a person's agreement. Example: ["refunds.*"]."""


class ModelAccess(Content):
    """Which models may be asked."""

    allow: Annotated[tuple[ModelPattern, ...], Field(max_length=64), SET] = ()
    """Models that may be asked; names may end in `*`; every model where empty.
    Example: ["gpt-*"]."""


class Limits(Content):
    """Bounds of one task."""

    cel = (
        Cel(
            "!has(self.timeout) || duration(self.timeout) >= duration('1s')",
            "timeout must be at least 1s",
        ),
    )

    max_steps: Limit | None = None
    """Model calls in one task. Example: 20."""
    max_tool_calls: Limit | None = None
    """Tool calls in one task. Example: 30."""
    max_tokens_per_task: Limit | None = None
    """Tokens of one task, in and out. Example: 50000."""
    max_cost_per_task_usd: Annotated[Decimals | None, Field(alias="maxCostPerTaskUSD")] = None
    """Cost of one task in US dollars, a decimal as text. Example: "0.50"."""
    timeout: Duration | None = None
    """Time for one task. Example: 2m."""


class PolicyRule(Content):
    """A condition that a call has to meet, in CEL."""

    name: Name
    """Name of the rule. Example: small-refunds."""
    expression: Annotated[str, Field(min_length=1, max_length=2048)]
    """CEL expression that is true where the call may go on. Its variables are those of the agent or
    gateway that evaluates it; Turnout only checks that it compiles.
    Example: tool.name != 'refunds.create' || double(tool.arguments.amountUSD) <= 100.0."""
    message: Annotated[str, Field(max_length=256)] = ""
    """What the model or a person is told where it is false. Example: at most 100 USD a refund."""


class Contact(Content):
    """Somebody to ask or to tell."""

    name: Printable
    """Name of the team or person. Example: support-leads."""
    contact: Printable
    """Where they are reached. Example: "#support-leads"."""


class KillAgent(StrEnum):
    """Whether agents may work. May grow; an unknown word counts as Stop."""

    ALLOW = "Allow"
    STOP = "Stop"


class KillSwitch(Wire):
    """What is stopped at once, in running pods, without a rollout."""

    schema_defaults: ClassVar[bool] = False

    agent: KillAgent = KillAgent.ALLOW
    """Stop takes all traffic off every agent with this policy and tells its pods to end what they
    do; Allow where absent. Example: Stop."""
    tools: ToolPatterns = ()
    """Tools of which no call is made from now on; names may end in `*`.
    Example: ["refunds.create"]."""

    @property
    def thrown(self) -> bool:
        """Tell whether anything is stopped."""
        return self.agent is not KillAgent.ALLOW or bool(self.tools)


class AgentPolicySpec(Content):
    """The policy: all of it is content, and a change a new version of every agent with it.

    The kill switch alone is not: it acts on what runs.
    """

    mode: PolicyMode
    """Enforce prevents what is forbidden, Audit only reports it. Example: Enforce."""
    tools: ToolAccess | None = None
    """Which tools may be called; all of them where absent. Example: {deny: ["admin.*"]}."""
    models: ModelAccess | None = None
    """Which models may be asked; all of them where absent. Example: {allow: ["gpt-*"]}."""
    limits: Limits | None = None
    """Bounds of one task; none where absent. Example: {maxSteps: 20, timeout: 2m}."""
    rules: Annotated[tuple[PolicyRule, ...], Field(max_length=32), keyed_by("name")] = ()
    """Conditions in CEL, delivered to the agent or its gateway, which evaluates them."""
    contacts: Annotated[tuple[Contact, ...], Field(max_length=16), keyed_by("name")] = ()
    """Who is asked for approval and told of what goes wrong. Needed where a tool that writes needs
    approval."""
    kill_switch: KillSwitch | None = None
    """Stops tools or agents in running pods within seconds; no content, so no rollout. Leave it out
    of Git. Example: {tools: ["refunds.create"]}."""

    @override
    def content(self) -> dict[str, Any]:
        """The value as it is hashed: without the kill switch, which is no part of any version."""
        return self._without_switch(super().content())

    def delivered(self) -> dict[str, Any]:
        """The policy as pods read it."""
        return self._without_switch(self.to_wire())

    @staticmethod
    def _without_switch(document: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in document.items() if key != "killSwitch"}


class Killed(Wire):
    """What the kill switch stops now, and how many pods know."""

    agent: KillAgent
    """Whether agents are stopped."""
    tools: ToolPatterns
    """Tools that are stopped."""
    since: Timestamp
    """When it came to stop just this."""
    pods: Annotated[str, Field(max_length=23)]
    """Pods that were given the order, of all pods of the agents with this policy: 3/3."""


class AgentPolicyStatus(Status):
    """Where a policy's content stands."""

    digest: Digest | None = None
    """Digest of the content; what an Agent's policyRef may pin."""
    used_by: Annotated[tuple[Use, ...], Field(max_length=256), keyed_by("agent")] = ()
    """Agents that refer to it, and how far the present content came in each."""
    truncated: Int32 | None = None
    """Agents that usedBy has no room for; RolledOut counts them too."""
    allowed: Int32 = 0
    """Number of patterns in tools.allow, for the column."""
    denied: Int32 = 0
    """Number of patterns in tools.deny, for the column."""
    killed: Killed | None = None
    """What the kill switch stops; absent while it stops nothing."""
    conditions: Conditions = ()
    """Accepted, KillSwitch, RolledOut and Ready; Reconciling or Stalled while they apply."""


class AgentPolicy(Resource):
    """What agents may do. Changing it starts a rollout of every agent that uses it."""

    cel = (SHORT_NAME,)

    kind: Literal["AgentPolicy"] = "AgentPolicy"
    """Kind of the object."""
    spec: AgentPolicySpec
    """What is wanted."""
    status: AgentPolicyStatus = AgentPolicyStatus()
    """What the operator saw."""
