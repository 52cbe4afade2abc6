"""The life of an object whose content is kept outside the cluster, in memory.

Its looks are decided and applied, its Jobs are made, and what they report is what a test says.
"""

import itertools
from abc import abstractmethod
from datetime import timedelta
from typing import Any, Final

from turnout.api.agent import Agent
from turnout.api.base import Condition
from turnout.api.prompt import Prompt
from turnout.api.tools import ToolRegistry
from turnout.core.asking import SourceWorld
from turnout.core.jobs import JobSettings
from turnout.core.plan import Announcement
from turnout.core.sources import Pinned, SourceOutcome, read_pinned
from turnout.core.tasks import Answer, Problem, sha256
from turnout.core.world import Child, Unread
from turnout.simulation.cluster import Document, MemoryCluster

WAY: Final = JobSettings("example/turnout:1", "http://turnout-reports:8082")


class SourceLife(MemoryCluster):
    """One object, its status, what is pinned of it, and its Jobs."""

    def __init__(self, manifest: Document) -> None:
        super().__init__()
        self.users: dict[str, Agent | Unread] = {}
        self.way: JobSettings | None = WAY
        self.refused: str | None = None
        self.events: list[Announcement] = []
        self.woken = 0
        self._key = manifest["kind"], manifest["metadata"]["name"]
        self._words = itertools.count(1)
        self._word = ""
        self.store(manifest)

    @property
    @abstractmethod
    def source(self) -> ToolRegistry | Prompt:
        """The object as it is stored."""

    @abstractmethod
    def decide(self, world: SourceWorld) -> SourceOutcome:
        """Decide what to do about it."""

    # what people and Jobs do

    def edit(self, **spec: Any) -> None:
        self.patch(*self._key, {"spec": spec})

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

    # what the operator does

    def look(self, answer: Answer | None = None) -> SourceOutcome:
        """Observe, decide and apply once."""
        word = f"word-{next(self._words)}"
        outcome = self.decide(self.world(answer, word))
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
            source=self.source,
            task=self.source.status.task,
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
    def pinned(self) -> Pinned | Unread | None:
        reference = self.source.status.content_ref
        if reference is None:
            return None
        found = self.objects.get(("ConfigMap", reference.name))
        return Unread("it is gone") if found is None else read_pinned(reference.name, found)

    def condition(self, kind: str) -> Condition:
        return next(one for one in self.source.status.conditions if one.type == kind)

    def said(self, kind: str) -> str:
        """Give a condition's status and reason."""
        found = self.condition(kind)
        return f"{found.status.value} {found.reason}"

    @property
    def asks(self) -> bool:
        """Claim that a Job is under way."""
        task = self.source.status.task
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
