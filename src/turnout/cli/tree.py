"""One agent as a tree: what runs, who gets the traffic, how far the rollout came, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.text import Text

from turnout.api.policy import KillAgent
from turnout.api.rollout import AgentRollout
from turnout.cli.budget import budget_lines, costs
from turnout.cli.screen import Marks, safe
from turnout.cli.sight import (
    STYLES,
    Sight,
    bake_words,
    changed_planes,
    ended_badly,
    phase_mark,
    ready_of,
    role,
    say_step,
    since_when,
    versions_of,
    weight_of,
)
from turnout.cli.times import clock, since, span
from turnout.cli.verdict import gate_lines
from turnout.cli.why import next_steps, why
from turnout.core.bake import BAKE

BAR: Final = 20
"""Characters for all of the traffic."""

LATEST: Final = 3
"""Lines of what happened last."""


def tree_lines(sight: Sight) -> Iterator[Text]:
    """Write the tree."""
    record = sight.record
    yield _head(sight)
    yield from _killed(sight)
    versions = list(versions_of(sight))
    for version in versions:
        yield from _version_lines(sight, version, last=version == versions[-1])
    shown = record.running or (record.newest if ended_badly(record) else None)
    if shown is not None:
        yield from gate_lines(shown, sight.now, sight.marks)
        for cost in costs(shown):
            yield Text.assemble(("COST  ", "bold"), cost)
    yield from budget_lines(record.agent, sight.now)
    if record.running is not None and record.stable is not None:
        yield _steps(record.running, sight.marks)
    yield from _reasons(sight)
    if shown is not None:
        yield from _latest(shown, sight.now)


def _head(sight: Sight) -> Text:
    agent, rollout, newest = sight.record.agent, sight.record.running, sight.record.newest
    phase = agent.status.phase
    mark = f"{phase_mark(phase, sight.marks)} {phase.value}"
    return Text.assemble(
        (agent.metadata.name, "bold"),
        "  ",
        (mark, STYLES.get(phase, "")),
        f"  {_position(rollout, sight.now)}" if rollout is not None else "",
        (f"  {agent.metadata.namespace}", "dim"),
        (f"/{newest.metadata.name}" if newest is not None else "", "dim"),
    )


def _killed(sight: Sight) -> Iterator[Text]:
    """Show what the kill switch stops, and how many pods know."""
    killed, policy = sight.killed, sight.record.agent.spec.policy_ref
    if killed is None or policy is None:
        return
    what = [f"tool {safe(one)}" for one in killed.tools]
    if killed.agent is KillAgent.STOP:
        what = ["the agent"]
    yield Text.assemble(
        (f"{sight.marks.bad} STOPPED  {', '.join(what)}", "red"),
        f"  {killed.pods} pods know",
        (f"  {since(killed.since, sight.now)}, by AgentPolicy {policy.name}", "dim"),
    )


def _position(rollout: AgentRollout, now: datetime) -> str:
    """Say at which step a rollout is, how long already, and for how long still."""
    step, steps = rollout.status.step, rollout.spec.strategy.steps
    if step is None or step.index < 1:
        return "begins"
    already = since(step.started_at, now)
    if step.progress is None:
        return f"first version, {already}"
    left = f", {span(step.ends_at - now)} left" if step.ends_at and step.ends_at > now else ""
    if step.index > len(steps):
        return f"{'bake' if step.name == BAKE else 'promotion'}, {already}{left}"
    return f"step {step.progress}: {say_step(steps[step.index - 1])}, {already}{left}"


def _version_lines(sight: Sight, version: str, *, last: bool) -> Iterator[Text]:
    record, marks = sight.record, sight.marks
    word, weight, ready = (
        role(record, version),
        weight_of(record, version),
        ready_of(sight, version),
    )
    is_stable = version == record.stable
    yield Text.assemble(
        (marks.last if last else marks.branch, "dim"),
        (f"{marks.full if is_stable else marks.empty} {version}", "" if word == "old" else "bold"),
        f"  {word:<9}  ",
        f"{weight:>3} %  " if weight is not None else "  -    ",
        _bar(weight or 0, marks),
        f"  {ready[0]}/{ready[1]} ready" if ready and ready[1] else "  no pods",
        (f"  {since(since_when(record, version), sight.now)}", "dim"),
    )
    lead = "   " if last else marks.down
    planes = changed_planes(record, record.stable, version)
    if planes and word in {"candidate", "refused"}:
        changed = f"  changed: {', '.join(planes)}"
        yield Text.assemble((lead, "dim"), changed, (f"   turnout diff {record.name}", "dim"))
    yield from _unready(sight, version, lead)


def _bar(weight: int, marks: Marks) -> Text:
    filled = round(weight * BAR / 100) or (1 if weight else 0)
    return Text.assemble((marks.bar * filled, "cyan"), (marks.rest * (BAR - filled), "dim"))


def _unready(sight: Sight, version: str, lead: str) -> Iterator[Text]:
    """Show the pods that are not well; the others are a number."""
    for pod in sight.pods_of(version):
        if not pod.ready:
            age = span(sight.now - datetime.fromtimestamp(pod.created, sight.now.tzinfo))
            yield Text.assemble(
                (f"{lead}  ", "dim"),
                (f"{sight.marks.bad} {pod.name}", "red"),
                f"  {safe(pod.trouble or 'not ready yet')}",
                (f"  {age}", "dim"),
            )


def _steps(rollout: AgentRollout, marks: Marks) -> Text:
    at = rollout.status.step.index if rollout.status.step else 0
    line = Text.assemble(("STEPS ", "bold"))
    words = (*map(say_step, rollout.spec.strategy.steps), *bake_words(rollout), "promote")
    for number, word in enumerate(words, start=1):
        sign = marks.done if number < at else marks.now if number == at else marks.empty
        line.append(f"{f' {marks.dash} ' if number > 1 else ''}{sign} {word}")
    return line


def _reasons(sight: Sight) -> Iterator[Text]:
    reason, following = why(sight.record), next_steps(sight.record)
    said = f"{reason.reason}: {safe(reason.message)}" if reason.message else reason.reason
    yield Text.assemble(("WHY   ", "bold"), said)
    if following is not None:
        yield Text.assemble(("NEXT  ", "bold"), following)


def _latest(rollout: AgentRollout, now: datetime) -> Iterator[Text]:
    for entry in rollout.status.timeline[-LATEST:]:
        said = safe(entry.message or entry.reason)
        yield Text.assemble((f"{clock(entry.at, now)}  ", "dim"), said)
