"""The life of a ToolRegistry in memory: its looks are decided and applied, a server tells tools."""

import json
from collections.abc import Mapping
from typing import Any, Final

import rfc8785
from typing_extensions import override

from tests.support.manifests import kind
from tests.support.source_life import SourceLife
from turnout.api.tools import ToolRegistry
from turnout.api.tools_status import ToolRegistryStatus
from turnout.core.asking import SourceWorld
from turnout.core.pins import digest_of_tool
from turnout.core.registries import decide_registry
from turnout.core.sources import SourceOutcome
from turnout.core.tasks import Problem, sha256
from turnout.simulation.cluster import Document

NAME: Final = "tools"
SERVER: Final = {"name": "crm", "type": "MCP", "url": "https://crm.example.com/mcp"}
FIND: Final = {"name": "orders.find", "server": "crm", "sideEffect": "Read"}
HOLD: Final = {"policy": "Hold", "interval": "1m"}
BY_ID: Final = {"type": "object", "properties": {"id": {"type": "string"}}}


def told(
    name: str = "orders.find",
    description: str = "Find an order.",
    schema: Mapping[str, Any] = BY_ID,
) -> Document:
    """Describe a tool in full, as a Job reports it."""
    text = rfc8785.dumps(dict(schema)).decode()
    return {"name": name, "description": description, "inputSchema": text}


def digest(tool: Document) -> str:
    """Digest of a tool as told."""
    return digest_of_tool(tool["name"], tool["description"], json.loads(tool["inputSchema"]))


def offer(*tools: Document, others: Mapping[str, str] | None = None, name: str = "crm") -> Document:
    """Report what one server offers: the registry's tools in full, others by digest."""
    brief = [{"name": one, "digest": sha256(text)} for one, text in (others or {}).items()]
    return {"name": name, "tools": list(tools), "others": brief}


def silence(name: str = "crm", reason: str = "Unreachable") -> Document:
    """Report that one server did not tell."""
    return {"name": name, "problem": {"reason": reason, "message": "the server did not answer"}}


class RegistryLife(SourceLife):
    """One ToolRegistry, its status, its pins and its Jobs."""

    def __init__(self, **spec: Any) -> None:
        super().__init__(kind("ToolRegistry", NAME, {"servers": [SERVER], "tools": [FIND]} | spec))

    @override
    def decide(self, world: SourceWorld) -> SourceOutcome:
        return decide_registry(self.registry, world)

    @property
    @override
    def source(self) -> ToolRegistry:
        return self.registry

    def report(self, *servers: Document, problem: Problem | None = None) -> SourceOutcome:
        """Let the Job that was asked report, and settle; returns what was made of the report."""
        return self.answer({"servers": list(servers)}, problem)

    def poll(self, *servers: Document, problem: Problem | None = None) -> SourceOutcome:
        """Let the interval pass, and the next Job report."""
        self.let_pass(60)
        self.settle()
        return self.report(*servers, problem=problem)

    @property
    def registry(self) -> ToolRegistry:
        return ToolRegistry.model_validate(self.get("ToolRegistry", NAME))

    @property
    def status(self) -> ToolRegistryStatus:
        return self.registry.status
