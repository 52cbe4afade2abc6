"""What people who edit an AgentPolicy read on it: can it be used, who uses it, how far it came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from turnout.api.policy import AgentPolicy, AgentPolicyStatus, Killed, ToolAccess
from turnout.core.checks import policy_problem, policy_remark
from turnout.core.conditions import FALSE, TRUE, Claim, fold_conditions
from turnout.core.content import source_digest
from turnout.core.kill import order_for
from turnout.core.reasons import Reason
from turnout.core.shared import Users, listed, standing, uses_of
from turnout.core.world import Pod, Unread

NAMED = 4
"""Pods that a message names."""


def report_policy(
    policy: AgentPolicy,
    users: Users,
    now: datetime,
    pods: Mapping[str, Sequence[Pod]],
) -> AgentPolicyStatus:
    """Report an AgentPolicy; one that cannot be used says so, whatever became of it before.

    Args:
        policy: What is reported.
        users: The Agents that refer to it, by name.
        now: The time.
        pods: The pods of each, by the Agent's name.
    """
    digest = source_digest(policy)
    uses = uses_of(policy, digest, users)
    access, generation = policy.spec.tools or ToolAccess(), policy.metadata.generation
    switch = policy.spec.kill_switch
    untold = [
        pod
        for name, agent in users.items()
        for pod in pods.get(name, ())
        if isinstance(agent, Unread) or pod.order != order_for(agent, switch).text
    ]
    number = sum(map(len, pods.values()))
    killed = _killed(policy, f"{number - len(untold)}/{number}", now)
    claims = (
        *standing(policy_problem(policy), uses, policy_remark(policy)),
        _switch(killed, untold),
    )
    return AgentPolicyStatus(
        observed_generation=generation,
        digest=digest,
        **listed(uses),
        allowed=len(access.allow),
        denied=len(access.deny),
        killed=killed,
        conditions=fold_conditions(policy.status.conditions, claims, generation, now),
    )


def _killed(policy: AgentPolicy, pods: str, now: datetime) -> Killed | None:
    switch, before = policy.spec.kill_switch, policy.status.killed
    if switch is None or not switch.thrown:
        return None
    same = before is not None and (before.agent, before.tools) == (switch.agent, switch.tools)
    since = before.since if before is not None and same else now
    return Killed(agent=switch.agent, tools=switch.tools, since=since, pods=pods)


def _switch(killed: Killed | None, untold: Sequence[Pod]) -> Claim:
    if killed is None:
        return Claim("KillSwitch", FALSE, Reason.CLEAR, "nothing is stopped")
    parts = (f"{killed.pods} pods were told", *_still(untold))
    return Claim("KillSwitch", TRUE, Reason.THROWN, "; ".join(parts))


def _still(untold: Sequence[Pod]) -> Iterator[str]:
    """Name the pods that do not know yet, and those that never will: a person has to end them."""
    waiting = [pod.name for pod in untold if pod.hears]
    deaf = [pod.name for pod in untold if not pod.hears]
    if waiting:
        yield f"on its way to {_named(waiting)}"
    if deaf:
        yield f"{_named(deaf)} cannot be told: ending, or made before there were kill switches"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
