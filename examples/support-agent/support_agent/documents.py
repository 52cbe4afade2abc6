"""The mounted files' form. Fields that this agent does not know are left alone."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Document(BaseModel):
    """A part of a mounted file."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")


def _json_object(value: object) -> object:
    document = json.loads(value) if isinstance(value, str) else value
    if isinstance(document, dict):
        return document
    raise ValueError("must be the text of a JSON object")


def _duration(value: object) -> object:
    """Go's notation, as everywhere in Kubernetes: `1h30m`, `45s`."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", str(value))
    if not parts or not parts.group():
        raise ValueError("must be a duration like 2m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _file_name(value: str) -> str:
    if not value or value.startswith(".") or "/" in value:
        raise ValueError("must be a file's name, without a folder")
    return value


JSONText = Annotated[dict[str, Any], BeforeValidator(_json_object)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
FileName = Annotated[str, AfterValidator(_file_name)]


class Model(Document):
    """Which model, and with what parameters."""

    provider: str
    name: str
    temperature: Decimal | None = None
    max_tokens: int | None = None
    extra: JSONText = {}


class Role(StrEnum):
    """Where a prompt's text goes."""

    SYSTEM = "System"
    DEVELOPER = "Developer"
    USER = "User"
    FRAGMENT = "Fragment"


class Prompt(Document):
    """A prompt's place among the others; its text is in a file of its own."""

    name: str
    role: Role
    format: Literal["Plain"] = "Plain"
    file: FileName


class AgentDocument(Document):
    """`agent.json`."""

    agent: str
    namespace: str = ""
    version: str = ""
    digest: str = ""
    model: Model
    prompts: tuple[Prompt, ...]
    tools: FileName | None = None
    policy: FileName | None = None


class Server(Document):
    """Where tools are called."""

    name: str
    type: Literal["HTTP"]
    url: str


class Tool(Document):
    """One tool that the model is told of."""

    name: str
    server: str
    description: str = ""
    input_schema: JSONText = {"type": "object"}
    side_effect: Literal["Read", "IdempotentWrite", "Write"]
    approval: Literal["NotRequired", "Required"] = "NotRequired"


class ToolsDocument(Document):
    """`tools.json`."""

    servers: tuple[Server, ...] = ()
    tools: tuple[Tool, ...] = ()


class ToolPatterns(Document):
    """Names of tools, exact or up to a trailing `*`."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    require_approval: tuple[str, ...] = ()


class ModelPatterns(Document):
    """Names of models, exact or up to a trailing `*`."""

    allow: tuple[str, ...] = ()


class Limits(Document):
    """What one task may take; None is no limit."""

    max_steps: int | None = None
    max_tool_calls: int | None = None
    max_tokens_per_task: int | None = None
    max_cost_per_task_usd: Annotated[Decimal | None, Field(alias="maxCostPerTaskUSD")] = None
    timeout: Duration | None = None


class Policy(Document):
    """`policy.json`."""

    mode: Literal["Enforce", "Audit"] = "Enforce"
    tools: ToolPatterns = ToolPatterns()
    models: ModelPatterns = ModelPatterns()
    limits: Limits = Limits()
