"""What the operator says of a ToolRegistry: what the servers offer, against what is pinned."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from turnout.api.base import (
    Conditions,
    Digest,
    Int32,
    LocalRef,
    Message,
    Name,
    Status,
    Timestamp,
    Wire,
    Word,
)
from turnout.api.schema import keyed_by
from turnout.api.task import TaskStatus
from turnout.api.use import Use


class DriftChange(StrEnum):
    """In what a tool differs from what is pinned. May grow."""

    DESCRIPTION = "Description"
    INPUT_SCHEMA = "InputSchema"
    GONE = "Gone"
    NEW = "New"


class ToolDrift(Wire):
    """One tool that its server offers otherwise than pinned."""

    tool: Annotated[str, Field(max_length=128)]
    """Name of the tool."""
    server: Name
    """The server."""
    change: DriftChange
    """What changed."""
    pinned: Digest | None = None
    """Digest of {name, description, inputSchema} as pinned; absent for a new tool."""
    live: Digest | None = None
    """The same as the server says it now; absent for a tool that is gone."""


class ToolHints(Wire):
    """What a server says of a tool's effects. Shown, and never trusted."""

    tool: Annotated[str, Field(max_length=128)]
    """Name of the tool."""
    read_only: bool | None = None
    """The server's readOnlyHint."""
    destructive: bool | None = None
    """The server's destructiveHint."""


class ServerReport(Wire):
    """How a server was found at the last look."""

    name: Name
    """Name of the server."""
    reachable: bool = False
    """Whether it told its tools."""
    tool_count: Int32 = 0
    """Tools that it offers."""
    reason: Word | None = None
    """Why it did not tell them."""
    message: Message = ""
    """The same in a sentence."""
    last_checked: Timestamp | None = None
    """When it was asked."""


class ToolCounts(Wire):
    """Numbers for the columns."""

    servers: Int32 = 0
    """Servers in the registry."""
    tools: Int32 = 0
    """Tools in the registry."""
    write: Int32 = 0
    """Tools that write."""


class ToolRegistryStatus(Status):
    """Where a registry's content stands."""

    digest: Digest | None = None
    """Digest of the content; what an Agent's toolRegistryRef may pin. Absent while some tool is yet
    to be discovered."""
    used_by: Annotated[tuple[Use, ...], Field(max_length=256), keyed_by("agent")] = ()
    """Agents that refer to it, and how far the present content came in each."""
    truncated: Int32 | None = None
    """Agents that usedBy has no room for; RolledOut counts them too."""
    counts: ToolCounts | None = None
    """Servers and tools, counted."""
    content_ref: LocalRef | None = None
    """ConfigMap with what was discovered and pinned."""
    servers: Annotated[tuple[ServerReport, ...], Field(max_length=32), keyed_by("name")] = ()
    """The MCP servers as they were found."""
    drift: Annotated[tuple[ToolDrift, ...], Field(max_length=64)] = ()
    """What the servers offer otherwise than pinned."""
    hints: Annotated[tuple[ToolHints, ...], Field(max_length=256), keyed_by("tool")] = ()
    """What the servers say of their tools' effects."""
    task: TaskStatus | None = None
    """The newest look at the servers."""
    conditions: Conditions = ()
    """Accepted, Resolved, InSync, HintsAgree, RolledOut and Ready; Reconciling or Stalled while
    they apply."""
