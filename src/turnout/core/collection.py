"""What becomes of what was made for an Agent that was deleted, one stage after another.

Traffic goes back to stable before anything is removed. Then what led traffic goes, then the pods
once their requests have had time to end, then what those had mounted. An orphaned Agent keeps its
stable version and all that leads to it; the operator's mark on these is dropped last, so that
until then a successor finds everything that it needs to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from turnout.api.agent import DeletionPolicy
from turnout.core import naming
from turnout.core.plan import Action, Apply, Release, Remove, Target
from turnout.core.route import API_VERSION, KIND, WHOLE, backends_of
from turnout.core.world import Child

_ROUTE, _SERVICE, _DEPLOYMENT, _CONFIG_MAP = KIND, "Service", "Deployment", "ConfigMap"
_LEADING = (_ROUTE, _SERVICE)
"""Kinds that lead traffic, in the order in which they go."""

_STANDING = frozenset({_ROUTE, _SERVICE, _DEPLOYMENT})
"""Kinds whose annotations follow the Agent; a ConfigMap keeps those that it was made with."""

_RELEASED = (_CONFIG_MAP, _DEPLOYMENT, _ROUTE, _SERVICE)
"""The agent's Service is last: it tells who is stable and what the deletion policy is."""

_DOMAIN = "turnout.dev/"
_GRACE = 30.0
"""Seconds in which a pod ends that says nothing else: Kubernetes' own default."""

PATIENCE = timedelta(seconds=5)
"""Until it is looked again whether stable can take the traffic back."""

AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Left:
    """What a deleted Agent left behind.

    Attributes:
        namespace: Where it was.
        agent: Its name.
        children: What the operator made for it and answers for, by (kind, name).
        policy: The deletion policy that it was last seen with; None where only its children tell.
        ready: Versions that have a ready pod.
        idle: Seconds for which nothing has led traffic to the pods that are to go.
    """

    namespace: str
    agent: str
    children: Mapping[tuple[str, str], Child]
    policy: DeletionPolicy | None = None
    ready: frozenset[str] = frozenset()
    idle: float = 0.0

    @property
    def orphaned(self) -> bool:
        """Claim that stable stays: where children disagree, whoever says so is believed."""
        if self.policy is not None:
            return self.policy is DeletionPolicy.ORPHAN
        return DeletionPolicy.ORPHAN.value in self.noted(naming.DELETION_POLICY)

    @property
    def untouched(self) -> bool:
        """Claim that nothing was removed yet: something still leads traffic."""
        return any(kind in _LEADING for kind, _ in self.children)

    @cached_property
    def stable(self) -> str | None:
        """Name of the version that the agent's Service says is stable."""
        named = (child.annotation(naming.STABLE_VERSION) for _, child in self._of(_SERVICE))
        return next((version for version in named if version), None)

    def noted(self, annotation: str) -> set[str]:
        """Give every value of an annotation, "" for none, on the children that are kept right."""
        standing = [one for (kind, _), one in self.children.items() if kind in _STANDING]
        notes = standing or list(self.children.values())
        return {child.annotation(annotation) or "" for child in notes}

    def goes(self, child: Child) -> bool:
        """Claim that a child is to be removed."""
        version = (child.metadata.get("labels") or {}).get(naming.VERSION_LABEL)
        return not self.orphaned or version not in (None, self.stable)

    def leads(self) -> bool:
        """Claim that something that is to go still leads traffic."""
        return any(self.goes(child) for kind in _LEADING for _, child in self._of(kind))

    def _of(self, kind: str) -> Iterator[tuple[str, Child]]:
        return (
            (name, child) for (what, name), child in sorted(self.children.items()) if what == kind
        )

    def target(self, kind: str, name: str) -> Target:
        """Name a child."""
        return Target(kind, self.namespace, name)

    def removals(self, kind: str) -> tuple[Remove, ...]:
        """Ask for the end of all of a kind that are to go."""
        return tuple(
            Remove(self.target(kind, name), child.uid, child.version)
            for name, child in self._of(kind)
            if self.goes(child)
        )

    def releases(self, kind: str) -> tuple[Release, ...]:
        """Ask to give up what stays of a kind, last what tells who is stable."""
        found = sorted(
            self._of(kind), key=lambda one: one[1].annotation(naming.STABLE_VERSION) or ""
        )
        return tuple(Release(self.target(kind, name), one.version) for name, one in found)

    def grace(self) -> float:
        """Give the seconds that requests may take in the pods that are to go."""
        going = [one for name, one in self._of(_DEPLOYMENT) if name in self.ready]
        return max((_grace(one) for one in going if self.goes(one)), default=0.0)

    def route(self) -> tuple[str, Child] | None:
        """Find the agent's route."""
        return next(self._of(_ROUTE), None)

    def service(self) -> tuple[str, Child] | None:
        """Find the agent's own Service: the one that tells who is stable."""
        named = (one for one in self._of(_SERVICE) if one[1].annotation(naming.STABLE_VERSION))
        return next(named, None)


@dataclass(frozen=True)
class Stage:
    """What to do now, and when to look again; without either nothing is left to do."""

    actions: tuple[Action, ...] = ()
    again_in: timedelta | None = None


def next_stage(left: Left) -> Stage:
    """Say what is to be done first of all that is still to do."""
    returned = _returned(left)
    if returned and not _can_return(left):
        if left.orphaned:
            return Stage((), PATIENCE)
        returned = ()
    for actions in (returned, *map(left.removals, _LEADING)):
        if actions:
            return Stage(actions, AT_ONCE)
    rest = left.grace() - left.idle
    if rest > 0:
        return Stage((), timedelta(seconds=rest))
    for actions in _after_drain(left):
        if actions:
            return Stage(actions, AT_ONCE)
    return Stage()


def _after_drain(left: Left) -> Iterator[tuple[Action, ...]]:
    yield left.removals(_DEPLOYMENT)
    yield left.removals(_CONFIG_MAP)
    yield from (left.releases(kind) for kind in _RELEASED)


def _can_return(left: Left) -> bool:
    """Claim that stable can serve, or that nobody can: else traffic stays with who serves."""
    return left.stable in left.ready or not left.ready


def _returned(left: Left) -> tuple[Action, ...]:
    """Give all traffic to stable, where another version has some of it.

    An agent that a person took off the air leads to no version, and stays so.
    """
    actions = (_route_returned(left), _service_returned(left))
    return tuple(action for action in actions if action is not None)


def _route_returned(left: Left) -> Action | None:
    found, service = left.route(), left.service()
    if found is None or service is None:
        return None
    name, route = found
    spec = route.document.get("spec") or {}
    rules = spec.get("rules") or ()
    right = ({left.stable: WHOLE}, {service[0]: WHOLE})
    ports = [ref.get("port") for rule in rules for ref in rule.get("backendRefs") or ()]
    if not ports or all(backends_of(rule) in right for rule in rules):
        return None
    backend = {"kind": _SERVICE, "name": left.stable, "port": ports[0], "weight": WHOLE}
    returned = [{**rule, "backendRefs": [backend]} for rule in rules]
    return _applied(left, (_ROUTE, API_VERSION, name), route, {**spec, "rules": returned})


def _service_returned(left: Left) -> Action | None:
    found = left.service()
    if found is None:
        return None
    name, service = found
    spec = service.document.get("spec") or {}
    selector = dict(spec.get("selector") or {})
    if selector.get(naming.MODE_LABEL) != "live":
        return None
    if selector.get(naming.VERSION_LABEL) == left.stable:
        return None
    selector[naming.VERSION_LABEL] = left.stable
    wanted = {"selector": selector, "ports": spec.get("ports")}
    return _applied(left, (_SERVICE, "v1", name), service, wanted)


def _applied(
    left: Left, what: tuple[str, str, str], child: Child, spec: Mapping[str, Any]
) -> Apply:
    """Apply a spec to a child and keep all that we wrote of its metadata."""
    kind, api_version, name = what
    metadata = {
        part: {
            key: value
            for key, value in (child.metadata.get(part) or {}).items()
            if key.startswith(_DOMAIN) or key == naming.MANAGED_BY
        }
        for part in ("labels", "annotations")
    }
    named = {"name": name, "namespace": left.namespace, "uid": child.uid}
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": named | metadata, "spec": spec}
    return Apply(manifest, child.version)


def _grace(deployment: Child) -> float:
    template = (deployment.document.get("spec") or {}).get("template") or {}
    seconds = (template.get("spec") or {}).get("terminationGracePeriodSeconds")
    return _GRACE if seconds is None else float(seconds)
