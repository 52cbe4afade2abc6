"""What the Store is too thin for: versions' contents, read and proved only where that is needed."""

from collections.abc import Container
from dataclasses import replace

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Ref
from turnout.adapters.ports import Cluster
from turnout.api.base import VersionRef
from turnout.core import adoption
from turnout.core.intake import Wanted
from turnout.core.stored import read_stored
from turnout.core.world import Child, Stored, Unread, World
from turnout.errors import Forbidden, Invalid, NotFound


class Contents:
    """Reads the content of versions that need pods, and proves what nobody vouches for.

    A version that is in the index and has its Deployment costs no request.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def add(self, world: World, wanted: Wanted | None, doubted: Container[str]) -> World:
        """Add to a world the contents that a decision may need, and what was found to be foreign.

        Args:
            world: The world so far.
            wanted: What the Agent asks for, where that is known.
            doubted: Names that were found taken when they should have been made.

        Raises:
            Transient: The API server is unwell.
            Conflict: What is to be proved changed meanwhile.
        """
        stored: dict[str, Stored | Unread] = {}
        foreign: dict[str, str] = {}
        for ref in adoption.versions_that_matter(world, wanted):
            questioned = adoption.in_question(world, ref, doubted)
            if not questioned and not _needs_content(world, ref, wanted):
                continue
            content = await self._content(world, ref, wanted)
            stored[ref.version] = content
            problem = await self._problem(world, ref, content) if questioned else None
            if problem is not None:
                foreign[ref.version] = problem
        return replace(world, stored=stored, foreign=foreign)

    async def _content(
        self, world: World, ref: VersionRef, wanted: Wanted | None
    ) -> Stored | Unread:
        """Read what a version's ConfigMap holds, or take what it is about to hold."""
        known = wanted.content if wanted is not None and wanted.ref == ref else None
        if known is not None and world.child("ConfigMap", ref.version) is None:
            return known.stored(ref)
        try:
            found = await self._cluster.get(Ref(kinds.CONFIG_MAP, world.namespace, ref.version))
        except NotFound:
            return Unread(f"ConfigMap {ref.version} does not exist")
        return read_stored(found.get("data") or {})

    async def _problem(self, world: World, ref: VersionRef, content: Stored | Unread) -> str | None:
        problem = adoption.content_problem(world, ref, content) or adoption.service_problem(
            world, ref
        )
        deployment = world.ours("Deployment", ref.version)
        if problem is not None or deployment is None:
            return problem
        if isinstance(content, Unread):
            return f"Deployment {ref.version} cannot be proved to be Turnout's: {content.message}"
        return await self._difference(
            adoption.rendered_for(world, ref, content, deployment), deployment
        )

    async def _difference(self, manifest: Document, found: Child) -> str | None:
        try:
            shown = await self._cluster.apply(manifest, found.version, dry_run=True)
        except (Invalid, Forbidden) as error:
            name = found.metadata.get("name")
            return f"Deployment {name} cannot be proved to be Turnout's: {error}"
        return adoption.deployment_problem(found, shown)


def _needs_content(world: World, ref: VersionRef, wanted: Wanted | None) -> bool:
    """Claim that a version is to get pods from what is stored alone."""
    at_hand = wanted is not None and wanted.ref == ref and wanted.content is not None
    return not at_hand and world.child("Deployment", ref.version) is None
