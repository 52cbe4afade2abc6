"""What people who edit a Prompt read on it: can it be used, who uses it, how far it came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from turnout.api.agent import Agent
from turnout.api.prompt import Prompt, PromptStatus
from turnout.core.conditions import FALSE, TRUE, Claim, fold_conditions
from turnout.core.content import source_digest
from turnout.core.reasons import Reason
from turnout.core.shared import followed, rolled_out, uses_of
from turnout.core.templates import problem_of, warning_of


def report_prompt(prompt: Prompt, users: Sequence[Agent], now: datetime) -> PromptStatus:
    """Report a Prompt; one that cannot be used says so, whatever became of it before."""
    digest = source_digest(prompt)
    uses = uses_of(prompt, digest, users)
    accepted = _accepted(prompt)
    outcome = rolled_out(uses)
    if accepted.status is FALSE:
        outcome = Claim("RolledOut", FALSE, accepted.reason, accepted.message)
    generation = prompt.metadata.generation
    claims = [accepted, *followed(outcome)]
    return PromptStatus(
        observed_generation=generation,
        digest=digest,
        used_by=uses,
        conditions=fold_conditions(prompt.status.conditions, claims, generation, now),
    )


def _accepted(prompt: Prompt) -> Claim:
    problem = problem_of(prompt.spec, prompt.spec.text)
    if problem is not None:
        return Claim("Accepted", FALSE, Reason.INVALID_TEMPLATE, problem)
    return Claim("Accepted", TRUE, Reason.VALID, warning_of(prompt.spec, prompt.spec.text))
