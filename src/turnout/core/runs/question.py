"""What a run's Job is asked, and the Job."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Final

from turnout.api.agent import Agent
from turnout.api.base import VersionRef, seconds
from turnout.api.evalrun import EvalRun
from turnout.api.suite import BuiltinRunner, EvalSuite, EvalSuiteSpec
from turnout.core import naming
from turnout.core.runs.golden import written
from turnout.core.runs.sandbox import address
from turnout.core.runs.world import Material
from turnout.core.sources import pinned_map, pinned_name
from turnout.core.tasks import Mount, Task

KIND: Final = "evaluation"
FILES: Final = "/var/run/turnout-suite"
"""Directory in the Job's pod that holds a numbered directory for each file of tasks."""

SHORTEST: Final = 60
LONGEST: Final = 6 * 3600
"""Seconds that the trials of a run may take, however many there are."""


def limit_of(spec: EvalSuiteSpec, tasks: int) -> int:
    """Give how many seconds the trials may take: as long as they do where each takes longest."""
    runner = spec.runner.builtin
    needed = math.ceil(tasks / runner.concurrency) * seconds(runner.timeout_per_task)
    if runner.per_minute is not None:
        needed = max(needed, 60.0 * tasks / runner.per_minute)
    return int(min(max(needed * spec.trials.max, SHORTEST), LONGEST))


def question(run: EvalRun, material: Material) -> Task:
    """Tell what the Job of a run is asked."""
    agent, plan, suite = material.agent, material.plan, material.suite
    files = material.golden.files
    names = [_config_map(run, suite, one.config_map) for one in files]
    sources = [
        {"path": f"{FILES}/{number}/{one.key}", "format": one.format.value, "digest": one.digest}
        for number, one in enumerate(files)
    ]
    description: dict[str, Any] = {
        "suite": plan.suite.to_wire(),
        "candidate": _arm(run, agent, plan.version),
        "baseline": _arm(run, agent, plan.baseline),
        "ask": _ask(suite.spec.runner.builtin),
        "sources": sources,
        "trials": {"min": plan.fewest, "max": plan.most},
        "record": None,
    }
    mounts = tuple(
        Mount(name, (one.key,), f"{FILES}/{number}")
        for number, (name, one) in enumerate(zip(names, files, strict=True))
    )
    return Task(KIND, description, timeout=timedelta(seconds=plan.limit), mounts=mounts)


def inline_tasks(run: EvalRun, suite: EvalSuite) -> dict[str, Any] | None:
    """Render the ConfigMap of the tasks that stand in the suite; None where none do."""
    return pinned_map(run, written(suite.spec)) if suite.spec.tasks else None


def labels_of(run: EvalRun, agent: str) -> dict[str, str]:
    """Give the labels by which a run's Job and its pod are found."""
    return {naming.AGENT_LABEL: agent, naming.RUN_LABEL: run.metadata.name}


def _config_map(run: EvalRun, suite: EvalSuite, named: str | None) -> str:
    return pinned_name(run, written(suite.spec)) if named is None else named


def _arm(run: EvalRun, agent: Agent, version: VersionRef) -> dict[str, str]:
    url = address(run, agent, version.version)
    return {"version": version.version, "digest": version.digest, "url": url}


def _ask(runner: BuiltinRunner) -> dict[str, Any]:
    told = {
        "protocol": runner.protocol.value,
        "path": runner.path,
        "concurrency": runner.concurrency,
        "timeoutPerTask": int(seconds(runner.timeout_per_task)),
        "inputField": runner.input_field,
        "answerPath": runner.answer_path,
        "calls": runner.calls_path,
        "perMinute": runner.per_minute,
    }
    return {key: value for key, value in told.items() if value is not None}
