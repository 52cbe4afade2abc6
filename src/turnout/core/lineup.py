"""Whose turn it is where only so many rollouts may run at once.

A place is fair between namespaces: whoever has fewer rollouts running, and fewer waiting before,
comes first; among equals, whoever waits longest. What makes things safer never waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from turnout.api.rollout import AgentRollout, AgentRolloutSpec, Trigger
from turnout.core.phase import has_ended

STRAIGHT_BACK = frozenset({Trigger.RETURN, Trigger.DRIFT_FALLBACK})
"""Triggers of ways back, most of which skip the steps: the version was judged when it served."""

UNCOUNTED = STRAIGHT_BACK | {Trigger.INITIAL, Trigger.RECOVER}
"""Triggers that neither wait nor count: a first version has no users, and the others are a way
back, or the way out of an outage."""


def stands_in(spec: AgentRolloutSpec) -> bool:
    """Claim that a rollout is that of a version which stands in for one that does worse."""
    watch = spec.strategy.watch
    named = watch is not None and spec.to.version == watch.fallback_version
    return named and spec.trigger is Trigger.DRIFT_FALLBACK


def goes_straight_back(spec: AgentRolloutSpec) -> bool:
    """Claim that a rollout skips the steps; what stands in for another was not judged beside it."""
    return spec.trigger in STRAIGHT_BACK and not stands_in(spec)


@dataclass(frozen=True)
class Limits:
    """How many rollouts may run at once; 0 is no limit."""

    operator: int = 0
    namespace: int = 0

    def __bool__(self) -> bool:
        """Tell whether there is any limit."""
        return bool(self.operator or self.namespace)


@dataclass(frozen=True, order=True)
class Waiting:
    """An Agent that waits for its turn; the order is that of arrival."""

    since: datetime
    namespace: str
    name: str


@dataclass(frozen=True)
class Place:
    """Where an Agent stands in the queue.

    Attributes:
        position: How many come first, itself included.
        of: How many wait.
        reason: What is full.
    """

    position: int
    of: int
    reason: str


@dataclass(frozen=True)
class Turn:
    """Whether an Agent may begin a rollout that counts.

    Attributes:
        since: When it began to wait.
        place: Where it stands; None where it came a moment ago, and others may be coming.
        again_at: When to look again, if nobody calls before.
    """

    may_begin: bool
    since: datetime
    place: Place | None = None
    again_at: datetime | None = None


def counts(rollout: AgentRollout) -> bool:
    """Tell whether a rollout takes one of the places: it runs, and could have waited."""
    return rollout.spec.trigger not in UNCOUNTED and not has_ended(rollout.status.phase)


def in_order(waiting: Collection[Waiting], running: Mapping[str, int]) -> list[Waiting]:
    """Put those who wait in their order.

    Args:
        waiting: Who waits.
        running: Number of rollouts that run, by namespace.
    """
    rank: dict[str, int] = {}
    keyed = []
    for one in sorted(waiting):
        ahead = rank.get(one.namespace, running.get(one.namespace, 0))
        rank[one.namespace] = ahead + 1
        keyed.append((ahead, one))
    return [one for _, one in sorted(keyed)]


def called(
    ordered: Collection[Waiting], running: Mapping[str, int], limits: Limits
) -> Iterator[Waiting]:
    """Name those whose turn it is, the first ones of the queue whose namespace has room."""
    free = limits.operator - sum(running.values()) if limits.operator else len(ordered)
    busy = dict(running)
    for one in ordered:
        if free <= 0:
            return
        if limits.namespace and busy.get(one.namespace, 0) >= limits.namespace:
            continue
        busy[one.namespace] = busy.get(one.namespace, 0) + 1
        free -= 1
        yield one


def place_of(
    one: Waiting, ordered: Collection[Waiting], running: Mapping[str, int], limits: Limits
) -> Place:
    """Tell a place: in the whole queue, or in the namespace's where that is what is full."""
    here = running.get(one.namespace, 0)
    if limits.namespace and (not limits.operator or here >= limits.namespace):
        near = [other for other in ordered if other.namespace == one.namespace]
        reason = f"{here} of {limits.namespace} rollouts of this namespace run"
    else:
        near = list(ordered)
        reason = f"{sum(running.values())} of {limits.operator} rollouts run"
    return Place(near.index(one) + 1, len(near), reason)
