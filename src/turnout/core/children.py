"""The actions that make the cluster match an arrangement, in the order that users need.

Traffic leaves before pods do and comes after pods are there: what lowers the candidate's weight
goes first, then what makes or scales, then what raises it, then what removes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from turnout.core import naming, render
from turnout.core.arrange import ArmPlan, Arrangement
from turnout.core.content import Content
from turnout.core.course import Course
from turnout.core.intake import Wanted
from turnout.core.patch import holds
from turnout.core.plan import Action, Apply, Create, Document, Remove, Target
from turnout.core.route import API_VERSION, KIND, agent_route, render_route, says_more, uses_route
from turnout.core.traffic import carried
from turnout.core.world import Child, Stored, World


def plan_children(
    world: World, course: Course, arrangement: Arrangement, wanted: Wanted | None
) -> tuple[Action, ...]:
    """Plan every request that the arrangement still needs; none where it holds."""
    traffic = tuple(_traffic(world, course, arrangement))
    pods = tuple(action for arm in arrangement.arms for action in _arm(world, arm, wanted))
    removals = tuple(_removals(world, arrangement))
    if _can_be_reached(world, arrangement):
        return (*traffic, *pods, *removals)
    return (*pods, *traffic, *removals)


def _can_be_reached(world: World, arrangement: Arrangement) -> bool:
    """Tell whether all that shall have traffic can: then moving it waits for nothing else."""
    return all(world.ours("Service", version) for version in arrangement.weights or ())


def _arm(world: World, arm: ArmPlan, wanted: Wanted | None) -> Iterator[Action]:
    content = wanted.content if wanted and wanted.ref == arm.ref else None
    yield from _content(world, arm, content)
    yield from _deployment(world, arm, content)
    yield from _service(world, arm.ref.version, render.version_service(world, arm.ref))


def _content(world: World, arm: ArmPlan, content: Content | None) -> Iterator[Action]:
    found = world.child("ConfigMap", arm.ref.version)
    if found is None and content is not None:
        yield Create(render.content_map(world, arm.ref, content.files(arm.ref)))


def _deployment(world: World, arm: ArmPlan, content: Content | None) -> Iterator[Action]:
    """Make a version's Deployment once, from what its ConfigMap holds, and scale it from then on.

    Where the ConfigMap's name is held by something else there are no pods: they would mount it.
    """
    name = arm.ref.version
    found = world.child("Deployment", name)
    if found is not None:
        if world.ours("Deployment", name):
            yield from _scaled(world, arm, found)
        return
    held = world.child("ConfigMap", name)
    stored = content.stored(arm.ref) if content else world.stored.get(name)
    if not isinstance(stored, Stored):
        return
    free = held is None or _holds_content(held, arm)
    if free and stored.digest == arm.ref.digest:
        yield Create(render.deployment(world, arm.ref, arm.role, arm.replicas, stored))


def _holds_content(found: Child, arm: ArmPlan) -> bool:
    return found.annotation(naming.DIGEST) == arm.ref.digest


def _scaled(world: World, arm: ArmPlan, deployment: Child) -> Iterator[Action]:
    notes = render.identity(world) | {naming.ROLE: arm.role}
    wanted = {"metadata": {"annotations": notes}, "spec": {"replicas": arm.replicas}}
    if not holds(wanted, deployment.document):
        manifest = _named("apps/v1", "Deployment", world, arm.ref.version)
        manifest["metadata"] |= {"annotations": notes, "uid": deployment.uid}
        yield Apply(manifest | {"spec": wanted["spec"]}, deployment.version, whole=False)


def _named(api_version: str, kind: str, world: World, name: str) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": world.namespace},
    }


def _service(world: World, name: str, rendered: Mapping[str, Any]) -> Iterator[Action]:
    if world.child("Service", name) is None:
        yield Create(rendered)
    else:
        yield from _kept(world.ours("Service", name), rendered)


def _kept(found: Child | None, rendered: Mapping[str, Any]) -> Iterator[Action]:
    """Correct what differs from what we render; an object that is right is not written."""
    if found is not None and not _is_right(rendered, found.document):
        yield Apply(rendered, found.version)


def _is_right(rendered: Mapping[str, Any], found: Document) -> bool:
    """Tell whether an object is as rendered; what the API server added besides is no matter.

    A selector is compared as a whole: a label more leads to fewer pods.
    """
    wanted = {"metadata": rendered["metadata"], "spec": rendered["spec"]}
    spec = found.get("spec") or {}
    if rendered["spec"].get("selector") != spec.get("selector"):
        return False
    return holds(wanted, found) and not says_more(rendered["spec"], spec)


def _traffic(world: World, course: Course, arrangement: Arrangement) -> Iterator[Action]:
    if course.stable is None:
        return
    rendered = render.agent_service(world, course.stable, arrangement.serving)
    yield from _service(world, world.service_name, rendered)
    if arrangement.weights is not None:
        yield from _route(world, arrangement.weights)


def _route(world: World, weights: Mapping[str, int]) -> Iterator[Action]:
    traffic = world.agent.spec.traffic
    if traffic.http_route is None:
        return
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": render.metadata(world, world.name, render.Part()),
        "spec": render_route(traffic.http_route, traffic.service.port, weights),
    }
    if world.child(KIND, world.name) is None:
        yield Create(manifest)
    else:
        yield from _kept(agent_route(world), manifest)


def _removals(world: World, arrangement: Arrangement) -> Iterator[Action]:
    """Remove what serves no more: a route out of use, then Services, pods last."""
    order = (KIND, "Service", "Deployment")
    ours = [
        (order.index(kind), name, child)
        for (kind, name), child in world.children.items()
        if kind in order and world.ours(kind, name) is not None
    ]
    for number, name, child in sorted(ours, key=lambda one: one[:2]):
        if not _is_needed(world, arrangement, order[number], child):
            yield Remove(Target(order[number], world.namespace, name), child.uid, child.version)


def _is_needed(world: World, arrangement: Arrangement, kind: str, child: Child) -> bool:
    """Tell whether an object of ours has its place: by its version, or as the agent's own."""
    name = str(child.metadata.get("name"))
    version = (child.metadata.get("labels") or {}).get(naming.VERSION_LABEL)
    if version is not None:
        serves = arrangement.left_alone and carried(world, name) != 0
        return version != name or serves or arrangement.runs(name)
    if kind == KIND:
        return uses_route(world)
    return kind != "Service" or name == world.service_name
