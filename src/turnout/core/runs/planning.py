"""Whether a run can be begun, and with what."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from turnout.api.agent import Agent
from turnout.api.base import PinnedRef, VersionRef, as_timedelta
from turnout.api.evalrun import EvalPlan, SuiteRef
from turnout.api.suite import EvalSuite
from turnout.core import naming
from turnout.core.quoting import quoted
from turnout.core.runs.golden import Golden
from turnout.core.runs.question import limit_of
from turnout.core.runs.world import RunWorld
from turnout.core.world import Unread

PATIENCE: Final = timedelta(minutes=1)
"""How long what a run names may be missing: it may be on its way, by the same ``kubectl apply``."""

LONGEST_QUEUE: Final = timedelta(hours=6)
"""How long a run waits for another one of the same version."""


class Blocked(Exception):
    """A run cannot be begun now.

    Attributes:
        reason: One word.
        message: The same in a sentence, with the mend.
        patience: How long after it was asked for the run is given up.
    """

    def __init__(self, reason: str, message: str, patience: timedelta = PATIENCE) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.patience = patience


def plan_of(world: RunWorld) -> EvalPlan:
    """Tell what a run is begun with.

    Raises:
        Blocked: It cannot be begun.
    """
    if world.way is None:
        message = "the operator was given no image to run Jobs with (jobs.image)"
        raise Blocked("JobsDisabled", message)
    spec, suite, golden = world.run.spec, *_suite(world)
    version = _version(world, spec.version)
    if world.agent is None:
        raise Blocked("AgentNotFound", f"the Agent of {version.version} is not there")
    baseline = _baseline(world, world.agent, version)
    for one in (version, baseline):
        _leave_to_others(world, one.version)
    deadline = as_timedelta(world.agent.spec.deployment.progress_deadline)
    return EvalPlan(
        agent=world.agent.metadata.name,
        suite=SuiteRef(name=spec.suite.name, digest=golden.digest),
        version=version,
        baseline=baseline,
        fewest=suite.spec.trials.min,
        most=suite.spec.trials.max,
        limit=limit_of(suite.spec, len(golden.tasks)),
        pods_by=world.now + deadline,
    )


def _suite(world: RunWorld) -> tuple[EvalSuite, Golden]:
    asked, suite, golden = world.run.spec.suite, world.suite, world.golden
    if suite is None or golden is None:
        raise Blocked("SuiteNotFound", f"EvalSuite {asked.name} does not exist")
    if isinstance(suite, Unread):
        raise Blocked("SuiteInvalid", f"EvalSuite {asked.name}: {suite.message}")
    if isinstance(golden, Unread):
        raise Blocked("SuiteInvalid", f"EvalSuite {asked.name}: {golden.message}")
    if asked.digest not in {None, golden.digest}:
        raise Blocked("SuiteChanged", f"EvalSuite {asked.name} has the digest {golden.digest} now")
    return suite, golden


def _version(world: RunWorld, asked: PinnedRef) -> VersionRef:
    found = world.versions.get(asked.name)
    if found is None:
        raise Blocked("VersionNotFound", f"AgentVersion {asked.name} does not exist")
    if asked.digest not in {None, found.spec.digest}:
        message = f"AgentVersion {asked.name} has the digest {found.spec.digest}"
        raise Blocked("VersionNotFound", message)
    return VersionRef(version=asked.name, digest=found.spec.digest)


def _baseline(world: RunWorld, agent: Agent, version: VersionRef) -> VersionRef:
    """Tell what the version is compared with: one that is named, else the stable one."""
    asked, name = world.run.spec.baseline, agent.metadata.name
    baseline = world.stable if asked is None else _version(world, asked)
    if baseline is None:
        raise Blocked("NoBaseline", f"Agent {name} has no stable version: name a baseline")
    if baseline.version == version.version:
        message = f"{version.version} would be compared with itself: name another baseline"
        raise Blocked("NoBaseline", message)
    of = world.versions.get(baseline.version)
    if of is not None and of.spec.agent != name:
        raise Blocked("NoBaseline", f"{baseline.version} is a version of another Agent")
    return baseline


def _leave_to_others(world: RunWorld, version: str) -> None:
    """Wait while another run, or anything else, has what this one would make.

    Raises:
        Blocked: The name is taken.
    """
    name = naming.sandbox_name(version)
    for kind in ("Deployment", "Service"):
        found = world.children.get((kind, name))
        if found is None or world.owns(found):
            continue
        run = (found.metadata.get("labels") or {}).get(naming.RUN_LABEL)
        if run is None:
            raise Blocked("NameConflict", f"{kind} {name} is not Turnout's: remove it")
        message = f"{version} is evaluated by EvalRun {quoted(run, 63)} now: waits for its end"
        raise Blocked("Waiting", message, LONGEST_QUEUE)
