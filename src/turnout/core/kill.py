"""What is stopped at once in pods that run, without a rollout: by a policy's switch or the Agent.

An order is what pods are told. It is no content: it acts on whatever runs. Two things carry it,
and both are read back: a ConfigMap that stands while anything is stopped, for pods that are yet to
start, and an annotation on each pod.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from typing_extensions import override

from turnout.api.agent import Agent
from turnout.api.policy import AgentPolicy, KillAgent, KillSwitch
from turnout.api.traffic import TrafficState
from turnout.core import naming
from turnout.core.world import Child, World

SHOWN = 8
"""Tools that a sentence names."""


@dataclass(frozen=True)
class Order:
    """What pods are told.

    Attributes:
        agent: Whether the policy lets the agent work.
        tools: Patterns of tools that may not be called, sorted.
        traffic: Whether the Agent serves at all.
    """

    agent: KillAgent = KillAgent.ALLOW
    tools: tuple[str, ...] = ()
    traffic: TrafficState = TrafficState.SERVING

    @property
    def is_clear(self) -> bool:
        """Tell whether nothing is stopped."""
        return self == Order()

    @property
    def text(self) -> str:
        """The order as pods read it."""
        parts = {"agent": self.agent, "tools": self.tools, "traffic": self.traffic}
        return json.dumps(parts, separators=(",", ":"))

    @override
    def __str__(self) -> str:
        """Say what the policy stops."""
        more = f" and {len(self.tools) - SHOWN} more" if len(self.tools) > SHOWN else ""
        stopped = ["the agent"] if self.agent is not KillAgent.ALLOW else []
        if self.tools:
            stopped.append(f"tools {', '.join(self.tools[:SHOWN])}{more}")
        return f"{' and '.join(stopped)} stopped" if stopped else "nothing is stopped"


def order_for(agent: Agent, switch: KillSwitch | None) -> Order:
    """Give the order for the pods of an Agent whose policy has this switch."""
    known = switch or KillSwitch()
    return Order(known.agent, tuple(sorted(known.tools)), agent.spec.traffic.state)


def order_of(world: World) -> Order:
    """Give the order that pods shall have now.

    A policy that cannot be read, or that was deleted while it is referred to, releases nothing.
    """
    policy = world.sources.policy
    if isinstance(policy, AgentPolicy):
        return order_for(world.agent, policy.spec.kill_switch)
    if world.agent.spec.policy_ref is None:
        return order_for(world.agent, None)
    return replace(recorded(world), traffic=world.agent.spec.traffic.state)


def standing_order(world: World) -> Child | None:
    """Find the ConfigMap that tells new pods what is stopped, where it is ours."""
    return world.ours("ConfigMap", naming.standing_order_name(world.name))


def recorded(world: World) -> Order:
    """Read what the policy's switch stopped before this look, from where it was written down."""
    record = standing_order(world)
    noted = [record.annotation(naming.KILL)] if record is not None else []
    noted += [pod.order for pod in world.pods if pod.hears]
    text = next((one for one in noted if one is not None), None)
    return Order() if text is None else _read(text)


def _read(text: str) -> Order:
    """Read an order's part that the policy decides; one that makes no sense stops the agent."""
    try:
        switch = KillSwitch.model_validate_json(text)
    except ValueError:
        return Order(KillAgent.STOP)
    return Order(switch.agent, tuple(sorted(switch.tools)))


def switched(world: World) -> Order | None:
    """Give what the policy's switch stops now where that is not what it stopped before."""
    order = replace(order_of(world), traffic=TrafficState.SERVING)
    return None if order == recorded(world) else order


def stopped_by(world: World) -> str | None:
    """Say who took all traffic off the agent; None where nobody did."""
    if world.agent.spec.traffic.state is TrafficState.STOPPED:
        return "traffic.state is Stopped"
    if order_of(world).agent is not KillAgent.ALLOW:
        policy = world.agent.spec.policy_ref
        return f"AgentPolicy {policy.name if policy else ''} stops the agent by its kill switch"
    return None
