"""Adoption: what stands under a version's name is taken as ours only where it is that version.

Records may be lost (a restored cluster, a reinstalled CRD) while the objects that serve live on.
They are taken up again by proof: the content of the ConfigMap has the digest that its name says,
and rendering that content would change nothing that runs. Labels alone prove nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from turnout.api.base import VersionRef
from turnout.core import naming, render
from turnout.core.intake import Wanted
from turnout.core.phase import has_ended
from turnout.core.plan import Document
from turnout.core.pods import pod_labels
from turnout.core.stable import stable_of
from turnout.core.world import Child, Stored, Unread, World

ADOPTED = ("ConfigMap", "Deployment", "Service")
AS_FOUND = ("minReadySeconds", "progressDeadlineSeconds", "strategy")
"""Fields of a Deployment that are no content: the Agent may have changed since it was made."""


def versions_that_matter(world: World, wanted: Wanted | None) -> Iterator[VersionRef]:
    """Name the versions that run or shall run, each once: stable, the candidate, what is wanted."""
    newest = world.rollouts[-1] if world.rollouts else None
    running = newest is not None and not has_ended(newest.status.phase)
    refs = (
        stable_of(world),
        newest.spec.to if newest is not None and running else None,
        wanted.ref if wanted is not None else None,
    )
    yield from {one.version: one for one in refs if one is not None}.values()


def in_question(world: World, ref: VersionRef, doubted: Container[str]) -> bool:
    """Tell whether something of ours stands under a version's name and no record vouches for it.

    Args:
        world: Whose Agent it is.
        ref: The version.
        doubted: Names that were found taken when they should have been made.
    """
    vouched_for = ref.version in world.versions and ref.version not in doubted
    return not vouched_for and any(world.ours(kind, ref.version) for kind in ADOPTED)


def content_problem(world: World, ref: VersionRef, content: Stored | Unread) -> str | None:
    """Say why a version's ConfigMap does not hold that version; None where it does or is not."""
    held, name = world.ours("ConfigMap", ref.version), ref.version
    if held is None:
        return None
    if isinstance(content, Unread):
        return f"ConfigMap {name} is not Turnout's: {content.message}; remove it"
    hexes = ref.digest.removeprefix("sha256:")
    named = hexes.startswith(name.removeprefix(f"{world.name}-"))
    if not named or {held.annotation(naming.DIGEST), content.digest} != {ref.digest}:
        return f"ConfigMap {name} does not hold the content that its name says; remove it"
    return None


def service_problem(world: World, ref: VersionRef) -> str | None:
    """Say why a version's Service does not lead to that version; None where it does or is not."""
    found, name = world.ours("Service", ref.version), ref.version
    if found is None:
        return None
    spec = found.document.get("spec") or {}
    leads = spec.get("selector") == pod_labels(world.name, name)
    if leads and spec.get("type", "ClusterIP") == "ClusterIP":
        return None
    return f"Service {name} leads elsewhere than to the pods of that version; remove it"


def rendered_for(world: World, ref: VersionRef, content: Stored, found: Child) -> dict[str, Any]:
    """Render a version's Deployment for a dry run beside the one that was found.

    What is content is rendered, the rest is taken as found: it may have been edited on the Agent
    since, and a Deployment is rendered once.
    """
    was: Document = found.document.get("spec") or {}
    made = render.deployment(world, ref, "", int(was.get("replicas") or 0), content)
    made["spec"] |= {key: was[key] for key in AS_FOUND if key in was}
    pods = (was.get("template") or {}).get("spec") or {}
    grace = "terminationGracePeriodSeconds"
    if grace in pods and grace not in (content.template.get("spec") or {}):
        made["spec"]["template"]["spec"][grace] = pods[grace]
    made["metadata"] = {
        "name": ref.version,
        "namespace": world.namespace,
        "uid": found.uid,
    }
    return made


def deployment_problem(found: Child, shown: Document) -> str | None:
    """Say why a Deployment does not run its version, by what a dry run would make of it."""
    if shown.get("spec") == found.document.get("spec"):
        return None
    name = found.metadata.get("name")
    return f"Deployment {name} does not run what the version of that name is; remove it"
