"""What a person may ask for, as the patch that says it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from turnout.adapters.access import Access
from turnout.adapters.documents import AGENT, AGENT_ROLLOUT, Ref
from turnout.api.rollout import AgentRollout, PromoteMode
from turnout.cli.agents import Record
from turnout.cli.why import awaits_acknowledgement
from turnout.core.phase import has_ended
from turnout.errors import Invalid

Patch: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""A merge patch, or a list: a JSON patch."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One patch and what it does, in words.

    Attributes:
        does: What will happen: "r14 ends, and stable gets all traffic".
        asks: Whether a person must confirm it: it cannot be taken back, or skips the gate.
    """

    ref: Ref
    patch: Patch
    does: str
    asks: bool = False


def abort(record: Record, by: str, reason: str | None) -> Wish:
    """End the running rollout."""
    rollout = _running(record, "abort")
    to, back = rollout.spec.to.version, record.stable or "nothing"
    does = f"{rollout.metadata.name} ends: {to} is refused, all traffic goes to {back}"
    return Wish(_ref(rollout), _spec(abort=_intent(by, reason)), does, asks=True)


def pause(record: Record, by: str, reason: str | None) -> Wish:
    """Keep the running rollout where it is."""
    rollout = _running(record, "pause")
    does = f"{rollout.metadata.name} stays where it is until it is resumed"
    return Wish(_ref(rollout), _spec(pause=_intent(by, reason)), does)


def resume(record: Record) -> Wish:
    """Let a paused rollout go on."""
    rollout = _running(record, "resume")
    if rollout.spec.pause is None:
        raise Invalid("NotPaused", f"{rollout.metadata.name} is not paused by anybody")
    does = f"{rollout.metadata.name} goes on; it was paused by {rollout.spec.pause.by}"
    return Wish(_ref(rollout), _spec(pause=None), does)


def promote(record: Record, by: str, reason: str | None) -> Wish:
    """Count the step under way as done."""
    rollout = _running(record, "promote")
    index = rollout.status.step.index if rollout.status.step else 1
    count = len(rollout.spec.strategy.steps)
    if index > count:
        name, agent = rollout.metadata.name, record.name
        message = f"{name} has taken every step; to skip the rest: turnout promote {agent} --full"
        raise Invalid("StepsTaken", message)
    through = max(1, index)
    told = {"mode": PromoteMode.STEP.value, "throughStep": through, **_intent(by, reason)}
    does = f"{rollout.metadata.name}: step {through} of {count} counts as done"
    return Wish(_ref(rollout), _spec(promote=told), does)


def promote_fully(record: Record, by: str, reason: str | None) -> Wish:
    """Skip what is left, the gate included."""
    rollout = _running(record, "promote")
    told = {"mode": PromoteMode.FULL.value, **_intent(by, reason)}
    to = rollout.spec.to.version
    does = f"{to} gets all traffic and is stable, whatever the gate says"
    return Wish(_ref(rollout), _spec(promote=told), does, asks=True)


def approve(record: Record, by: str, reason: str | None, step: str | None = None) -> Wish:
    """Approve a step: the first that still waits for this person, where none is named."""
    rollout = _running(record, "approve")
    names = [one.name for one in rollout.spec.strategy.steps if one.approve is not None]
    mine = {one.step for one in rollout.spec.approvals if one.by == by}
    chosen = step or next((name for name in names if name not in mine), None)
    name = rollout.metadata.name
    if not names:
        raise Invalid("NothingToApprove", f"{name} has no approve step")
    if chosen is None or chosen in mine:
        raise Invalid("AlreadyApproved", f"{by} has approved {chosen or 'every step'} of {name}")
    if chosen not in names:
        known = ", ".join(str(one) for one in names)
        raise Invalid("NoSuchStep", f"{name} has no approve step {chosen}; it has {known}")
    value = {"step": chosen, **_intent(by, reason)}
    patch = [{"op": "add", "path": "/spec/approvals/-", "value": value}]
    return Wish(_ref(rollout), patch, f"{by} approves step {chosen} of {name}")


def retry(record: Record, by: str, reason: str | None) -> Wish:
    """Try the version of the rollout that ended last again."""
    newest = record.newest
    if newest is None or not has_ended(newest.status.phase):
        raise Invalid("NotEnded", f"{record.name} has no rollout that ended; it cannot be retried")
    if newest.status.promoted_at is not None:
        raise Invalid("Promoted", f"{newest.metadata.name} was promoted: nothing to retry")
    does = f"{newest.spec.to.version} is tried again, with new evidence"
    return Wish(_ref(newest), _spec(retry=_intent(by, reason)), does)


def acknowledge(record: Record, by: str, reason: str | None) -> Wish:
    """Let an agent switch again after switches that nobody asked for."""
    newest, frozen = record.newest, awaits_acknowledgement(record)
    if frozen is None or newest is None:
        raise Invalid("NothingToAcknowledge", f"{record.name} waits for nobody's acknowledgement")
    known = newest.spec.acknowledge
    if known is not None:
        raise Invalid("Acknowledged", f"{known.by} has acknowledged them already")
    does = f"{record.name} may switch by itself again, which it waits for: {frozen}"
    return Wish(_ref(newest), _spec(acknowledge=_intent(by, reason)), does)


def undo(record: Record, version: str) -> Wish:
    """Pin a version, whatever the content says now."""
    if version not in record.versions:
        raise Invalid("NotKept", f"{version} is no longer kept: it cannot be gone back to")
    does = f"{record.name} goes to {version} and stays there until turnout unpin {record.name}"
    return Wish(_agent_ref(record), _spec(pinnedVersion=version), does, asks=True)


def unpin(record: Record) -> Wish:
    """Let the content decide again."""
    pinned = record.agent.spec.pinned_version
    if pinned is None:
        raise Invalid("NotPinned", f"{record.name} is not pinned to a version")
    does = f"{record.name} leaves {pinned} and rolls out what its content says now"
    return Wish(_agent_ref(record), _spec(pinnedVersion=None), does, asks=True)


def kubectl_line(wish: Wish, access: Access) -> str:
    """Write the kubectl command that does the same."""
    kind = "merge" if isinstance(wish.patch, Mapping) else "json"
    where = [f"--context={access.context}"] if access.context else []
    where += [f"--as={access.user}"] if access.user else []
    words = ["kubectl", *where, "patch", wish.ref.kind.resource, wish.ref.name]
    words += [f"--namespace={wish.ref.namespace}", "--field-manager=turnout-person"]
    words += [f"--type={kind}", f"--patch={json.dumps(wish.patch, ensure_ascii=False)}"]
    return shlex.join(words)


def _running(record: Record, verb: str) -> AgentRollout:
    rollout = record.running
    if rollout is None:
        last = record.newest
        past = f"; {last.metadata.name} is {last.status.phase.value}" if last else ""
        raise Invalid("NothingRuns", f"{record.name} has no running rollout to {verb}{past}")
    return rollout


def _ref(rollout: AgentRollout) -> Ref:
    return Ref(AGENT_ROLLOUT, rollout.metadata.namespace, rollout.metadata.name)


def _agent_ref(record: Record) -> Ref:
    return Ref(AGENT, record.agent.metadata.namespace, record.name)


def _spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def _intent(by: str, reason: str | None) -> dict[str, str]:
    return {"by": by} | ({"reason": reason} if reason else {})
