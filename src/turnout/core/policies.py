"""What people who edit an AgentPolicy read on it: can it be used, who uses it, how far it came."""

from __future__ import annotations

from datetime import datetime

from turnout.api.policy import AgentPolicy, AgentPolicyStatus, ToolAccess
from turnout.core.checks import policy_problem, policy_remark
from turnout.core.conditions import fold_conditions
from turnout.core.content import source_digest
from turnout.core.shared import Users, listed, standing, uses_of


def report_policy(policy: AgentPolicy, users: Users, now: datetime) -> AgentPolicyStatus:
    """Report an AgentPolicy; one that cannot be used says so, whatever became of it before."""
    digest = source_digest(policy)
    uses = uses_of(policy, digest, users)
    access, generation = policy.spec.tools or ToolAccess(), policy.metadata.generation
    claims = standing(policy_problem(policy), uses, policy_remark(policy))
    return AgentPolicyStatus(
        observed_generation=generation,
        digest=digest,
        **listed(uses),
        allowed=len(access.allow),
        denied=len(access.deny),
        conditions=fold_conditions(policy.status.conditions, claims, generation, now),
    )
