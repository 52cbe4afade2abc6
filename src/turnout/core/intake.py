"""What the Agent asks for now: a version, or the reason why none can be formed."""

from __future__ import annotations

from dataclasses import dataclass

from turnout.api.agent import TrafficMode
from turnout.api.base import VersionRef
from turnout.api.strategy import Gate, GateMetric, Strategy
from turnout.core import naming
from turnout.core.content import Content, Unresolved, resolve, unread
from turnout.core.fallback import Fallback, fallback_from
from turnout.core.measures import measure_of
from turnout.core.plan import Document
from turnout.core.reasons import Reason
from turnout.core.route import KIND as HTTP_ROUTE
from turnout.core.route import uses_route
from turnout.core.standby import standby_for
from turnout.core.units import Templates, miscounted
from turnout.core.way import way_of
from turnout.core.world import Unread, World

RATIO_LIMIT = 50
"""Largest weight by replica ratio: above it stable could not stay at full scale."""


@dataclass(frozen=True)
class Wanted:
    """The version that the Agent asks for.

    Attributes:
        ref: Its name and digest.
        content: What it is made of; None where the content of a stored version is wanted.
        strategy: How it goes out.
        gate: What judges it.
        fallback: Why it stands in for what the Agent's content makes; None where it does not.
    """

    ref: VersionRef
    content: Content | None
    strategy: Strategy
    gate: Gate
    fallback: Fallback | None = None

    @property
    def pinned(self) -> bool:
        """Tell whether a person pinned a stored version instead of changing content."""
        return self.content is None and self.fallback is None

    @property
    def asked(self) -> VersionRef:
        """What a person asks for, also while another version stands in for it."""
        return self.fallback.asked if self.fallback is not None else self.ref


def take_in(world: World) -> Wanted | Unresolved:
    """Resolve what the Agent asks for, its strategy included."""
    way = way_of(world)
    if isinstance(way, Unresolved):
        return way
    strategy, gate = way
    problem = _unsupported(world, strategy) or _unmeasured(world, gate)
    if problem is not None:
        return problem
    wanted = _version(world)
    if isinstance(wanted, Unresolved):
        return wanted
    ref, content = wanted
    fallback = fallback_from(world, ref, content) if content is not None else None
    if fallback is None and content is not None:
        fallback = standby_for(world, ref)
    if fallback is not None:
        ref, content = fallback.ref, None
    return name_conflict(world, ref) or Wanted(ref, content, strategy, gate, fallback)


def _unsupported(world: World, strategy: Strategy) -> Unresolved | None:
    traffic = world.agent.spec.traffic
    if traffic.mode is TrafficMode.REPLICA_RATIO:
        return _too_heavy(strategy)
    if not world.routes_served:
        message = "traffic.mode HTTPRoute needs the Gateway API, which this cluster does not serve"
        return Unresolved(Reason.INVALID_SPEC, message, "Accepted")
    if traffic.http_route is None:
        message = "traffic.mode HTTPRoute needs traffic.httpRoute"
        return Unresolved(Reason.INVALID_SPEC, message, "Accepted")
    return None


def _too_heavy(strategy: Strategy) -> Unresolved | None:
    if strategy.watch is not None:
        message = (
            "strategy.watch: mode ReplicaRatio divides by pods and keeps stable at full scale, so "
            "stable cannot keep a small share; take watch away, or use traffic.mode HTTPRoute"
        )
        return Unresolved(Reason.UNSUPPORTED_WEIGHT, message, "Accepted")
    heaviest = max(step.set_weight or 0 for step in strategy.steps)
    if heaviest <= RATIO_LIMIT:
        return None
    message = (
        f"setWeight {heaviest}: mode ReplicaRatio divides by pods and keeps stable at full "
        f"scale, so weights go up to {RATIO_LIMIT}"
    )
    return Unresolved(Reason.UNSUPPORTED_WEIGHT, message, "Accepted")


def _unmeasured(world: World, gate: Gate) -> Unresolved | None:
    """Say which metric has no series that fit it."""
    problems = (_unfit(gate, one, world.sources.templates) for one in gate.metrics)
    return next((one for one in problems if one is not None), None)


def _unfit(gate: Gate, metric: GateMetric, templates: Templates) -> Unresolved | None:
    problem: str | None = None
    if metric.template_ref is not None:
        name = metric.template_ref.name
        found = templates.get(name)
        if found is None:
            message = f"gate metric {metric.name}: MetricTemplate {name} does not exist"
            return Unresolved(Reason.REFERENCE_NOT_FOUND, f"{message} in this namespace")
        if isinstance(found, Unread):
            return unread(f"MetricTemplate {name}", found)
        measure = measure_of(metric, found)
        problem = measure if isinstance(measure, str) else None
    problem = problem or miscounted(gate, metric, templates)
    if problem is None:
        return None
    return Unresolved(Reason.CROSS_CHECK_FAILED, f"gate metric {metric.name}: {problem}")


def _version(world: World) -> tuple[VersionRef, Content | None] | Unresolved:
    pinned = world.agent.spec.pinned_version
    if pinned is not None:
        version = world.versions.get(pinned)
        if version is None:
            message = f"spec.pinnedVersion {pinned}: there is no AgentVersion of that name"
            return Unresolved(Reason.REFERENCE_NOT_FOUND, message)
        stored = world.stored.get(pinned)
        if isinstance(stored, Unread) and not world.scale(pinned):
            message = f"spec.pinnedVersion {pinned}: {stored.message}"
            return Unresolved(Reason.REFERENCE_NOT_FOUND, message)
        return VersionRef(version=pinned, digest=version.spec.digest), None
    content = resolve(world)
    if isinstance(content, Unresolved):
        return content
    name = naming.version_name(world.name, content.digest, _taken(world))
    return VersionRef(version=name, digest=content.digest), content


def _taken(world: World) -> dict[str, str]:
    """Tell which content holds which name: by the index, or by itself where the index was lost."""
    stored = {
        name: child.annotation(naming.DIGEST) or ""
        for (kind, name), child in world.children.items()
        if kind == "ConfigMap" and world.ours(kind, name)
    }
    return stored | {name: version.spec.digest for name, version in world.versions.items()}


def name_conflict(world: World, ref: VersionRef) -> Unresolved | None:
    """Find an object that holds a name we need and is not ours: it is never overwritten."""
    if world.foreign:
        cause = world.foreign.get(ref.version) or next(iter(world.foreign.values()))
        return Unresolved(Reason.NAME_CONFLICT, cause, "Accepted")
    names = [("Service", world.service_name)]
    names += [(kind, ref.version) for kind in ("Deployment", "Service", "ConfigMap")]
    if uses_route(world):
        names.append((HTTP_ROUTE, world.name))
    for kind, name in names:
        found = world.child(kind, name)
        if found is not None and not _may_use(world, found.document, kind, ref):
            message = f"{kind} {name} exists and is not Turnout's; rename it or the Agent's part"
            return Unresolved(Reason.NAME_CONFLICT, message, "Accepted")
    return None


def _may_use(world: World, document: Document, kind: str, ref: VersionRef) -> bool:
    metadata = document.get("metadata", {})
    if not naming.is_ours(metadata, world.name):
        return False
    noted = (metadata.get("annotations") or {}).get(naming.DIGEST)
    return metadata.get("name") != ref.version or kind == HTTP_ROUTE or noted == ref.digest
