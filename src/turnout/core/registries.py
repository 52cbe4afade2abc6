"""What becomes of a ToolRegistry: discovered, pinned, watched, and what its people read on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from turnout.api.task import TaskOutcome
from turnout.api.tools import SideEffect, ToolRegistry
from turnout.api.tools_status import (
    ServerReport,
    ToolCounts,
    ToolDrift,
    ToolHints,
    ToolRegistryStatus,
)
from turnout.core.asking import Asking, SourceWorld, ask
from turnout.core.checks import TELLING, registry_problem
from turnout.core.conditions import fold_conditions
from turnout.core.content import source_digest
from turnout.core.offers import MOST_DRIFT, Offer, differences, pinned_from, read_offers
from turnout.core.pins import (
    Pins,
    filled_in,
    interval_of,
    question,
    read_pins,
    watches,
    write_pins,
)
from turnout.core.plan import Announcement
from turnout.core.reasons import Reason
from turnout.core.registry_claims import Finding, claims_of
from turnout.core.shared import listed, uses_of
from turnout.core.sources import SourceOutcome, actions_of, content_ref, target_of
from turnout.core.tasks import Problem
from turnout.core.world import Unread

_MOST_SHOWN = 4


def decide_registry(registry: ToolRegistry, world: SourceWorld) -> SourceOutcome:
    """Decide what to do about a ToolRegistry now."""
    before = read_pins(world.pinned)
    task = None if registry_problem(registry) else question(registry, before)
    asking = ask(world, task, interval_of(registry, before))
    finding = _find(registry, before, asking)
    data = write_pins(finding.pins) if finding.pins.noted_for else None
    status = _report(registry, world, finding, asking)
    status = status.model_copy(update={"content_ref": content_ref(registry, data)})
    actions = tuple(actions_of(registry, registry.status, status, data, world.pinned))
    return SourceOutcome(
        actions=actions + asking.start,
        announcements=tuple(_news(registry, status)),
        again_at=asking.again_at,
        concerns_users=_bearing(registry.status) != _bearing(status),
    )


def _find(registry: ToolRegistry, before: Pins, asking: Asking) -> Finding:
    """Compare an answer with what is pinned; without one what was found before stays."""
    task = asking.task
    answered = task is not None and task.outcome is TaskOutcome.ANSWERED
    drift = registry.status.drift if watches(registry) else ()
    known = Finding(before, None, drift, _said_before(registry), asking.problem, answered)
    if asking.answer is None:
        return known
    try:
        offers = read_offers(asking.answer.result)
    except ValueError as error:
        return replace(known, problem=Problem(Reason.DISCOVERY_FAILED, str(error)))
    pins = pinned_from(registry, before, offers)
    known = replace(known, pins=pins, offers=offers)
    return _compared(registry, known, offers) if watches(registry) else known


def _compared(registry: ToolRegistry, known: Finding, offers: Mapping[str, Offer]) -> Finding:
    """Add what the servers offer otherwise than pinned; of silent ones what was known stays."""
    found = differences(known.pins, offers)
    silent = {name for name, offer in offers.items() if offer.problem is not None}
    kept = (one for one in registry.status.drift if one.server in silent)
    drift = (*(one.drift for one in found), *kept)[:MOST_DRIFT]
    shown = "; ".join(_line(one.drift, one.shown) for one in found[:_MOST_SHOWN])
    return replace(known, drift=drift, shown=shown or known.shown)


def _line(drift: ToolDrift, shown: str) -> str:
    digests = f"pinned {drift.pinned or 'nothing'}, live {drift.live or 'nothing'}"
    what = f"{drift.tool} ({drift.server}): {drift.change.value}, {digests}"
    return f"{what}: {shown}" if shown else what


def _said_before(registry: ToolRegistry) -> str:
    told = (one.message for one in registry.status.conditions if one.type == "InSync")
    return next(told, "") if registry.status.drift else ""


def _report(
    registry: ToolRegistry, world: SourceWorld, finding: Finding, asking: Asking
) -> ToolRegistryStatus:
    whole = filled_in(registry, finding.pins)
    digest = None if isinstance(whole, Unread) else source_digest(whole)
    uses = uses_of(registry, digest, world.users)
    generation = registry.metadata.generation
    claims = claims_of(registry, finding, whole, uses)
    return ToolRegistryStatus(
        observed_generation=generation,
        digest=digest,
        **listed(uses),
        counts=_counts(registry),
        servers=_servers(registry, finding.offers, world.now),
        drift=finding.drift,
        hints=tuple(_hints(finding.pins)),
        task=asking.task,
        conditions=fold_conditions(registry.status.conditions, claims, generation, world.now),
    )


def _counts(registry: ToolRegistry) -> ToolCounts:
    spec = registry.spec
    writing = sum(tool.side_effect is not SideEffect.READ for tool in spec.tools)
    return ToolCounts(servers=len(spec.servers), tools=len(spec.tools), write=writing)


def _servers(
    registry: ToolRegistry, offers: Mapping[str, Offer] | None, now: datetime
) -> tuple[ServerReport, ...]:
    known = {one.name for one in registry.spec.servers if one.type in TELLING}
    if offers is None:
        return tuple(one for one in registry.status.servers if one.name in known)
    return tuple(_server(name, offers[name], now) for name in sorted(offers) if name in known)


def _server(name: str, offer: Offer, now: datetime) -> ServerReport:
    if offer.problem is None:
        count = len(offer.tools) + len(offer.others)
        return ServerReport(name=name, reachable=True, tool_count=count, last_checked=now)
    problem = offer.problem
    return ServerReport(name=name, reason=problem.reason, message=problem.message, last_checked=now)


def _hints(pins: Pins) -> Iterator[ToolHints]:
    for name, pin in sorted(pins.tools.items()):
        if pin.read_only is not None or pin.destructive is not None:
            yield ToolHints(tool=name, read_only=pin.read_only, destructive=pin.destructive)


def _bearing(status: ToolRegistryStatus) -> tuple[object, ...]:
    """Give what of a status bears on the Agents that use the registry."""
    name = status.content_ref.name if status.content_ref else None
    return status.digest, name, status.drift


def _news(registry: ToolRegistry, status: ToolRegistryStatus) -> Iterator[Announcement]:
    """Tell of tools that drifted, and of their return: once for each difference."""
    if status.drift == registry.status.drift:
        return
    target = target_of(registry)
    mark = hashlib.sha256(repr((status.drift, registry.status.drift)).encode()).hexdigest()[:12]
    key = f"g{registry.metadata.generation}-{mark}"
    if not status.drift:
        yield Announcement(key, target, Reason.IN_SYNC, "the servers offer what is pinned again")
        return
    message = next(one.message for one in status.conditions if one.type == "InSync")
    yield Announcement(key, target, Reason.DRIFTED, message, warning=True)
