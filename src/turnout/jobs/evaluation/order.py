"""What a run is asked, as the operator writes it, and the suite that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from turnout.api.suite_task import SuiteTask, TaskFormat
from turnout.core.suites.counts import Counts
from turnout.core.suites.datasets import MOST_BYTES, digest, read_all
from turnout.core.suites.verdict import Suite
from turnout.core.tasks import sha256
from turnout.errors import Invalid, TaskFailed
from turnout.evals.graders.grading import check
from turnout.evals.protocols.talk import Endpoint, Message, Protocol
from turnout.evals.results.formats import Format
from turnout.evals.results.reading import Reading, read
from turnout.jobs.evaluation.runner import Pace, Task

_Positive = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class Named(_Part):
    """A suite by its name and digest."""

    name: str
    digest: str


class Version(_Part):
    """A version and where its pods are asked."""

    version: str
    digest: str
    url: str


class Ask(_Part):
    """How both versions are asked.

    Attributes:
        timeout_per_task: Seconds for an answer.
        per_minute: Most questions begun in a minute, to each version.
    """

    protocol: Protocol = Protocol.OPENAI_CHAT
    path: str = "/"
    model: str = "agent"
    input_field: str = "input"
    answer_path: str = "$.output"
    calls: str | None = None
    concurrency: _Positive = 4
    timeout_per_task: _Positive = 60
    per_minute: _Positive | None = None

    @property
    def pace(self) -> Pace:
        """How fast a version is asked."""
        return Pace(concurrency=self.concurrency, per_minute=self.per_minute)

    def of(self, version: Version) -> Endpoint:
        """Give the address at which a version is asked."""
        return Endpoint(
            url=version.url.rstrip("/") + self.path,
            protocol=self.protocol,
            model=self.model,
            input_field=self.input_field,
            answer_path=self.answer_path,
            calls_path=self.calls,
        )


class Source(_Part):
    """A file of tasks."""

    path: Path
    format: TaskFormat
    digest: str


class Rounds(_Part):
    """How many trials each task gets."""

    min: _Positive
    max: _Positive


class Budget(_Part):
    """What a run may use up."""

    tokens: _Positive


class Evaluation(_Part):
    """What a run is asked.

    Attributes:
        baseline: The version that the candidate is compared with, run beside it; None where
            `record` has its trials.
        record: File with the baseline's trials, one task a line.
    """

    suite: Named
    candidate: Version
    baseline: Version | None = None
    ask: Ask
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    trials: Rounds
    record: Path | None = None
    budget: Budget | None = None

    @property
    def versions(self) -> tuple[Version, ...]:
        """Those that are asked."""
        return (self.candidate,) if self.baseline is None else (self.candidate, self.baseline)

    def tasks(self) -> tuple[SuiteTask, ...]:
        """Read the suite, and prove that it is the one that was asked for.

        Raises:
            TaskFailed: It is another one, or cannot be read, or a grader cannot grade.
        """
        try:
            found = read_all([(one.format, _text(one), one.path.name) for one in self.sources])
            for task in found:
                check(task.id, task.graders)
        except Invalid as error:
            raise TaskFailed(error.reason, error.message) from None
        if digest(found) != self.suite.digest:
            raise TaskFailed("TasksChanged", f"suite {self.suite.name} is another one by now")
        return found

    def recorded(self) -> Counts | None:
        """Read the baseline's record; None where it is run beside the candidate.

        Raises:
            TaskFailed: It cannot be read, or there is no baseline at all.
        """
        if self.record is None:
            if self.baseline is None:
                raise TaskFailed("NoBaseline", "there is nothing to compare the candidate with")
            return None
        try:
            return read(_bytes(self.record), Reading(Format.JSONL))
        except Invalid as error:
            raise TaskFailed(error.reason, error.message) from None

    def judged(self, tasks: tuple[SuiteTask, ...]) -> Suite:
        """Tell how the run is judged."""
        return Suite(
            tasks=tuple(one.id for one in tasks),
            must_pass=frozenset(one.id for one in tasks if one.must_pass),
            fewest=self.trials.min,
            most=self.trials.max,
        )


def put(task: SuiteTask) -> Task:
    """Put a task as the runner asks it."""
    turns = tuple(Message(one.role.lower(), one.text) for one in task.turns)
    return Task(task.id, turns, task.graders)


def _text(source: Source) -> str:
    """Read a file, and prove that it is the one that was meant."""
    content = _bytes(source.path)
    if len(content) > MOST_BYTES:
        raise Invalid(
            "InvalidTasks",
            f"{source.path.name} has {len(content)} bytes, at most {MOST_BYTES} are read",
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        message = f"{source.path.name} is not UTF-8 at byte {error.start}"
        raise Invalid("InvalidTasks", message) from None
    if sha256(text) != source.digest:
        raise TaskFailed("TasksChanged", f"{source.path.name} is another file by now")
    return text


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TaskFailed("NoTasks", f"{path.name} cannot be read ({error.strerror})") from error
