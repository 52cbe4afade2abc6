"""Where tools drifted: back to a version that was made of what their servers tell now.

A registry asks for it by ``drift.policy: Rollback``. Only a version is gone back to that serves or
served not long ago, that nobody took back, and whose every tool is as its server tells it now: as
far as that is not known, it is not so. Where there is none, rollouts are held as with ``Hold``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from turnout.api.base import VersionRef
from turnout.api.tools import DriftPolicy, ToolRegistry, ToolRegistrySpec
from turnout.api.tools_status import DriftChange
from turnout.api.version import AgentVersion
from turnout.core.checks import TELLING
from turnout.core.content import Content
from turnout.core.jsontext import parse
from turnout.core.pins import digest_of_tool
from turnout.core.reasons import Reason
from turnout.core.stable import stable_of
from turnout.core.standing import rejected
from turnout.core.stored import read_parts
from turnout.core.undo import served_until
from turnout.core.world import Tools, Unread, World


@dataclass(frozen=True)
class Fallback:
    """A version that serves in place of the one that the Agent's content makes.

    Attributes:
        ref: The version.
        asked: What the Agent's content makes, and what goes out again once the servers agree.
        message: What drifted.
        reason: ToolsDrifted, or Degraded where stable did worse without a change.
    """

    ref: VersionRef
    asked: VersionRef
    message: str
    reason: Reason = Reason.TOOLS_DRIFTED


def tools_of(spec: ToolRegistrySpec | None) -> Tools:
    """Give the tools of a content that a server tells, as the model is told of them."""
    if spec is None:
        return {}
    told = {server.name: server.url for server in spec.servers if server.type in TELLING}
    return {
        one.name: (told[one.server], _digest(one.name, one.description, one.input_schema))
        for one in spec.tools
        if one.server in told and one.input_schema is not None
    }


def stored_tools(data: Mapping[str, str], digest: str) -> Tools | None:
    """Give the tools of a version from its ConfigMap; None where that does not hold it."""
    found = read_parts(data)
    if isinstance(found, Unread) or found[1].whole != digest:
        return None
    return tools_of(found[0].tools)


def _digest(name: str, description: str, schema: str) -> str:
    return digest_of_tool(name, description, parse("inputSchema", schema))


def candidates(world: World) -> tuple[AgentVersion, ...]:
    """Give the versions that may serve where tools drifted, the best first; none where none did."""
    if not _falls_back(world):
        return ()
    stable = stable_of(world)
    known = [
        one
        for name, one in world.versions.items()
        if world.ours("ConfigMap", name) and not rejected(world, one.spec.digest)
    ]
    first = [one for one in known if stable is not None and one.spec.digest == stable.digest]
    served = [one for one in known if served_until(world, one.metadata.name) is not None]
    served.sort(key=lambda one: one.status.promoted_at or world.now, reverse=True)
    return (*first, *served)


def fallback_from(world: World, asked: VersionRef, content: Content) -> Fallback | None:
    """Find the version that serves in place of what the Agent asks for.

    None where no tool of what it asks for drifted, and where no version matches.
    """
    registry = content.registry
    if registry is None or not _falls_back(world):
        return None
    wanted = tools_of(registry.spec)
    now = _now(registry, wanted)
    drifted = {name: told for name, told in now.items() if wanted[name] != told}
    if not drifted:
        return None
    stable = stable_of(world)
    for version in candidates(world):
        name, tools = version.metadata.name, world.tools.get(version.metadata.name)
        if tools is not None and _agrees(tools, now, drifted):
            ref = VersionRef(version=name, digest=version.spec.digest)
            at_rest = ref == stable and rejected(world, asked.digest)
            return None if at_rest else Fallback(ref, asked, world.sources.tools_drift or "")
    return None


def no_way_back(world: World) -> str:
    """Say that no version is made of what the servers tell now, where one was looked for."""
    if not _falls_back(world):
        return ""
    return "; no version inside spec.rollbackWindow is made of what they tell now"


def _falls_back(world: World) -> bool:
    """Claim that something drifted, and that a version of before is wanted where that is so."""
    registry = world.sources.registry
    if not isinstance(registry, ToolRegistry) or world.agent.spec.pinned_version is not None:
        return False
    drift = registry.spec.drift
    asked = drift is not None and drift.policy is DriftPolicy.ROLLBACK
    return asked and any(one.change is not DriftChange.NEW for one in registry.status.drift)


def _now(registry: ToolRegistry, wanted: Tools) -> Tools:
    """Tell what the servers tell now of the tools that are wanted."""
    live = {
        one.tool: (wanted[one.tool][0], one.live)
        for one in registry.status.drift
        if one.tool in wanted
    }
    return {**wanted, **live}


def _agrees(tools: Tools, now: Tools, drifted: Tools) -> bool:
    """Claim that each tool of a version is as its server tells it, and that it has what drifted.

    A tool that is gone it must not have.
    """
    gone = {name for name, (_, live) in drifted.items() if live is None}
    same = all(now.get(name) == told for name, told in tools.items())
    return same and drifted.keys() - gone <= tools.keys() and not gone & tools.keys()
