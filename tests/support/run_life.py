"""The life of an EvalRun in memory: its pods and its Job do what a test says."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

from tests.support.manifests import agent, kind
from tests.support.source_life import WAY
from turnout.api.agent import Agent
from turnout.api.base import Condition, VersionRef
from turnout.api.evalrun import EvalRun, EvalRunStatus
from turnout.api.suite import EvalSuite
from turnout.api.version import AgentVersion
from turnout.core import naming
from turnout.core.jobs import JobSettings
from turnout.core.plan import Announcement, Create
from turnout.core.runs.decide import decide_run
from turnout.core.runs.golden import Golden, read_golden
from turnout.core.runs.suites import SuiteWorld, decide_suite
from turnout.core.runs.world import RunWorld
from turnout.core.sources import SourceOutcome
from turnout.core.tasks import Answer, Problem, Progress, sha256
from turnout.core.world import Child, Stored, Unread
from turnout.simulation.cluster import Document, MemoryCluster

DIGESTS: Final = {f"support-{one * 10}": f"sha256:{one * 64}" for one in "abc"}
STABLE, CANDIDATE, OTHER = DIGESTS
TASKS: Final = tuple(f"task-{number}" for number in range(12))


def task(name: str, **more: Any) -> Document:
    says = {"name": "says", "contains": {"allOf": ["yes"]}}
    return {"id": name, "input": f"Is it {name}?", "graders": [says]} | more


def suite(**spec: Any) -> Document:
    base = {"tasks": [task(name) for name in TASKS], "runner": {"builtin": {}}}
    return kind("EvalSuite", "core", base | spec)


def version(name: str, of: str = "support") -> Document:
    digest = DIGESTS[name]
    spec = {
        "agent": of,
        "digest": digest,
        "digestScheme": 1,
        "render": 2,
        "planes": [{"name": "Prompt", "digest": digest}],
        "contentRef": {"name": name, "bytes": 1},
    }
    return kind("AgentVersion", name, spec)


def run(name: str = "by-hand", **spec: Any) -> Document:
    base = {"suite": {"name": "core"}, "version": {"name": CANDIDATE}, "purpose": "Manual"}
    return kind("EvalRun", name, base | spec)


def rounds(candidate: str, baseline: str, count: int) -> Document:
    """A result of so many equal rounds, one letter a task."""
    return {
        "tasks": list(TASKS),
        "rounds": [{"candidate": candidate, "baseline": baseline}] * count,
        "reasons": {},
        "seconds": 7,
    }


class RunLife(MemoryCluster):
    """One run, its suite, its versions, its pods and its Job."""

    def __init__(self, **spec: Any) -> None:
        super().__init__()
        self.name = "by-hand"
        self.way: JobSettings | None = WAY
        self.refused: str | None = None
        self.files: tuple[str, ...] = ("agent.json",)
        self.events: list[Announcement] = []
        self.told: list[SourceOutcome] = []
        self.pods_of: dict[str, list[Document]] = {}
        self.deaths: frozenset[int] = frozenset()
        self.written = 0
        self.word = ""
        self.texts: list[str | Unread] = []
        self._words = itertools.count(1)
        self._read: tuple[Any, Golden | Unread | None] | None = None
        for one in DIGESTS:
            self.store(version(one))
        self.store(suite())
        self.store(agent() | {"status": {"stable": self.ref(STABLE).to_wire()}})
        self.store(run(**spec))

    @staticmethod
    def ref(name: str) -> VersionRef:
        return VersionRef(version=name, digest=DIGESTS[name])

    # what is there

    @property
    def run(self) -> EvalRun:
        return EvalRun.model_validate(self.get("EvalRun", self.name))

    @property
    def status(self) -> EvalRunStatus:
        return self.run.status

    @property
    def suite(self) -> EvalSuite | None:
        found = self.objects.get(("EvalSuite", "core"))
        return None if found is None else EvalSuite.model_validate(found)

    @property
    def golden(self) -> Golden | Unread | None:
        state = repr(self.objects.get(("EvalSuite", "core"))), tuple(map(repr, self.texts))
        if self._read is None or self._read[0] != state:
            found = self.suite
            self._read = state, None if found is None else read_golden(found, self.texts)
        return self._read[1]

    def condition(self, kind: str) -> Condition:
        return next(one for one in self.status.conditions if one.type == kind)

    def said(self, kind: str) -> str:
        found = self.condition(kind)
        return f"{found.status.value} {found.reason}"

    def made(self, kind: str) -> list[str]:
        return sorted(one["metadata"]["name"] for one in self.all(kind))

    def world(self, answer: Answer | None) -> RunWorld:
        found = [AgentVersion.model_validate(one) for one in self.all("AgentVersion")]
        held = self.objects.get(("Agent", "support"))
        owner = None if held is None else Agent.model_validate(held)
        stable = owner.status.stable if owner else None
        return RunWorld(
            now=self.now,
            run=self.run,
            suite=self.suite,
            golden=self.golden,
            versions={one.metadata.name: one for one in found},
            agent=owner,
            stable=None if stable is None else self.ref(stable.version),
            stored={
                name: Stored(owner.spec.template, self.files, digest=digest)
                for name, digest in DIGESTS.items()
                if owner is not None
            },
            children={
                key: Child(one["metadata"]["uid"], one["metadata"]["resourceVersion"], one)
                for key, one in self.objects.items()
                if key[0] in {"Deployment", "Service", "Job"}
            },
            pods=tuple(itertools.chain(*self.pods_of.values())),
            answer=answer,
            nonce=f"word-{next(self._words)}",
            way=self.way,
            refused=self.refused,
        )

    # what the operator does

    def look(self, answer: Answer | None = None) -> SourceOutcome:
        """Observe, decide and apply once; dies before the writes of these numbers."""
        world = self.world(answer)
        outcome = decide_run(world)
        for action in outcome.actions:
            if self.written in self.deaths:
                self.deaths -= {self.written}
                return outcome
            if isinstance(action, Create):
                key = action.manifest["kind"], action.manifest["metadata"]["name"]
                if key in self.objects:
                    continue
                if key[0] == "Job":
                    self.word = world.nonce
            self.apply(action)
            self.written += 1
        self.events += outcome.announcements
        return outcome

    def settle(self) -> SourceOutcome:
        for _ in range(20):
            outcome = self.look()
            if not outcome.actions:
                return outcome
        message = "it never comes to rest"
        raise AssertionError(message)

    # what pods and Jobs do

    def start(self, *versions: str) -> None:
        """Let pods of versions become ready."""
        for name in versions or (STABLE, CANDIDATE):
            self.pods_of[name] = [self.pod(name, conditions=[{"type": "Ready", "status": "True"}])]

    def pod(self, name: str, **status: Any) -> Document:
        labels = {naming.VERSION_LABEL: name, naming.RUN_LABEL: self.name}
        return {"metadata": {"name": f"{name}-pod", "labels": labels}, "status": status}

    def job_pod(self, **container: Any) -> None:
        labels = {naming.TASK_LABEL: "evaluation", naming.RUN_LABEL: self.name}
        states = [{"name": "task"} | container]
        self.pods_of["job"] = [
            {"metadata": {"name": "j", "labels": labels}, "status": {"containerStatuses": states}}
        ]

    def end_job(self, kind: str, reason: str = "") -> None:
        condition = {"type": kind, "status": "True", "reason": reason}
        self.get("Job", self.name)["status"] = {"conditions": [condition]}

    def ask(self) -> None:
        """Come to where the Job is asked."""
        self.settle()
        self.start()
        self.settle()

    def answer(self, result: Document, problem: Problem | None = None) -> SourceOutcome:
        outcome = self.look(Answer(sha256(self.word), result, problem))
        self.settle()
        return outcome

    def progress(self, done: int, total: int, left: float) -> None:
        self.look(Answer(sha256(self.word), {}, progress=Progress(done, total, left)))

    # the suite

    def look_at_suite(self, runs: Sequence[EvalRun] = ()) -> SourceOutcome:
        found = self.suite
        golden = self.golden
        assert found is not None
        assert golden is not None
        outcome = decide_suite(SuiteWorld(self.now, found, golden, runs))
        for action in outcome.actions:
            self.apply(action)
        return outcome
