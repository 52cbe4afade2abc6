"""The tools of a version as its pods see them where nobody may be harmed: evaluations and shadows.

What reads goes to its own server. What writes goes to a stub server, which answers as if it had
been done. What cannot be led there is not offered: a model cannot call what it is not told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from turnout.api.tools import (
    ServerType,
    ShadowMode,
    SideEffect,
    Tool,
    ToolRegistrySpec,
    ToolServer,
)

PATHS: Final[Mapping[ServerType, str]] = {ServerType.MCP: "/mcp", ServerType.HTTP: "/tools"}
"""Where the stub server speaks each protocol; others it does not speak."""


@dataclass(frozen=True)
class Absent:
    """A tool that is not offered.

    Attributes:
        tool: Its name.
        why: Why it can be led to no stub, in a clause.
    """

    tool: str
    why: str


@dataclass(frozen=True)
class View:
    """What pods in such a mode get.

    Attributes:
        tools: Servers and tools, in place of the version's own.
        stubbed: Tools that the stub server answers for, those that it refuses among them.
        absent: Tools that are not offered.
    """

    tools: ToolRegistrySpec
    stubbed: tuple[Tool, ...] = ()
    absent: tuple[Absent, ...] = ()


def mode(tool: Tool) -> ShadowMode:
    """Tell how calls of a tool are treated.

    Where nothing is written reads are made and writes stubbed; what is not known to be a read never
    reaches its server.
    """
    if tool.side_effect is SideEffect.READ:
        return tool.shadow.mode if tool.shadow else ShadowMode.PASSTHROUGH
    if tool.shadow is None:
        return ShadowMode.STUB
    return ShadowMode.BLOCK if tool.shadow.mode is ShadowMode.PASSTHROUGH else tool.shadow.mode


def view(tools: ToolRegistrySpec, stubs: str) -> View:
    """Lead the tools of a version to where they do no harm.

    Args:
        tools: Servers and tools of the version, schemas filled in.
        stubs: Address of the stub server.
    """
    servers = {one.name: one for one in tools.servers}
    names = {kind: _free(f"turnout-stubs-{kind.lower()}", servers) for kind in PATHS}
    kept: list[Tool] = []
    stubbed: list[Tool] = []
    absent: list[Absent] = []
    for tool in tools.tools:
        server = servers.get(tool.server or "")
        if mode(tool) is ShadowMode.PASSTHROUGH:
            kept.append(tool)
        elif server is None or server.type not in PATHS:
            absent.append(Absent(tool.name, _why(server)))
        else:
            stubbed.append(tool)
            kept.append(tool.model_copy(update={"server": names[server.type]}))
    used = {one.server for one in kept}
    led = [
        ToolServer(name=names[kind], type=kind, url=f"{stubs}{path}")
        for kind, path in PATHS.items()
        if names[kind] in used
    ]
    own = [one for one in tools.servers if one.name in used]
    offered = tools.model_copy(update={"servers": (*own, *led), "tools": tuple(kept)})
    return View(offered, tuple(stubbed), tuple(absent))


def _why(server: ToolServer | None) -> str:
    if server is None:
        return "it is inside the agent itself, where no stub can stand in"
    return f"servers of type {server.type} have no stub"


def _free(name: str, taken: Iterable[str]) -> str:
    return _free(f"{name}-x", taken) if name in taken else name
