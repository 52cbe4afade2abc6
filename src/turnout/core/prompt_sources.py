"""What becomes of a Prompt whose text is kept outside the cluster: read, pinned, looked after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from turnout.api.prompt import Prompt, PromptStatus
from turnout.api.prompt_sources import RefPolicy, ResolvedText
from turnout.core.asking import Asking, SourceWorld, ask
from turnout.core.checks import address_problem
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.plan import Announcement
from turnout.core.prompt_pins import (
    Outside,
    OutsideText,
    identity,
    interval_of,
    last_read,
    name_of,
    outside,
    question,
    read_result,
    read_text,
    write_text,
)
from turnout.core.prompts import report_prompt
from turnout.core.reasons import Reason
from turnout.core.sources import SourceOutcome, actions_of, content_ref, target_of
from turnout.core.tasks import Answer, Problem
from turnout.core.texts import completed
from turnout.core.world import Unread


@dataclass(frozen=True)
class _Finding:
    """What is known of a text after a look.

    Attributes:
        text: The text from now on; None where there is none.
        taken: Claims that it was taken just now.
        moved_to: Version that its label points at instead.
        problem: Why nothing new is known.
    """

    text: OutsideText | None
    taken: bool = False
    moved_to: str | None = None
    problem: Problem | None = None


def decide_prompt(prompt: Prompt, whole: Prompt | Unread, world: SourceWorld) -> SourceOutcome:
    """Decide what to do about a Prompt now.

    Args:
        prompt: The Prompt as it is stored.
        whole: The same with its text, or why there is none: for a text that is in the cluster.
        world: All that bears on it.
    """
    source = outside(prompt.spec)
    if source is None:
        status = report_prompt(prompt, whole, world.users, world.now)
        return SourceOutcome(tuple(actions_of(prompt, prompt.status, status, None, world.pinned)))
    return _decide(prompt, source, world)


def _decide(prompt: Prompt, source: Outside, world: SourceWorld) -> SourceOutcome:
    pinned = read_text(prompt.spec, world.pinned)
    world = replace(world, answer=_checked(world.answer))
    wrong = address_problem(source.endpoint)
    if wrong is None:
        asking = ask(world, question(prompt, source, pinned), interval_of(prompt.spec, pinned))
    else:
        asking = Asking(problem=Problem(Reason.INVALID_SPEC, wrong))
    finding = _find(prompt, pinned, asking)
    data = None if finding.text is None else write_text(source, finding.text)
    status = _report(prompt, source, world, finding, asking)
    status = status.model_copy(update={"content_ref": content_ref(prompt, data)})
    actions = tuple(actions_of(prompt, prompt.status, status, data, world.pinned))
    return SourceOutcome(
        actions=actions + asking.start,
        announcements=tuple(_news(prompt, source, status)),
        again_at=asking.again_at,
        concerns_users=(prompt.status.digest, prompt.status.content_ref)
        != (status.digest, status.content_ref),
    )


def _checked(answer: Answer | None) -> Answer | None:
    """Make a problem of an answer that has another shape than our Jobs' answers."""
    if answer is None or answer.problem is not None:
        return answer
    try:
        read_result(answer.result)
    except ValueError as error:
        return replace(answer, result={}, problem=Problem("Unreadable", str(error)))
    return answer


def _find(prompt: Prompt, pinned: OutsideText | None, asking: Asking) -> _Finding:
    """Compare an answer with what is pinned; without one what was found before stays."""
    known = prompt.status.resolved
    before = _Finding(
        pinned, moved_to=known.moved_to if known and pinned else None, problem=asking.problem
    )
    if asking.answer is None:
        return before
    found = read_result(asking.answer.result)
    if pinned is None or (prompt.spec.ref_policy is RefPolicy.TRACK and found != pinned):
        return _Finding(found, taken=True)
    return _Finding(pinned, moved_to=None if found == pinned else found.version)


def _report(
    prompt: Prompt, source: Outside, world: SourceWorld, finding: _Finding, asking: Asking
) -> PromptStatus:
    resolved = _resolved(source, finding)
    if finding.text is None:
        whole: Prompt | Unread = Unread(resolved.message, Reason.RESOLVE_ERROR)
    else:
        whole = completed(prompt, finding.text.text)
    status = report_prompt(prompt, whole, world.users, world.now, resolved)
    told = {
        "resolved": _told(prompt, source, world, finding),
        "task": asking.task,
    }
    return status.model_copy(update=told)


def _resolved(source: Outside, finding: _Finding) -> Claim:
    problem, text = finding.problem, finding.text
    said = "" if problem is None else f"{problem.message} ({problem.reason})"
    if text is None and problem is None:
        return Claim("Resolved", UNKNOWN, Reason.PENDING, f"{name_of(source)} was not read yet")
    if text is None:
        return Claim("Resolved", FALSE, _word(problem), f"{name_of(source)}: {said}")
    if finding.moved_to is not None:
        message = (
            f"{name_of(source)} is version {finding.moved_to} now; version {text.version} stays "
            "(refPolicy: Pin): name the version to take it"
        )
        return Claim("Resolved", TRUE, Reason.LABEL_MOVED, message)
    message = f"version {text.version}" if not said else f"version {text.version}; asked: {said}"
    return Claim("Resolved", TRUE, Reason.RESOLVED, message)


def _word(problem: Problem | None) -> Reason:
    """Sort a problem: what a person mends, or what may come by itself."""
    for reason in (Reason.TOO_LARGE, Reason.INVALID_SPEC):
        if problem is not None and problem.reason == reason:
            return reason
    return Reason.SOURCE_UNAVAILABLE


def _told(
    prompt: Prompt, source: Outside, world: SourceWorld, finding: _Finding
) -> ResolvedText | None:
    """Record what was read; what was lost is on record until it was read again."""
    known, text = last_read(prompt, source), finding.text
    if text is None:
        return known
    at = world.now if finding.taken or known is None else known.at
    return ResolvedText(
        version=text.version,
        label=source.pointer,
        at=at,
        moved_to=finding.moved_to,
        source=identity(source),
    )


def _news(prompt: Prompt, source: Outside, status: PromptStatus) -> Iterator[Announcement]:
    """Tell of another version behind a label: once for each."""
    before, now = prompt.status.resolved, status.resolved
    if now is None or before is None or before.source != now.source:
        return
    key = f"g{prompt.metadata.generation}-{before.version}-{now.version}-{now.moved_to}"
    if now.moved_to is not None and now.moved_to != before.moved_to:
        message = next(one.message for one in status.conditions if one.type == "Resolved")
        yield Announcement(key, target_of(prompt), Reason.LABEL_MOVED, message, warning=True)
    if now.version != before.version:
        message = f"{name_of(source)} is version {now.version} now, it was {before.version}"
        yield Announcement(key, target_of(prompt), Reason.LABEL_MOVED, message)
