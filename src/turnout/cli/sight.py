"""An agent with its pods at one moment, and the facts that are shown of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from turnout.api.agent import AgentPhase, CandidateStatus, StableStatus
from turnout.api.policy import AgentPolicy, Killed
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import Step
from turnout.cli.agents import Record
from turnout.cli.budget import budget_document
from turnout.cli.screen import Marks
from turnout.cli.why import is_drifting, next_steps, why
from turnout.core.world import Pod

STYLES: Final[Mapping[AgentPhase, str]] = {
    AgentPhase.HEALTHY: "green",
    AgentPhase.PROGRESSING: "cyan",
    AgentPhase.QUEUED: "cyan",
    AgentPhase.PAUSED: "yellow",
    AgentPhase.HELD: "yellow",
    AgentPhase.ROLLED_BACK: "red",
    AgentPhase.DEGRADED: "red",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """An agent with its pods at one moment.

    Attributes:
        pods: Its pods, oldest first; None where the reader may not list pods.
        policy: What it may do; None where it has no policy or the reader may not see it.
    """

    record: Record
    pods: Sequence[Pod] | None
    now: datetime
    marks: Marks = field(default_factory=Marks)
    policy: AgentPolicy | None = None

    @property
    def killed(self) -> Killed | None:
        """What the policy's kill switch stops now."""
        return None if self.policy is None else self.policy.status.killed

    def pods_of(self, version: str) -> list[Pod]:
        """Give the pods of one version."""
        return [one for one in self.pods or () if one.version == version]


def phase_mark(phase: AgentPhase, marks: Marks) -> str:
    """Choose the sign beside a phase."""
    match phase:
        case AgentPhase.HEALTHY:
            return marks.done
        case AgentPhase.ROLLED_BACK | AgentPhase.DEGRADED:
            return marks.bad
        case AgentPhase.PROGRESSING | AgentPhase.PAUSED | AgentPhase.HELD:
            return marks.now
        case _:
            return marks.empty


def short(version: str, agent: str) -> str:
    """Write a version without its agent's name, where that is said beside it."""
    return version.removeprefix(f"{agent}-")


def say_step(step: Step) -> str:
    """Say in a few words what a step does."""
    if step.set_weight is not None:
        return f"{step.set_weight} %"
    if step.pause is not None:
        return f"pause {step.pause.duration}" if step.pause.duration else "pause"
    if step.evaluate is not None:
        return f"evaluate {', '.join(step.evaluate.suites)}"
    return f"approve {step.name}" if step.approve is not None else (step.name or "step")


def bake_words(rollout: AgentRollout) -> Iterator[str]:
    """Say what comes between the last step and the promotion, where the strategy has a watch."""
    watch = rollout.spec.strategy.watch
    if watch is not None:
        yield f"{watch.weight} %"
        yield f"bake {watch.bake}"


def versions_of(sight: Sight) -> Iterator[str]:
    """Name the versions to show: stable, what is tried or was refused, and what still has pods."""
    record = sight.record
    refused = record.desired if record.agent.status.phase is AgentPhase.ROLLED_BACK else None
    running = sorted({one.version for one in sight.pods or ()})
    named = (record.stable, record.candidate, refused, *running)
    yield from dict.fromkeys(one for one in named if one is not None)


def role(record: Record, version: str) -> str:
    """Say what a version is in the tree."""
    if version == record.stable:
        return "stable"
    if version == record.candidate:
        return "candidate"
    return "refused" if version == record.desired else "old"


def weight_of(record: Record, version: str) -> int | None:
    """Give a version's share as read back from the route; None where none was read."""
    route = record.agent.status.route
    if route is None or not route.weights:
        return None
    return next((one.weight for one in route.weights if one.version == version), 0)


def ready_of(sight: Sight, version: str) -> tuple[int, int] | None:
    """Count the pods that are ready and those there are or should be; None where unknown."""
    known = _status_of(sight.record, version)
    if sight.pods is None:
        return (known.ready_replicas, known.replicas) if known else None
    mine = sight.pods_of(version)
    return sum(one.ready for one in mine), max(len(mine), known.replicas if known else 0)


def _status_of(record: Record, version: str) -> StableStatus | CandidateStatus | None:
    status = record.agent.status
    arms = (status.stable, status.candidate)
    return next((one for one in arms if one is not None and one.version == version), None)


def since_when(record: Record, version: str) -> datetime | None:
    """Tell since when a version is what it is."""
    stable, newest = record.agent.status.stable, record.newest
    if stable is not None and stable.version == version:
        return stable.since
    if newest is not None and newest.spec.to.version == version:
        return newest.status.started_at
    return None


def changed_planes(record: Record, before: str | None, after: str) -> list[str]:
    """Name the planes in which two versions differ; none where one is no longer known."""
    old, new = record.versions.get(before or ""), record.versions.get(after)
    if old is None or new is None:
        return []
    known = {one.name: one.digest for one in old.spec.planes}
    there = {one.name: one.digest for one in new.spec.planes}
    return [one.value.lower() for one in {**known, **there} if known.get(one) != there.get(one)]


def ended_badly(record: Record) -> bool:
    """Claim that what was tried last is why the agent is where it is."""
    tried = record.agent.status.phase in {AgentPhase.ROLLED_BACK, AgentPhase.DEGRADED}
    return tried and not is_drifting(record)


def sight_document(sight: Sight) -> dict[str, Any]:
    """Write an agent for programs."""
    record, reason = sight.record, why(sight.record)
    return {
        "agent": record.name,
        "namespace": record.agent.metadata.namespace,
        "phase": record.agent.status.phase.value,
        "reason": reason.reason,
        "message": reason.message,
        "next": next_steps(record),
        "killed": sight.killed.to_wire() if sight.killed is not None else None,
        "versions": [_version_document(sight, one) for one in versions_of(sight)],
        "objectives": budget_document(record.agent),
        "rollout": _rollout_document(record),
    }


def _version_document(sight: Sight, version: str) -> dict[str, Any]:
    ready, moment = ready_of(sight, version), since_when(sight.record, version)
    return {
        "version": version,
        "role": role(sight.record, version),
        "weight": weight_of(sight.record, version),
        "readyPods": ready[0] if ready else None,
        "pods": ready[1] if ready else None,
        "since": moment.isoformat() if moment else None,
        "changed": changed_planes(sight.record, sight.record.stable, version),
        "troubles": [
            {"pod": one.name, "why": one.trouble} for one in sight.pods_of(version) if not one.ready
        ],
    }


def _rollout_document(record: Record) -> dict[str, Any] | None:
    rollout = record.newest
    if rollout is None:
        return None
    steps = [say_step(one) for one in rollout.spec.strategy.steps]
    return {"name": rollout.metadata.name, "steps": steps, **rollout.status.to_wire()}
