"""The life of a ToolRegistry in memory: its looks are decided and applied, a server tells tools."""

import itertools
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import rfc8785

from tests.support.manifests import kind
from tests.support.memory_cluster import Document, MemoryCluster
from turnout.api.agent import Agent
from turnout.api.base import Condition
from turnout.api.tools import ToolRegistry
from turnout.api.tools_status import ToolRegistryStatus
from turnout.core.asking import SourceWorld
from turnout.core.pins import digest_of_tool
from turnout.core.plan import Announcement
from turnout.core.registries import decide_registry
from turnout.core.sources import Pinned, SourceOutcome, read_pinned
from turnout.core.tasks import Answer, JobSettings, Problem, sha256
from turnout.core.world import Child, Unread

NAME: Final = "tools"
SERVER: Final = {"name": "crm", "type": "MCP", "url": "https://crm.example.com/mcp"}
FIND: Final = {"name": "orders.find", "server": "crm", "sideEffect": "Read"}
HOLD: Final = {"policy": "Hold", "interval": "1m"}
WAY: Final = JobSettings("example/turnout:1", "http://turnout-reports:8082")
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


class RegistryLife(MemoryCluster):
    """One ToolRegistry, its status, its pins and its Jobs."""

    def __init__(self, **spec: Any) -> None:
        super().__init__()
        self.users: dict[str, Agent | Unread] = {}
        self.way: JobSettings | None = WAY
        self.refused: str | None = None
        self.events: list[Announcement] = []
        self.woken = 0
        self._words = itertools.count(1)
        self._word = ""
        chosen = {"servers": [SERVER], "tools": [FIND]} | spec
        self.store(kind("ToolRegistry", NAME, chosen))

    # what people and servers do

    def edit(self, **spec: Any) -> None:
        self.patch("ToolRegistry", NAME, {"spec": spec})

    def report(self, *servers: Document, problem: Problem | None = None) -> SourceOutcome:
        """Let the Job that was asked report, and settle; returns what was made of the report."""
        return self.answer({"servers": list(servers)}, problem)

    def answer(
        self, result: Document, problem: Problem | None = None, word: str | None = None
    ) -> SourceOutcome:
        """Let a Job say anything, by its own word or another."""
        said = self._word if word is None else word
        outcome = self.look(Answer(sha256(said), result, problem))
        for job in self.all("Job"):
            job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
        self.settle()
        return outcome

    def poll(self, *servers: Document, problem: Problem | None = None) -> SourceOutcome:
        """Let the interval pass, and the next Job report."""
        self.let_pass(60)
        self.settle()
        return self.report(*servers, problem=problem)

    # what the operator does

    def look(self, answer: Answer | None = None) -> SourceOutcome:
        """Observe, decide and apply once."""
        word = f"word-{next(self._words)}"
        outcome = decide_registry(self.registry, self.world(answer, word))
        for action in outcome.actions:
            self.apply(action)
        if any(document["kind"] == "Job" for document in _made(outcome)):
            self._word = word
        self.events += outcome.announcements
        self.woken += outcome.concerns_users
        return outcome

    def settle(self) -> SourceOutcome:
        """Look until nothing is left to do."""
        for _ in range(5):
            outcome = self.look()
            if not outcome.actions:
                return outcome
        message = "it never comes to rest"
        raise AssertionError(message)

    def world(self, answer: Answer | None, word: str) -> SourceWorld:
        jobs = {one["metadata"]["name"]: one for one in self.all("Job")}
        return SourceWorld(
            now=self.now,
            source=self.registry,
            task=self.status.task,
            users=self.users,
            jobs={name: _child(one) for name, one in jobs.items()},
            answer=answer,
            pinned=self.pinned,
            nonce=word,
            way=self.way,
            refused=self.refused,
        )

    # what is to be seen

    @property
    def registry(self) -> ToolRegistry:
        return ToolRegistry.model_validate(self.get("ToolRegistry", NAME))

    @property
    def status(self) -> ToolRegistryStatus:
        return self.registry.status

    @property
    def pinned(self) -> Pinned | Unread | None:
        reference = self.status.content_ref
        if reference is None:
            return None
        found = self.objects.get(("ConfigMap", reference.name))
        return Unread("it is gone") if found is None else read_pinned(reference.name, found)

    def condition(self, kind: str) -> Condition:
        return next(one for one in self.status.conditions if one.type == kind)

    def said(self, kind: str) -> str:
        """Give a condition's status and reason."""
        found = self.condition(kind)
        return f"{found.status.value} {found.reason}"

    @property
    def asks(self) -> bool:
        """Claim that a Job is under way."""
        task = self.status.task
        return task is not None and task.ended_at is None

    @property
    def due(self) -> timedelta | None:
        """Tell in how long it looks again by itself."""
        at = self.settle().again_at
        return None if at is None else at - self.now


def _made(outcome: SourceOutcome) -> list[Document]:
    return [dict(one.manifest) for one in outcome.actions if hasattr(one, "manifest")]


def _child(document: Document) -> Child:
    metadata = document["metadata"]
    return Child(metadata["uid"], metadata["resourceVersion"], document)
