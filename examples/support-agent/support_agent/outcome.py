"""How a task ended."""

from dataclasses import dataclass
from enum import StrEnum

from .model import ToolCall


class Outcome(StrEnum):
    """The four ends of a task; the values are the `outcome` label of `agent_tasks_total`."""

    SUCCESS = "success"
    """The answer holds against the shop's records."""
    FAILURE = "failure"
    """There is an answer, and it does not hold."""
    LIMITED = "limited"
    """The policy's limits, or a person by a kill switch, ended the task."""
    ERROR = "error"
    """It is not known how the task would have ended: something outside did not answer."""


@dataclass(frozen=True)
class Result:
    """An ended task.

    Attributes:
        reason: CamelCase word that says why the outcome is what it is.
        text: The answer, or one sentence on why there is none.
        answered: Whether the model gave an answer.
        calls: Calls of tools that the model wanted, by the tools' own names, in their order.
    """

    outcome: Outcome
    reason: str
    text: str
    answered: bool
    steps: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    calls: tuple[ToolCall, ...] = ()
