"""What the policy lets a task do, and how much of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from .documents import Limits, Policy, Tool

_MILLION = Decimal(1_000_000)


class Permission(StrEnum):
    """May a tool be called?"""

    GRANTED = "Granted"
    NOT_ALLOWED = "NotAllowed"
    DENIED = "Denied"
    NEEDS_APPROVAL = "NeedsApproval"
    KILLED = "Killed"


def permission(policy: Policy, tool: Tool) -> Permission:
    """What the policy and the registry say about a tool; a denial outweighs everything."""
    if matches(policy.tools.deny, tool.name):
        return Permission.DENIED
    if policy.tools.allow and not matches(policy.tools.allow, tool.name):
        return Permission.NOT_ALLOWED
    if tool.approval == "Required" or matches(policy.tools.require_approval, tool.name):
        return Permission.NEEDS_APPROVAL
    return Permission.GRANTED


def model_allowed(policy: Policy, model: str) -> bool:
    """Whether the policy lets this model be asked."""
    return not policy.models.allow or matches(policy.models.allow, model)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns, exact or up to a trailing `*`, is met."""
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        for pattern in patterns
    )


class LimitReachedError(Exception):
    """A task has used up what its policy grants.

    Attributes:
        reason: CamelCase name of the limit.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Usage:
    """Tokens of one reply."""

    input: int
    output: int


@dataclass
class Spending:
    """What one task has used so far, and the prices by which tokens become money.

    Attributes:
        price_input: US dollars for a million tokens read.
        price_output: US dollars for a million tokens written.
    """

    price_input: Decimal = Decimal(0)
    price_output: Decimal = Decimal(0)
    steps: int = field(default=0, init=False)
    tool_calls: int = field(default=0, init=False)
    input: int = field(default=0, init=False)
    output: int = field(default=0, init=False)

    def add(self, usage: Usage) -> None:
        """Count the tokens of a reply."""
        self.input += usage.input
        self.output += usage.output

    @property
    def cost(self) -> Decimal:
        """US dollars."""
        return (self.input * self.price_input + self.output * self.price_output) / _MILLION

    def limit_before_step(self, limits: Limits) -> str | None:
        """The limit that another step would break."""
        return _first(
            ("MaxSteps", self.steps, limits.max_steps),
            ("MaxTokensPerTask", self.input + self.output, limits.max_tokens_per_task),
            ("MaxCostPerTask", self.cost, limits.max_cost_per_task_usd),
        )

    def limit_before_tool_call(self, limits: Limits) -> str | None:
        """The limit that another tool call would break."""
        return _first(("MaxToolCalls", self.tool_calls, limits.max_tool_calls))


def _first(*limits: tuple[str, Decimal | int, Decimal | int | None]) -> str | None:
    return next((name for name, used, limit in limits if limit is not None and used >= limit), None)
