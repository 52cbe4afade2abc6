"""What people who edit a Prompt read on it: can it be used, who uses it, how far it came."""

from __future__ import annotations

from datetime import datetime

from turnout.api.prompt import Prompt, PromptStatus
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim, fold_conditions
from turnout.core.content import source_digest
from turnout.core.reasons import Reason
from turnout.core.shared import Users, followed, listed, rolled_out, uses_of
from turnout.core.templates import problem_of, warning_of
from turnout.core.world import Unread

_AWAITED = {Reason.REFERENCE_NOT_FOUND, Reason.SOURCE_UNAVAILABLE}
"""What may come by itself or with the next object that is applied."""


def report_prompt(
    prompt: Prompt,
    whole: Prompt | Unread,
    users: Users,
    now: datetime,
    outside: Claim | None = None,
) -> PromptStatus:
    """Report a Prompt; one that cannot be used says so, whatever became of it before.

    Args:
        prompt: The Prompt as it is stored.
        whole: The same with its text, or why there is none.
        users: Agents that refer to it.
        now: The time.
        outside: What is known of a text that is kept outside the cluster.
    """
    digest = None if isinstance(whole, Unread) else source_digest(whole)
    uses = uses_of(prompt, digest, users)
    accepted, resolved = _accepted(whole), outside or _resolved(whole)
    generation = prompt.metadata.generation
    outcome = _hindered(accepted, resolved) or rolled_out(uses)
    claims = [accepted, resolved, *followed(outcome)]
    return PromptStatus(
        observed_generation=generation,
        digest=digest,
        **listed(uses),
        conditions=fold_conditions(prompt.status.conditions, claims, generation, now),
    )


def _accepted(whole: Prompt | Unread) -> Claim:
    if isinstance(whole, Unread):
        return Claim("Accepted", UNKNOWN, Reason.PENDING, "there is no text to check")
    problem = problem_of(whole.spec)
    if problem is not None:
        return Claim("Accepted", FALSE, Reason.INVALID_TEMPLATE, problem)
    return Claim("Accepted", TRUE, Reason.VALID, warning_of(whole.spec))


def _resolved(whole: Prompt | Unread) -> Claim:
    if isinstance(whole, Unread):
        status = UNKNOWN if whole.reason is Reason.RESOLVE_ERROR else FALSE
        return Claim("Resolved", status, whole.reason, whole.message)
    return Claim("Resolved", TRUE, Reason.RESOLVED)


def _hindered(accepted: Claim, resolved: Claim) -> Claim | None:
    """Claim what keeps the present content from going out anywhere; None where nothing does."""
    if resolved.status is not TRUE:
        status = UNKNOWN if resolved.reason in _AWAITED else resolved.status
        return Claim("RolledOut", status, resolved.reason, resolved.message)
    if accepted.status is FALSE:
        return Claim("RolledOut", FALSE, accepted.reason, accepted.message)
    return None
