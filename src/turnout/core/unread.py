"""What is said on an object that this operator cannot read: which field, its value, and the mend.

The API server holds to the schema what people write, so this is for what was stored under another
one: before an upgrade, or by CRDs that are newer than the operator. Nothing moves meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from turnout.api.agent import AgentPhase
from turnout.api.base import Condition
from turnout.api.use import Use, User
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim, fold_conditions
from turnout.core.reasons import Reason
from turnout.core.shared import listed

_CONTENT: Final = ("Prompt", "ToolRegistry", "AgentPolicy")
"""Kinds whose content rolls out."""

_ALWAYS: Final = {
    "Agent": ("ResolvedRefs", "ContentPinned", "Available", "Programmed", "GatesPassing"),
    "Prompt": ("Resolved",),
    "AgentPolicy": ("KillSwitch",),
    "ToolRegistry": ("Resolved", "InSync", "HintsAgree"),
    "MetricTemplate": ("SeriesFound",),
}
"""Conditions that are there from the first look on, besides those that fail."""

_OF_THE_CONTENT: Final = frozenset(("digest", "usedBy", "truncated"))
"""What a status says of content that is not known now."""


def refusal(
    kind: str,
    before: Mapping[str, Any],
    users: Iterable[str],
    why: str,
    *,
    generation: int,
    now: datetime,
) -> dict[str, Any]:
    """Make the status of an object that cannot be read.

    What was concluded before about other aspects stays, with the generation that it speaks of.

    Args:
        kind: The object's kind.
        before: Its status as stored, which need not be readable either.
        users: Names of the Agents that refer to it.
        why: Field, value and mend.
        generation: The object's generation.
        now: The time.
    """
    known = dict(_readable(before))
    claims = tuple(_claims(kind, why, known))
    told = {claim.type for claim in claims} | {"Reconciling"}
    made = fold_conditions(known.values(), claims, generation, now)
    kept = [one for one in known.values() if one.type not in told]
    return {
        **{key: value for key, value in before.items() if key not in _OF_THE_CONTENT},
        **_standing(kind, why, users),
        "observedGeneration": generation,
        "conditions": [one.to_wire() for one in (*made, *kept)],
    }


def _readable(before: Mapping[str, Any]) -> Iterator[tuple[str, Condition]]:
    for one in before.get("conditions") or ():
        try:
            condition = Condition.model_validate(one)
        except ValidationError:
            continue
        yield condition.type, condition


def _claims(kind: str, why: str, known: Mapping[str, Condition]) -> Iterator[Claim]:
    ready = known.get("Ready")
    serves = kind == "Agent" and ready is not None and ready.status is TRUE
    failing = ["Accepted"]
    failing += ["RolledOut"] if kind in _CONTENT else []
    failing += ["Progressing"] if kind == "Agent" else []
    failing += [] if serves else ["Ready"]
    yield from (Claim(aspect, FALSE, Reason.INVALID_SPEC, why) for aspect in failing)
    yield Claim("Stalled", TRUE, Reason.INVALID_SPEC, why)
    for aspect in _ALWAYS.get(kind, ()):
        if aspect not in known:
            yield Claim(aspect, UNKNOWN, Reason.PENDING)


def _standing(kind: str, why: str, users: Iterable[str]) -> dict[str, Any]:
    """Say where an Agent stands; of what Agents share, who waits for it."""
    if kind == "Agent":
        return {"phase": AgentPhase.DEGRADED.value, "summary": why[:256]}
    use = Use if kind in _CONTENT else User
    shown = listed([use(agent=name) for name in users])
    uses = {"usedBy": [one.to_wire() for one in shown["used_by"]]}
    return uses | ({"truncated": shown["truncated"]} if shown["truncated"] else {})
