"""Texts of Prompts: kept in people's ConfigMaps, or outside and pinned in a ConfigMap of ours."""

from collections.abc import Callable
from dataclasses import dataclass

from turnout.adapters.documents import CONFIG_MAP, Ref, version_of
from turnout.adapters.ports import Cluster
from turnout.api.prompt import ConfigMapKeyRef, Prompt
from turnout.core.prompt_pins import completed_outside, outside
from turnout.core.texts import completed, text_in
from turnout.core.world import Unread
from turnout.errors import Invalid, NotFound
from turnout.runtime.shelf import Shelf
from turnout.runtime.store import Refs, Store


@dataclass(frozen=True)
class _Kept:
    source: ConfigMapKeyRef
    version: int
    text: str | Unread


class Texts:
    """Completes Prompts with their texts.

    The Store knows of ConfigMaps only that they changed, so one that a Prompt names is read when
    the Store has a version of it that was not read yet. What the Store does not have is read too:
    it keeps others' ConfigMaps only from when on somebody refers to them.

    Attributes:
        shelf: Gives what was read outside the cluster and pinned, tools too.
    """

    def __init__(self, cluster: Cluster, store: Store, wake: Callable[[Refs], None]) -> None:
        self.shelf = Shelf(cluster)
        self._cluster = cluster
        self._store = store
        self._wake = wake
        self._kept: dict[Ref, _Kept] = {}

    async def complete(self, ref: Ref, prompt: Prompt) -> Prompt | Unread:
        """Return a Prompt with its text, or why there is none.

        Raises:
            Transient: The API server is unwell.
        """
        source = prompt.spec.config_map_key_ref
        if source is None:
            self.forget(ref)
            return await self._outside(ref, prompt)
        return completed(prompt, await self._text(ref, source))

    async def _outside(self, ref: Ref, prompt: Prompt) -> Prompt | Unread:
        if outside(prompt.spec) is None:
            return prompt
        pinned = await self.shelf.pinned(ref.namespace, prompt.status.content_ref)
        return completed_outside(prompt, pinned)

    def forget(self, prompt: Ref) -> None:
        """Drop the text of a Prompt that is gone."""
        self._kept.pop(prompt, None)

    async def _text(self, prompt: Ref, source: ConfigMapKeyRef) -> str | Unread:
        ref = Ref(CONFIG_MAP, prompt.namespace, source.name)
        kept, seen = self._kept.get(prompt), self._store.get(ref)
        if isinstance(seen, Invalid):
            return Unread(seen.message)
        if kept and seen and kept.source == source and kept.version >= int(version_of(seen)):
            return kept.text
        try:
            document = await self._cluster.get(ref)
        except NotFound:
            return text_in(source, None)
        except Invalid as error:
            return Unread(error.message)
        self._wake(self._store.put(ref, document))
        self._kept[prompt] = _Kept(source, int(version_of(document)), text_in(source, document))
        return self._kept[prompt].text
