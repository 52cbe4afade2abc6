"""The requests by which pods come to know what is stopped, and what is told of it.

The standing order comes first and goes last, so that a pod that starts meanwhile is told by one of
the two. It is no immutable ConfigMap: a kubelet keeps such a one for as long as any pod of its node
mounts it, and would show an order that is no more to every new pod there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from turnout.api.policy import AgentPolicy
from turnout.api.rollout import AgentRolloutStatus, TimelineEntry
from turnout.core import naming, render
from turnout.core.kill import Order, order_of, standing_order, switched
from turnout.core.moves import KILL_SWITCH, TIMELINE
from turnout.core.patch import holds, revised
from turnout.core.plan import Action, Annotate, Announcement, Apply, Create, Remove, Target
from turnout.core.reasons import Reason
from turnout.core.world import Pod, World

NOW = timedelta(0)
REPEAT = timedelta(seconds=2)
"""Until a pod is told once more: its kubelet may miss a change for a minute or more (ADR 6)."""

RECHECK = timedelta(seconds=15)
"""A foreign ConfigMap that holds the name is not watched, so it is looked at this often."""


def plan_orders(world: World) -> Iterator[Action]:
    """Plan what pods are still to be told; nothing where all know."""
    order, known = order_of(world), standing_order(world)
    if not order.is_clear:
        yield from _stand(world, order)
    for pod in world.pods:
        told_before = pod.order is not None or known is not None
        if pod.hears and pod.order != order.text and (told_before or not order.is_clear):
            again = (world.now + REPEAT).isoformat()
            yield _told(world, pod, {naming.KILL: order.text, naming.KILL_REPEAT_AT: again})
        elif pod.hears and _repeat_in(world, pod) == NOW:
            yield _told(world, pod, {naming.KILL_REPEAT_AT: None})
    if order.is_clear and known is not None:
        name = naming.standing_order_name(world.name)
        yield Remove(Target("ConfigMap", world.namespace, name), known.uid, known.version)


def _stand(world: World, order: Order) -> Iterator[Action]:
    """Let new pods find the order; what somebody else keeps under that name stays as it is."""
    manifest, known = render.standing_order(world, order.text), standing_order(world)
    if world.child("ConfigMap", manifest["metadata"]["name"]) is None:
        yield Create(manifest)
    elif known is not None and not holds({"metadata": manifest["metadata"]}, known.document):
        manifest["metadata"]["uid"] = known.uid
        yield Apply(manifest, known.version)


def _told(world: World, pod: Pod, annotations: Mapping[str, str | None]) -> Annotate:
    return Annotate(Target("Pod", world.namespace, pod.name), annotations, pod.resource)


def _repeat_in(world: World, pod: Pod) -> timedelta | None:
    """Tell when a pod is to be told once more; at once where what stands on it makes no sense."""
    if pod.repeat_at is None:
        return None
    try:
        return max(NOW, datetime.fromisoformat(pod.repeat_at) - world.now)
    except (TypeError, ValueError):
        return NOW


def orders_again_in(world: World) -> timedelta | None:
    """Tell when to look again: to repeat an order, or where somebody else holds the name."""
    waits = [_repeat_in(world, pod) for pod in world.pods if pod.hears]
    name = naming.standing_order_name(world.name)
    if world.child("ConfigMap", name) is not None and standing_order(world) is None:
        waits.append(None if order_of(world).is_clear else RECHECK)
    return min((one for one in waits if one is not None), default=None)


def announce_switch(world: World) -> Iterator[Announcement]:
    """Announce on the agent and its policy that the switch was thrown, changed or cleared."""
    order, policy = switched(world), world.sources.policy
    if order is None:
        return
    reason = "KillSwitchCleared" if order.is_clear else "KillSwitchThrown"
    cause, told = world.agent.metadata, [Target("Agent", world.namespace, world.name)]
    if isinstance(policy, AgentPolicy):
        cause = policy.metadata
        told.append(Target("AgentPolicy", world.namespace, cause.name))
    key = f"kill-{cause.uid}-{cause.generation}"
    for regarding in told:
        yield Announcement(key, regarding, reason, str(order), warning=not order.is_clear)


def with_switch(world: World, status: AgentRolloutStatus) -> AgentRolloutStatus:
    """Write a change of the switch into a rollout's timeline, once."""
    order = switched(world)
    if order is None:
        return status
    reason = Reason.CLEAR if order.is_clear else Reason.THROWN
    entry = TimelineEntry(at=world.now, rule=KILL_SWITCH, reason=reason.value, message=str(order))
    last = next((one for one in reversed(status.timeline) if one.rule == KILL_SWITCH), None)
    if last is not None and (last.reason, last.message) == (entry.reason, entry.message):
        return status
    return revised(status, timeline=(*status.timeline, entry)[-TIMELINE:])
