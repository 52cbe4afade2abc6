"""What the Store is too thin for: versions' contents, read and proved only where that is needed."""

from collections import OrderedDict
from collections.abc import Container
from dataclasses import replace
from typing import Final

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Ref
from turnout.adapters.ports import Cluster
from turnout.api.agent import Model
from turnout.api.base import VersionRef
from turnout.api.version import AgentVersion
from turnout.core import adoption
from turnout.core.fallback import candidates, stored_tools
from turnout.core.intake import Wanted
from turnout.core.standby import in_question
from turnout.core.stored import model_in, read_stored
from turnout.core.world import Child, Stored, Tools, Unread, World
from turnout.errors import Forbidden, Invalid, NotFound

_MOST_KNOWN: Final = 1024
"""Versions whose tools are kept in memory; what was not used for longest goes first."""


class Contents:
    """Reads the content of versions that need pods, and proves what nobody vouches for.

    A version that is in the index and has its Deployment costs no request.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._tools: OrderedDict[str, Tools] = OrderedDict()
        self._models: OrderedDict[str, Model | None] = OrderedDict()

    async def add_tools(self, world: World) -> World:
        """Add to a world of which tools the versions are made that may be gone back to.

        Where no tool drifted that costs no request, and later one a version.

        Raises:
            Transient: The API server is unwell.
        """
        found = {
            version.metadata.name: await self._tools_of(world, version)
            for version in candidates(world)
        }
        tools = {name: told for name, told in found.items() if told is not None}
        return replace(world, tools=tools) if tools else world

    async def _tools_of(self, world: World, version: AgentVersion) -> Tools | None:
        """Read the tools of a version; None where its content is gone or not what it was."""
        digest = version.spec.digest
        if digest not in self._tools:
            ref = Ref(kinds.CONFIG_MAP, world.namespace, version.metadata.name)
            try:
                found = await self._cluster.get(ref)
            except (NotFound, Invalid):
                return None
            tools = stored_tools(found.get("data") or {}, digest)
            if tools is None:
                return None
            self._tools[digest] = tools
        self._tools.move_to_end(digest)
        while len(self._tools) > _MOST_KNOWN:
            self._tools.popitem(last=False)
        return self._tools[digest]

    async def add_models(self, world: World) -> World:
        """Add the models of versions one of which may stand in for the other, once proved.

        Where stable does as recorded that costs no request, and later one a version.

        Raises:
            Transient: The API server is unwell.
        """
        found = {one.metadata.name: await self._model_of(world, one) for one in in_question(world)}
        models = {name: one for name, one in found.items() if not isinstance(one, Unread)}
        return replace(world, models=models) if models else world

    async def _model_of(self, world: World, version: AgentVersion) -> Model | Unread | None:
        digest = version.spec.digest
        if digest not in self._models:
            ref = Ref(kinds.CONFIG_MAP, world.namespace, version.metadata.name)
            try:
                found = await self._cluster.get(ref)
            except (NotFound, Invalid) as error:
                return Unread(str(error))
            model = model_in(found.get("data") or {}, digest)
            if isinstance(model, Unread):
                return model
            self._models[digest] = model
        self._models.move_to_end(digest)
        while len(self._models) > _MOST_KNOWN:
            self._models.popitem(last=False)
        return self._models[digest]

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
