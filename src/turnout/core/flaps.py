"""The flap guard: after two automatic switches in a short time, a person has to look first.

An automatic switch is a promotion that neither a person nor a change of content asked for: falling
back where tools drifted, and the return from that (ADR 10). Taking back a candidate that runs is
none, for stable stays who it is, and is never held up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from turnout.api.base import VersionRef, as_timedelta
from turnout.api.rollout import AgentRollout, RolloutPhase, Trigger
from turnout.core.intake import Wanted
from turnout.core.world import World

ENOUGH: Final = 2
"""Switches that freeze further ones."""

UNASKED: Final = frozenset({Trigger.CONTENT_CHANGED, Trigger.RECOVER})
"""Triggers of a return that no person asked for."""


def flapping(world: World, wanted: Wanted, trigger: Trigger | None) -> str | None:
    """Say why what would begin has to wait for a person; None where it may begin."""
    watch = wanted.strategy.watch
    if watch is None or not _is_automatic(wanted.ref, trigger, _promotions(world)):
        return None
    last = _unacknowledged(world)[-ENOUGH:]
    if len(last) < ENOUGH or last[1][1] - last[0][1] > as_timedelta(watch.flap_window):
        return None
    told = " and ".join(f"{one.metadata.name} at {at:%Y-%m-%d %H:%M:%S}Z" for one, at in last)
    name = last[1][0].metadata.name
    return (
        f"two switches within {watch.flap_window} that nobody asked for, {told}: "
        f"{wanted.ref.version} waits until a person acknowledges them: kubectl patch agentrollout "
        f'{name} --type=merge -p \'{{"spec":{{"acknowledge":{{"by":"YOUR NAME"}}}}}}\''
    )


def _promotions(world: World) -> list[AgentRollout]:
    return [one for one in world.rollouts if one.status.phase is RolloutPhase.PROMOTED]


def _is_automatic(to: VersionRef, trigger: Trigger | None, before: list[AgentRollout]) -> bool:
    """Claim that nobody asks for a switch: the fallback, or the return to what it left.

    Args:
        to: Where it goes.
        trigger: Why it begins.
        before: Promotions before it, oldest first.
    """
    if trigger is Trigger.DRIFT_FALLBACK:
        return True
    if not before or before[-1].spec.trigger is not Trigger.DRIFT_FALLBACK:
        return False
    return trigger in UNASKED and to == before[-1].spec.from_


def _unacknowledged(world: World) -> list[tuple[AgentRollout, datetime]]:
    """Give the automatic switches since a person acknowledged the last time, oldest first."""
    known = max((one.spec.number for one in world.rollouts if one.spec.acknowledge), default=0)
    return [one for one in _switches(_promotions(world)) if one[0].spec.number > known]


def _switches(promotions: list[AgentRollout]) -> Iterator[tuple[AgentRollout, datetime]]:
    for number, one in enumerate(promotions):
        at = one.status.promoted_at
        if at is not None and _is_automatic(one.spec.to, one.spec.trigger, promotions[:number]):
            yield one, at
