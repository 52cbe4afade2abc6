"""The pods of both versions of a run: made, and waited for."""

from __future__ import annotations

from collections.abc import Iterator

from turnout.api.base import VersionRef
from turnout.api.evalrun import EvalPlan
from turnout.core import naming
from turnout.core.jobs import JobSettings
from turnout.core.plan import Create
from turnout.core.pods import GENERATION
from turnout.core.runs.question import inline_tasks
from turnout.core.runs.sandbox import account, deployment, network_policy, service
from turnout.core.runs.trouble import is_ready, of_version, trouble_of
from turnout.core.runs.world import Ending, Material, RunWorld, no_run, no_verdict
from turnout.core.world import Stored


def lost(world: RunWorld, plan: EvalPlan) -> Ending | None:
    """Tell why the pods cannot be made; None where they can, or are there."""
    for arm in (plan.version, plan.baseline):
        name = naming.sandbox_name(arm.version)
        for kind in ("Deployment", "Service"):
            found = world.children.get((kind, name))
            if found is not None and not world.owns(found):
                return no_run("NameConflict", f"{kind} {name} was not made for this run")
        content = world.stored.get(arm.version)
        there = ("Deployment", name) in world.children
        if not there and not (isinstance(content, Stored) and content.digest == arm.digest):
            return no_run("ContentLost", f"what {arm.version} is made of cannot be read")
    return None


def missing(world: RunWorld, material: Material, way: JobSettings) -> Iterator[Create]:
    """Make what is not there: account and network first, so that no pod is without them."""
    agent, plan = material.agent, material.plan
    names = [naming.sandbox_name(one.version) for one in (plan.version, plan.baseline)]
    if any(("Deployment", name) not in world.children for name in names):
        yield Create(account(world.run, agent.metadata.name))
        yield Create(network_policy(world.run, agent))
        tasks = inline_tasks(world.run, material.suite)
        if tasks is not None:
            yield Create(tasks)
    for arm, name in zip((plan.version, plan.baseline), names, strict=True):
        content = world.stored.get(arm.version)
        if ("Deployment", name) not in world.children and isinstance(content, Stored):
            shape = _shape(world, arm)
            yield Create(deployment(world.run, agent, arm, content, shape, way=way))
        if ("Service", name) not in world.children:
            yield Create(service(world.run, agent, arm))


def not_ready(world: RunWorld, plan: EvalPlan) -> str | None:
    """Say which version no request can reach yet; None where both can be asked."""
    for arm in (plan.version, plan.baseline):
        pods = of_version(world.pods, arm.version)
        if not any(is_ready(one) for one in pods):
            trouble = trouble_of(pods)
            return f"no pod of {arm.version} is ready" + (f": {trouble.message}" if trouble else "")
    return None


def never_ready(world: RunWorld, plan: EvalPlan) -> Ending:
    """End a run whose pods did not come."""
    pods = (
        *of_version(world.pods, plan.version.version),
        *of_version(world.pods, plan.baseline.version),
    )
    trouble = trouble_of([one for one in pods if not is_ready(one)])
    said = not_ready(world, plan) or "no pod is ready"
    limit = "within deployment.progressDeadline"
    return no_verdict(trouble.reason if trouble else "NotReady", f"{said}, {limit}")


def _shape(world: RunWorld, arm: VersionRef) -> int:
    known = world.versions.get(arm.version)
    return GENERATION if known is None else min(known.spec.render, GENERATION)
