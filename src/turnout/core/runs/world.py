"""Everything a decision about one EvalRun may look at, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from turnout.api.agent import Agent
from turnout.api.base import VersionRef
from turnout.api.evalrun import EvalPhase, EvalPlan, EvalRun
from turnout.api.suite import EvalSuite
from turnout.api.version import AgentVersion
from turnout.core.jobs import JobSettings
from turnout.core.plan import Document
from turnout.core.runs.golden import Golden
from turnout.core.tasks import Answer
from turnout.core.world import Child, Stored, Unread

ENDS = frozenset(EvalPhase) - {EvalPhase.PENDING, EvalPhase.RUNNING}
"""Phases of runs that are over."""


@dataclass(frozen=True)
class Material:
    """All that a run which was begun stands on, as long as it is all there.

    Attributes:
        agent: Whose versions are compared.
        suite: The suite.
        golden: Its tasks, the same as at the beginning.
        plan: What the run was begun with.
    """

    agent: Agent
    suite: EvalSuite
    golden: Golden
    plan: EvalPlan


@dataclass(frozen=True)
class Ending:
    """How a run ends.

    Attributes:
        phase: Passed and Failed are verdicts; Inconclusive is none, and Error is a run that could
            not be run at all.
        reason: Why, in one word.
        message: Why, in a sentence.
        told: Further fields of the status.
    """

    phase: EvalPhase
    reason: str
    message: str
    told: Mapping[str, Any] = field(default_factory=dict)


def no_verdict(reason: str, message: str) -> Ending:
    """End a run that was begun and tells nothing."""
    return Ending(EvalPhase.INCONCLUSIVE, reason, message)


def no_run(reason: str, message: str) -> Ending:
    """End a run that cannot be run as it is asked for."""
    return Ending(EvalPhase.ERROR, reason, message)


def jobs_disabled() -> Ending:
    """End a run whose operator was begun anew without an image of its own to run."""
    return no_run("JobsDisabled", "the operator was given no image to run Jobs with")


@dataclass(frozen=True)
class RunWorld:
    """One EvalRun and all that bears on it at one moment.

    Attributes:
        now: The only time there is.
        run: The run.
        suite: Its suite; None where there is none of that name.
        golden: The suite's tasks; None where there is no suite.
        versions: AgentVersions that the run names, by name; one that is missing does not exist.
        agent: The Agent of the version; None where it is gone.
        stable: The agent's stable version.
        stored: Contents of versions that need pods, by version.
        children: What stands under the names that the run needs, whoever made it, by kind and
            name.
        pods: Pods that were made for the run, those of its Job too.
        answer: What the Job reported just now, if anything.
        nonce: A fresh word for the next Job.
        way: How Jobs are run; None where the administrator lets none run.
        refused: What the API server said when it refused an object of the run.
    """

    now: datetime
    run: EvalRun
    suite: EvalSuite | Unread | None = None
    golden: Golden | Unread | None = None
    versions: Mapping[str, AgentVersion] = field(default_factory=dict)
    agent: Agent | None = None
    stable: VersionRef | None = None
    stored: Mapping[str, Stored | Unread] = field(default_factory=dict)
    children: Mapping[tuple[str, str], Child] = field(default_factory=dict)
    pods: tuple[Document, ...] = ()
    answer: Answer | None = None
    nonce: str = ""
    way: JobSettings | None = None
    refused: str | None = None

    @property
    def since(self) -> datetime:
        """When the run was asked for."""
        return self.run.metadata.creation_timestamp or self.now

    def owns(self, child: Child) -> bool:
        """Claim that an object was made for this very run."""
        owners = child.metadata.get("ownerReferences") or ()
        return any(one.get("uid") == self.run.metadata.uid for one in owners)


def has_ended(run: EvalRun) -> bool:
    """Claim that a run is over: it stays as it ended."""
    return run.status.phase in ENDS
