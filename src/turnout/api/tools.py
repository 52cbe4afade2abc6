"""The tools of an agent: where they are, what they are called, what they may do."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from turnout.api.base import SHORT_NAME, Content, Digest, Duration, Name, Resource, Wire
from turnout.api.schema import Cel, keyed_by
from turnout.api.tools_status import ToolRegistryStatus

ToolName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[a-zA-Z0-9_.-]+$")]

_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_HOST = rf"({_LABEL}\.)*[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_OCTET = "(0|[1-9][0-9]{0,2})"
_ADDRESS = rf"{_OCTET}(\.{_OCTET}){{3}}"
ServerUrl = Annotated[
    str,
    Field(max_length=512, pattern=rf"^https?://({_HOST}|{_ADDRESS})(:[0-9]{{1,5}})?([/?][!-~]*)?$"),
    Cel(
        "!self.startsWith('http://169.254.') && !self.startsWith('https://169.254.') && "
        "!self.startsWith('http://0.') && !self.startsWith('https://0.')",
        "link-local and unspecified addresses cannot be servers",
    ),
]


class ServerType(StrEnum):
    """The protocol that a server speaks. May grow."""

    MCP = "MCP"
    HTTP = "HTTP"
    OPEN_API = "OpenAPI"
    A2A = "A2A"


class SideEffect(StrEnum):
    """What calling a tool does to the world. May grow; an unknown word counts as Write."""

    READ = "Read"
    IDEMPOTENT_WRITE = "IdempotentWrite"
    WRITE = "Write"


class ToolApproval(StrEnum):
    """Whether a person must agree to each call. May grow; an unknown word counts as Required."""

    NOT_REQUIRED = "NotRequired"
    REQUIRED = "Required"


class ShadowMode(StrEnum):
    """What a call of a tool does where nobody may be harmed. May grow."""

    PASSTHROUGH = "Passthrough"
    STUB = "Stub"
    BLOCK = "Block"


class DriftPolicy(StrEnum):
    """What is done when a server offers other tools than are pinned. May grow."""

    IGNORE = "Ignore"
    ALERT = "Alert"
    HOLD = "Hold"
    ROLLBACK = "Rollback"


class SecretKeyRef(Content):
    """One key of a Secret in this namespace. Its value is never read by the operator."""

    name: Annotated[
        str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    ]
    """Name of the Secret. Example: crm."""
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
    """Key in it. Example: token."""


class HeaderFrom(Content):
    """A request header with a value from a Secret."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9-]*$"),
        Cel(
            "!(self.lowerAscii() in ['host', 'connection', 'content-length', 'transfer-encoding'])",
            "headers that say how a request travels cannot be set",
        ),
    ]
    """Name of the header. Example: Authorization."""
    secret_key_ref: SecretKeyRef
    """Where its value is. Example: {name: crm, key: authorization}."""


class ToolServer(Content):
    """A server that offers tools."""

    name: Name
    """Name that tools refer to. Example: crm."""
    type: ServerType
    """The protocol that the server speaks. Example: MCP."""
    url: ServerUrl
    """Where the agent reaches it; of a server of type OpenAPI, where its document is. http or
    https, no user or password in it. The operator never connects to it; a Job in this namespace
    does. Example: https://crm.example.com/mcp."""
    headers_from: Annotated[tuple[HeaderFrom, ...], Field(max_length=8), keyed_by("name")] = ()
    """Headers that it is asked with, by their Secrets; the agent is given the names only, and gets
    the values as its pod template says. Example: [{name: Authorization, secretKeyRef: {name: crm,
    key: authorization}}]."""


class ToolShadow(Content):
    """How calls of a tool are treated where nobody may be harmed."""

    cel = (
        Cel(
            "has(self.response) == (self.mode == 'Stub')",
            "shadow.response goes with shadow.mode Stub, and only with it",
        ),
    )

    mode: ShadowMode
    """Passthrough makes the call, Stub gives the response below, Block refuses it.
    Example: Stub."""
    response: Annotated[str, Field(min_length=2, max_length=8192)] | None = None
    """What a stubbed call returns: a JSON object as text. Example: '{"id":"x"}'."""


class Tool(Content):
    """One tool, as the model is told about it."""

    cel = (
        Cel(
            "!has(self.shadow) || self.shadow.mode != 'Passthrough' || self.sideEffect == 'Read'",
            "shadow.mode Passthrough is for tools with sideEffect Read only",
        ),
        Cel(
            "has(self.inputSchema) || has(self.server)",
            "a tool without inputSchema needs the server that it is discovered from",
        ),
    )

    name: ToolName
    """Name of the tool as the model calls it. Example: refunds.create."""
    server: Name | None = None
    """Server that offers it; a tool inside the agent itself where absent. Example: crm."""
    description: Annotated[str, Field(max_length=4096)] = ""
    """What the model reads about the tool. Example: Refund an order in full or in part."""
    input_schema: Annotated[str, Field(min_length=2, max_length=32_768)] | None = None
    """JSON Schema 2020-12 of the arguments, as a JSON text. Where absent, it is discovered from the
    server (MCP, OpenAPI) once and pinned, and so is a description that is absent.
    Example: '{"type":"object"}'."""
    digest: Annotated[Digest | None, Field(exclude=True)] = None
    """Accepts what the server says of this tool: its digest as in status.drift[].live. What was
    pinned before is replaced; until the server offers exactly this, the old stays."""
    side_effect: SideEffect
    """What a call does to the world; never taken from the server's own hints. Example: Write."""
    approval: ToolApproval = ToolApproval.NOT_REQUIRED
    """Whether a person must agree to each call; NotRequired where absent. Enforced by the agent or
    its gateway. Example: Required."""
    shadow: ToolShadow | None = None
    """How calls are treated where nobody may be harmed: in a version that is evaluated, where a
    stub server stands in, and in one that gets copies of requests. Where absent, reads are made and
    writes are answered by a stub. Example: {mode: Stub, response: '{"id":"x"}'}."""


class Drift(Wire):
    """How the servers are watched; no content: changing it is no new version."""

    policy: DriftPolicy
    """Ignore does nothing, Alert shows what changed as a condition and an Event, Hold also holds
    running rollouts of the agents that use the registry until it is reverted or accepted, Rollback
    also takes each of them back to a version of before that was made of what the servers tell now,
    where it has one. Example: Hold."""
    interval: Annotated[
        Duration,
        Cel(
            "duration(self) >= duration('10s') && duration(self) <= duration('24h')",
            "the interval is from 10s to 24h",
        ),
    ]
    """Pause between two looks at the servers. Example: 5m."""


class ToolRegistrySpec(Content):
    """Servers and tools: all of it is content but `drift`."""

    servers: Annotated[tuple[ToolServer, ...], Field(max_length=32), keyed_by("name")] = ()
    """Servers that offer the tools."""
    tools: Annotated[tuple[Tool, ...], Field(max_length=256), keyed_by("name")] = ()
    """Tools that the agent has."""
    drift: Annotated[Drift | None, Field(exclude=True)] = None
    """How servers of the types MCP and OpenAPI are watched; not at all where absent.
    Example: {policy: Hold, interval: 5m}."""


class ToolRegistry(Resource):
    """The tools that agents may call. Changing it starts a rollout of every agent that uses it."""

    cel = (SHORT_NAME,)

    kind: Literal["ToolRegistry"] = "ToolRegistry"
    """Kind of the object."""
    spec: ToolRegistrySpec
    """What is wanted."""
    status: ToolRegistryStatus = ToolRegistryStatus()
    """What the operator saw."""
