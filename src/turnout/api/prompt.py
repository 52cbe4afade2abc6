"""A prompt: text that an agent is given, and what it is for."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import (
    LABEL,
    SHORT_NAME,
    Conditions,
    Content,
    Digest,
    Duration,
    Int32,
    LocalRef,
    Resource,
    Status,
)
from turnout.api.prompt_sources import LangfuseSource, MlflowSource, RefPolicy, ResolvedText
from turnout.api.schema import Cel, keyed_by
from turnout.api.task import TaskStatus
from turnout.api.use import Use

LONGEST_TEXT = 262_144
"""Characters of a text, wherever it comes from."""

ConfigMapName = Annotated[
    str, Field(min_length=1, max_length=253, pattern=rf"^{LABEL}(\.{LABEL})*$")
]
ConfigMapKey = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
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


class ConfigMapKeyRef(Content):
    """Names one text in a ConfigMap of the same namespace."""

    name: ConfigMapName
    """Name of the ConfigMap, in this namespace. Example: support-prompts."""
    key: ConfigMapKey
    """Key of the text in its data; what is in binaryData is no text. Example: system.txt."""


class PromptSpec(Content):
    """The text and what it is for.

    All of it is content, every byte; but where the text comes from is not, so a text that moves
    from here into a ConfigMap or a prompt registry is no change.
    """

    cel = (
        Cel(
            "[has(self.text), has(self.configMapKeyRef), has(self.langfuse), has(self.mlflow)]"
            ".filter(given, given).size() == 1",
            "exactly one of text, configMapKeyRef, langfuse and mlflow must be given",
        ),
        Cel(
            "has(self.refPolicy) == ((has(self.langfuse) && has(self.langfuse.label)) "
            "|| (has(self.mlflow) && has(self.mlflow.alias)))",
            "refPolicy goes with a label or an alias, and only with one",
        ),
        Cel(
            "!has(self.checkInterval) || has(self.refPolicy)",
            "checkInterval goes with a label or an alias: versions do not move",
        ),
    )

    role: PromptRole
    """What the text is to the model. Example: System."""
    text: Annotated[str | None, Field(min_length=1, max_length=LONGEST_TEXT)] = None
    """The text itself; not a byte of it is changed on the way to the pod. Leave it out where the
    text is kept elsewhere.
    Example: You answer questions about orders."""
    config_map_key_ref: ConfigMapKeyRef | None = None
    """A text of the same length at most, in a ConfigMap: one that a deployment tool makes of a
    file in Git, for instance. A change of it is a change of content.
    Example: {name: support-prompts, key: system.txt}."""
    langfuse: LangfuseSource | None = None
    """A text prompt in Langfuse, read by a Job in this namespace and pinned by its bytes."""
    mlflow: MlflowSource | None = None
    """A text prompt in MLflow's prompt registry, read and pinned likewise."""
    ref_policy: RefPolicy | None = None
    """What follows when the label or alias is moved: Pin reports it and keeps what was read,
    Track takes the other version, which is a rollout. Example: Pin."""
    check_interval: (
        Annotated[
            Duration,
            Cel(
                "duration(self) >= duration('1m') && duration(self) <= duration('24h')",
                "the interval is from 1m to 24h",
            ),
        ]
        | None
    ) = None
    """Pause between two looks at where the label or alias points; 10m where absent.
    Example: 10m."""
    format: PromptFormat
    """How the agent reads placeholders: Plain has none, Mustache and Jinja are rendered by the
    agent, never by the operator. Example: Plain."""
    variables: Annotated[tuple[PromptVariable, ...], Field(max_length=64), keyed_by("name")] = ()
    """Placeholders in the text; handed to the agent in agent.json.
    Example: [{name: customer_name, required: true}]."""


class PromptStatus(Status):
    """Where a prompt's content stands."""

    digest: Digest | None = None
    """Digest of the content; what an Agent's promptRefs may pin. Absent while there is no text."""
    resolved: ResolvedText | None = None
    """What was read of a text that is kept outside the cluster."""
    content_ref: LocalRef | None = None
    """ConfigMap that such a text is pinned in."""
    task: TaskStatus | None = None
    """The newest question to where it is kept."""
    used_by: Annotated[tuple[Use, ...], Field(max_length=256), keyed_by("agent")] = ()
    """Agents that refer to it, and how far the present content came in each."""
    truncated: Int32 | None = None
    """Agents that usedBy has no room for; RolledOut counts them too."""
    conditions: Conditions = ()
    """Accepted, Resolved, RolledOut and Ready; Reconciling or Stalled while they apply."""


class Prompt(Resource):
    """A text that agents are given. Changing it starts a rollout of every agent that uses it."""

    cel = (SHORT_NAME,)

    kind: Literal["Prompt"] = "Prompt"
    """Kind of the object."""
    spec: PromptSpec
    """What is wanted."""
    status: PromptStatus = PromptStatus()
    """What the operator saw."""
