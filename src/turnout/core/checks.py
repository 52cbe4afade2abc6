"""Checks that a schema cannot make: inside one object, and between the objects of one Agent.

What is found is said by the names of the objects that it concerns, with the mend. In all of it deny
wins over allow, and a pattern that ends in ``*`` stands for every name that begins so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from turnout.api.agent import Agent
from turnout.api.policy import AgentPolicy, PolicyMode, ToolAccess
from turnout.api.tools import (
    ServerType,
    SideEffect,
    Tool,
    ToolApproval,
    ToolRegistry,
    ToolServer,
)
from turnout.core.checks_text import rule_problem, schema_problem
from turnout.core.jsontext import check

TELLING = frozenset({ServerType.MCP, ServerType.OPEN_API})
"""Types of servers that tell the schemas of their tools."""

_SILENT = {
    ServerType.HTTP: "there is nothing to ask; what has an OpenAPI document is of type OpenAPI",
    ServerType.A2A: "an agent card has none",
}


def matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether a name is one of the patterns, or begins as one that ends in ``*`` does."""
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        for pattern in patterns
    )


# one object


def registry_problem(registry: ToolRegistry) -> str | None:
    """Say what is wrong with a registry by itself: a server or schema that cannot be."""
    for server in registry.spec.servers:
        problem = server_problem(server)
        if problem is not None:
            return f"server {server.name}: {problem}"
    servers = {server.name: server.type for server in registry.spec.servers}
    for tool in registry.spec.tools:
        problem = tool_problem(tool, servers)
        if problem is not None:
            return f"tool {tool.name}: {problem}"
    return None


def server_problem(server: ToolServer) -> str | None:
    """Say what is wrong with one server: an address that nobody can mean."""
    return address_problem(server.url)


def address_problem(url: str) -> str | None:
    """Say what is wrong with where something outside is: an address that nobody can mean."""
    if not _is_private(url):
        return None
    means = "an address that means something else in every network"
    return f"{url} names {means}: name the host"


def tool_problem(tool: Tool, servers: Mapping[str, ServerType]) -> str | None:
    """Say what is wrong with one tool of a registry that has these servers."""
    schema = tool.input_schema
    problem = _untold(tool, servers) if schema is None else schema_problem(schema)
    if problem is None and tool.shadow is not None and tool.shadow.response is not None:
        problem = check("shadow.response", tool.shadow.response)
    if problem is None and tool.server is not None and tool.server not in servers:
        problem = f"server {tool.server} is not in spec.servers: add it there or name another"
    return problem


def _untold(tool: Tool, servers: Mapping[str, ServerType]) -> str | None:
    """Say that nobody can tell a tool's schema; None where its server can."""
    kind = servers.get(tool.server or "", ServerType.MCP)
    if kind in TELLING:
        return None
    why = _SILENT[kind]
    return f"a server of type {kind.value} does not tell schemas ({why}): write its inputSchema"


def _is_private(url: str) -> bool:
    """Tell whether a URL's host is an address that is not the same machine everywhere."""
    try:
        return not ip_address(urlsplit(url).hostname or "").is_global
    except ValueError:
        return False


def policy_problem(policy: AgentPolicy) -> str | None:
    """Say what is wrong with a policy by itself: a rule that does not compile."""
    for rule in policy.spec.rules:
        problem = rule_problem(rule.expression)
        if problem is not None:
            return f"spec.rules[{rule.name}].expression is not CEL: {problem}"
    return None


def policy_remark(policy: AgentPolicy) -> str:
    """Say what is right and may still surprise: what is allowed and denied at once is denied."""
    access = policy.spec.tools or ToolAccess()
    if "*" in access.deny:
        return "spec.tools.deny has *: no tool may be called"
    lost = [pattern for pattern in access.allow if matches(access.deny, pattern)]
    return f"deny wins: {', '.join(lost[:8])} is allowed and denied" if lost else ""


# the objects of one Agent


def cross_problem(
    agent: Agent, registry: ToolRegistry | None, policy: AgentPolicy | None
) -> str | None:
    """Say where an Agent's objects contradict one another, by both names and with the mend."""
    if policy is None:
        return None
    forbidden = forbidden_model(agent, policy)
    if forbidden is not None and policy.spec.mode is PolicyMode.ENFORCE:
        return forbidden
    return next(_contradictions(registry, policy), None) if registry is not None else None


def forbidden_model(agent: Agent, policy: AgentPolicy) -> str | None:
    """Say that the Agent asks a model that its policy does not allow; where only audited, too."""
    model, allowed = agent.spec.model, policy.spec.models.allow if policy.spec.models else ()
    if model is None or not allowed or matches(allowed, model.name):
        return None
    return (
        f"Agent {agent.metadata.name} asks model {model.name}, which AgentPolicy "
        f"{policy.metadata.name} does not allow: add it to spec.models.allow of the policy or "
        "change spec.model.name of the Agent"
    )


def _contradictions(registry: ToolRegistry, policy: AgentPolicy) -> Iterator[str]:
    access = policy.spec.tools or ToolAccess()
    of_both = f"AgentPolicy {policy.metadata.name}", f"ToolRegistry {registry.metadata.name}"
    tools = registry.spec.tools
    yield from _lacking(access, tools, *of_both)
    if tools and _is_closed(access, tools):
        yield (
            f"{of_both[0]} lets no tool of {of_both[1]} be called: mend spec.tools of the policy, "
            "or take toolRegistryRef from the Agent"
        )
    if not policy.spec.contacts:
        yield from _unanswered(access, tools, *of_both)


def _lacking(
    access: ToolAccess, tools: Iterable[Tool], policy: str, registry: str
) -> Iterator[str]:
    names = {tool.name for tool in tools}
    for pattern in access.allow:
        if pattern.endswith("*") or pattern in names or matches(access.deny, pattern):
            continue
        yield (
            f"{policy} allows tool {pattern}, which {registry} does not have: add the tool to the "
            "registry or take it from spec.tools.allow of the policy"
        )


def _unanswered(
    access: ToolAccess, tools: Iterable[Tool], policy: str, registry: str
) -> Iterator[str]:
    for tool in tools:
        writes = tool.side_effect is not SideEffect.READ
        if writes and _may_be_called(access, tool) and _needs_approval(access, tool):
            yield (
                f"tool {tool.name} of {registry} writes and needs approval, and {policy} names "
                "nobody to ask: add somebody to spec.contacts of the policy, or deny the tool there"
            )


def _is_closed(access: ToolAccess, tools: Iterable[Tool]) -> bool:
    """Tell whether a policy is closed to all tools; one that denies each by its name is meant."""
    if "*" in access.deny:
        return True
    return bool(access.allow) and not any(matches(access.allow, tool.name) for tool in tools)


def _may_be_called(access: ToolAccess, tool: Tool) -> bool:
    if matches(access.deny, tool.name):
        return False
    return not access.allow or matches(access.allow, tool.name)


def _needs_approval(access: ToolAccess, tool: Tool) -> bool:
    required = tool.approval is ToolApproval.REQUIRED
    return required or matches(access.require_approval, tool.name)
