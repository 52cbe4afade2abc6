"""One task of a suite of evaluations: what an agent is asked, and what its answer is held to."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from turnout.api.base import Wire
from turnout.api.graders import Grader
from turnout.api.schema import ATOMIC, Cel, keyed_by

MOST_TASKS = 2000
"""Tasks that one suite may have, over all its sources."""

LONGEST_LABEL = 63
"""Characters of a label's key and value."""

TaskId = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$")
]
_Said = Annotated[str, Field(min_length=1, max_length=32_768)]
_Label = Annotated[str, Field(max_length=LONGEST_LABEL)]


class TaskFormat(StrEnum):
    """How tasks are written in a file. May grow."""

    JSONL = "JSONL"
    YAML = "YAML"
    CSV = "CSV"


class Role(StrEnum):
    """Who speaks in a conversation."""

    USER = "User"
    ASSISTANT = "Assistant"


class Turn(Wire):
    """One message of a conversation."""

    role: Role
    """Who says it: User or Assistant. Example: User."""
    text: _Said
    """What is said. Example: Order 1042 arrived broken."""


class SuiteTask(Wire):
    """One task with a known right outcome."""

    cel = (
        Cel(
            "has(self.input) != has(self.conversation)",
            "exactly one of input and conversation is set",
        ),
        Cel(
            "!has(self.conversation) || "
            "self.conversation[size(self.conversation) - 1].role == 'User'",
            "the last message of a conversation is the user's",
        ),
    )

    id: TaskId
    """Name of the task, once in a suite: results speak of it by this.
    Example: verify-before-refund."""
    input: _Said | None = None
    """What the agent is asked, as one message. Example: Order 1042 arrived broken."""
    conversation: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=32), ATOMIC] | None = (
        None
    )
    """What the agent is asked, as a conversation that it answers; the last message is the user's.
    Example: [{role: User, text: Order 1042 arrived broken.}]."""
    labels: Annotated[dict[str, _Label], Field(max_length=16)] = Field(default_factory=dict)
    """Words to tell tasks apart by, keys of at most 63 characters; they decide nothing.
    Example: {topic: refunds}."""
    must_pass: bool = False
    """Whether one failure of this task fails the run. Example: true."""
    graders: Annotated[tuple[Grader, ...], Field(min_length=1, max_length=8), keyed_by("name")]
    """What the answer is held to; it passes where all agree.
    Example: [{name: says-so, contains: {allOf: [refunded]}}]."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The messages that the agent is given, the last one by the user."""
        if self.conversation is not None:
            return self.conversation
        return (Turn(role=Role.USER, text=self.input or ""),)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.input is None) is (self.conversation is None):
            raise ValueError("exactly one of input and conversation must be set")
        if self.turns[-1].role is not Role.USER:
            raise ValueError("the last message of a conversation must be the user's")
        if any(len(key) > LONGEST_LABEL for key in self.labels):
            raise ValueError(f"keys of labels have at most {LONGEST_LABEL} characters")
        names = [one.name for one in self.graders]
        if len(set(names)) < len(names):
            raise ValueError("two graders have one name")
        return self
