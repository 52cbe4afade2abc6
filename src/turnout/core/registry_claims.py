"""What the conditions of a ToolRegistry claim: found, in step with its servers, rolled out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from turnout.api.tools import SideEffect, ToolRegistry
from turnout.api.tools_status import ToolDrift
from turnout.api.use import Use
from turnout.core.checks import registry_problem
from turnout.core.conditions import FALSE, TRUE, UNKNOWN, Claim
from turnout.core.offers import Offer
from turnout.core.pins import Pin, Pins, is_discovered, watches
from turnout.core.reasons import Reason
from turnout.core.shared import followed, rolled_out
from turnout.core.tasks import Problem
from turnout.core.world import Unread

_MOST_SHOWN = 4


@dataclass(frozen=True)
class Finding:
    """What is known of a registry's servers after a look.

    Attributes:
        pins: What is pinned from now on.
        offers: What the servers said just now; None where nobody asked.
        drift: What they offer otherwise than pinned.
        shown: The same for people.
        problem: Why nothing is known of some server.
        answered: True where all servers answered what is asked of them now.
    """

    pins: Pins
    offers: Mapping[str, Offer] | None
    drift: tuple[ToolDrift, ...]
    shown: str
    problem: Problem | None
    answered: bool


def claims_of(
    registry: ToolRegistry, finding: Finding, whole: ToolRegistry | Unread, uses: Sequence[Use]
) -> Iterator[Claim]:
    """Claim every condition of a registry.

    Args:
        registry: The registry as it is stored.
        finding: What is known of its servers.
        whole: The same registry with what is pinned, or why it is not complete.
        uses: How far its content came.
    """
    problem = registry_problem(registry if isinstance(whole, Unread) else whole)
    accepted = Claim("Accepted", TRUE, Reason.VALID)
    if problem is not None:
        accepted = Claim("Accepted", FALSE, Reason.INVALID_SPEC, problem)
    resolved = _resolved(registry, finding, whole)
    yield accepted
    yield resolved
    yield _in_sync(registry, finding)
    yield _agreement(registry, finding.pins)
    yield from followed(_hindered((accepted, resolved)) or rolled_out(uses))


def _hindered(needed: Iterable[Claim]) -> Claim | None:
    """Claim RolledOut for a registry that no version can be made of now."""
    missing = next((one for one in needed if one.status is not TRUE), None)
    if missing is None:
        return None
    return Claim("RolledOut", missing.status, missing.reason, missing.message)


def _resolved(registry: ToolRegistry, finding: Finding, whole: ToolRegistry | Unread) -> Claim:
    if not isinstance(whole, Unread):
        found = any(map(is_discovered, registry.spec.tools))
        return Claim("Resolved", TRUE, Reason.DISCOVERED if found else Reason.RESOLVED)
    problem = finding.problem
    if problem is None and finding.answered:
        message = f"{whole.message}; the servers do not offer what is asked for"
        return Claim("Resolved", FALSE, Reason.DISCOVERY_FAILED, message)
    if problem is None:
        return Claim("Resolved", UNKNOWN, Reason.PENDING, whole.message)
    message = f"{whole.message}; {problem.message} ({problem.reason})"
    return Claim("Resolved", FALSE, _word(problem), message)


def _word(problem: Problem) -> Reason:
    """Sort a problem: the server is not there, or the asking itself failed."""
    gone = problem.reason in {"Unreachable", "TimedOut"}
    return Reason.SERVER_UNREACHABLE if gone else Reason.DISCOVERY_FAILED


def _in_sync(registry: ToolRegistry, finding: Finding) -> Claim:
    if not watches(registry):
        return Claim("InSync", UNKNOWN, Reason.NOT_WATCHED, "spec.drift does not ask for it")
    if finding.drift:
        return Claim("InSync", FALSE, Reason.DRIFTED, finding.shown)
    if finding.problem is not None:
        message = f"{finding.problem.message} ({finding.problem.reason})"
        return Claim("InSync", UNKNOWN, _word(finding.problem), message)
    if finding.offers is None and not registry.status.servers:
        return Claim("InSync", UNKNOWN, Reason.PENDING, "the servers were not asked yet")
    return Claim("InSync", TRUE, Reason.IN_SYNC)


def _agreement(registry: ToolRegistry, pins: Pins) -> Claim:
    """Compare what a person declares with what the server hints: a hint is never believed."""
    if not pins.tools:
        return Claim("HintsAgree", UNKNOWN, Reason.NOT_WATCHED, "no server told any tool")
    found = [
        f"{tool.name} is {tool.side_effect.value} here and {said} to its server"
        for tool in registry.spec.tools
        if (pin := pins.tools.get(tool.name)) is not None
        if (said := _contradiction(tool.side_effect, pin))
    ]
    if found:
        return Claim("HintsAgree", FALSE, Reason.CONTRADICTED, "; ".join(found[:_MOST_SHOWN]))
    return Claim("HintsAgree", TRUE, Reason.AGREED)


def _contradiction(declared: SideEffect, pin: Pin) -> str:
    if declared is not SideEffect.READ:
        return "read-only" if pin.read_only else ""
    if pin.destructive and not pin.read_only:
        return "destructive"
    return "not read-only" if pin.read_only is False else ""
