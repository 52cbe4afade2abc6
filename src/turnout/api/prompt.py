"""A prompt: text that an agent is given, and what it is for."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import SHORT_NAME, Conditions, Content, Digest, Resource, Status, Use
from turnout.api.schema import keyed_by

VariableName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
]


class PromptRole(StrEnum):
    """What a text is to the model. May grow."""

    SYSTEM = "System"
    DEVELOPER = "Developer"
    USER = "User"
    FRAGMENT = "Fragment"


class PromptFormat(StrEnum):
    """How the agent reads placeholders in a text. May grow."""

    PLAIN = "Plain"
    MUSTACHE = "Mustache"
    JINJA = "Jinja"


class PromptVariable(Content):
    """A placeholder that the agent fills in."""

    name: VariableName
    """Name of the placeholder. Example: customer_name."""
    required: bool = False
    """Whether the agent must have a value for it; false where absent."""
    default: Annotated[str, Field(max_length=4096)] = ""
    """Value where the agent has none. Example: there."""


class PromptSpec(Content):
    """The text and what it is for: all of it is content, every byte."""

    role: PromptRole
    """What the text is to the model. Example: System."""
    text: Annotated[str, Field(min_length=1, max_length=262_144)]
    """The text itself; not a byte of it is changed on the way to the pod.
    Example: You answer questions about orders."""
    format: PromptFormat
    """How the agent reads placeholders: Plain has none, Mustache and Jinja are rendered by the
    agent, never by the operator. Example: Plain."""
    variables: Annotated[tuple[PromptVariable, ...], Field(max_length=64), keyed_by("name")] = ()
    """Placeholders in the text; handed to the agent in agent.json.
    Example: [{name: customer_name, required: true}]."""


class PromptStatus(Status):
    """Where a prompt's content stands."""

    digest: Digest | None = None
    """Digest of the content; what an Agent's promptRefs may pin."""
    used_by: Annotated[tuple[Use, ...], Field(max_length=256), keyed_by("agent")] = ()
    """Agents that refer to it, and how far the present content came in each."""
    conditions: Conditions = ()
    """Accepted, RolledOut and Ready; Reconciling or Stalled while they apply."""


class Prompt(Resource):
    """A text that agents are given. Changing it starts a rollout of every agent that uses it."""

    cel = (SHORT_NAME,)

    kind: Literal["Prompt"] = "Prompt"
    """Kind of the object."""
    spec: PromptSpec
    """What is wanted."""
    status: PromptStatus = PromptStatus()
    """What the operator saw."""
