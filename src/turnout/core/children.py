"""The actions that make the cluster match an arrangement, in the order that users need.

Traffic leaves before pods do and comes after pods are there: what lowers the candidate's weight
goes first, then what makes or scales, then what raises it, then what removes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from turnout.core import naming, render
from turnout.core.arrange import ArmPlan, Arrangement
from turnout.core.course import Course
from turnout.core.intake import Wanted
from turnout.core.patch import holds
from turnout.core.plan import Action, Apply, Create, Remove, Target
from turnout.core.route import API_VERSION, KIND, agent_route, read_weights, render_route
from turnout.core.world import Child, Stored, Unread, World


def plan_children(
    world: World, course: Course, arrangement: Arrangement, wanted: Wanted | None
) -> tuple[Action, ...]:
    """Plan every request that the arrangement still needs; none where it holds."""
    traffic = tuple(_traffic(world, course, arrangement))
    pods = tuple(action for arm in arrangement.arms for action in _arm(world, arm, wanted))
    removals = tuple(_removals(world, arrangement))
    if _lowers(world, arrangement):
        return (*traffic, *pods, *removals)
    return (*pods, *traffic, *removals)


def _lowers(world: World, arrangement: Arrangement) -> bool:
    """Tell whether some version's weight falls on a route that exists: that cannot wait."""
    route = agent_route(world)
    seen = read_weights(route.document) if route else None
    if seen is None or arrangement.weights is None:
        return route is not None
    served = set(arrangement.weights)
    known = {version for version in served if world.child("Service", version) is not None}
    return served == known


def _ours(world: World, kind: str, name: str) -> Child | None:
    found = world.child(kind, name)
    return found if found is not None and naming.is_ours(found.metadata, world.name) else None


def _arm(world: World, arm: ArmPlan, wanted: Wanted | None) -> Iterator[Action]:
    name = arm.ref.version
    content = wanted.content if wanted and wanted.ref == arm.ref else None
    if world.child("ConfigMap", name) is None and content is not None:
        yield Create(render.content_map(world, arm.ref, content.files(arm.ref)))
    deployment = world.child("Deployment", name)
    if deployment is None:
        stored = Stored(content.template, tuple(content.files(arm.ref))) if content else None
        yield from _new_deployment(world, arm, stored or world.stored.get(name))
    elif _ours(world, "Deployment", name):
        yield from _scaled(world, arm, deployment)
    service = world.child("Service", name)
    rendered = render.version_service(world, arm.ref)
    yield from _kept(service, rendered) if service else (Create(rendered),)


def _new_deployment(world: World, arm: ArmPlan, stored: Stored | Unread | None) -> Iterator[Action]:
    if isinstance(stored, Stored):
        yield Create(render.deployment(world, arm.ref, arm.role, arm.replicas, stored))


def _scaled(world: World, arm: ArmPlan, deployment: Child) -> Iterator[Action]:
    wanted = {
        "metadata": {
            "annotations": {
                naming.ROLE: arm.role,
                naming.DELETION_POLICY: world.agent.spec.deletion_policy.value,
            }
        },
        "spec": {"replicas": arm.replicas},
    }
    if not holds(wanted, deployment.document):
        manifest = _identity("apps/v1", "Deployment", world.namespace, arm.ref.version)
        manifest["metadata"] |= wanted["metadata"]
        yield Apply(manifest | {"spec": wanted["spec"]}, deployment.version, whole=False)


def _identity(api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
    }


def _kept(found: Child, rendered: Mapping[str, Any]) -> Iterator[Action]:
    """Correct what differs from what we render; an object that is right is not written."""
    wanted = {"metadata": rendered["metadata"], "spec": rendered["spec"]}
    if not holds(wanted, found.document):
        yield Apply(rendered, found.version)


def _traffic(world: World, course: Course, arrangement: Arrangement) -> Iterator[Action]:
    if course.stable is None:
        return
    rendered = render.agent_service(world, course.stable, arrangement.serving)
    service = world.child("Service", world.service_name)
    if service is None:
        yield Create(rendered)
    elif _ours(world, "Service", world.service_name):
        yield from _kept(service, rendered)
    if arrangement.weights is not None:
        yield from _route(world, arrangement.weights)


def _route(world: World, weights: Mapping[str, int]) -> Iterator[Action]:
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": render.metadata(world, world.name, render.Part()),
        "spec": render_route(world, weights),
    }
    found = world.child(KIND, world.name)
    if found is None:
        yield Create(manifest)
    elif _ours(world, KIND, world.name):
        yield from _kept(found, manifest)


def _removals(world: World, arrangement: Arrangement) -> Iterator[Action]:
    """Remove the serving objects of versions that run no more, pods last."""
    for kind in ("Service", "Deployment"):
        for (found_kind, name), child in sorted(world.children.items()):
            version = (child.metadata.get("labels") or {}).get(naming.VERSION_LABEL)
            if found_kind != kind or version != name or arrangement.runs(name):
                continue
            if naming.is_ours(child.metadata, world.name):
                yield Remove(Target(kind, world.namespace, name), child.uid, child.version)
