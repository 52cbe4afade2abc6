"""Tasks of suites, read from people's ConfigMaps once after each change."""

import asyncio
from dataclasses import dataclass

from turnout.adapters.documents import CONFIG_MAP, Document, Ref, version_of
from turnout.adapters.ports import Cluster
from turnout.api.suite import EvalSuite
from turnout.core.runs.golden import Golden, read_golden, tasks_in
from turnout.core.world import Unread
from turnout.errors import Invalid, NotFound
from turnout.runtime.store import Store


@dataclass(frozen=True)
class _Kept:
    state: tuple[str, int]
    versions: tuple[str | None, ...]
    golden: Golden | Unread


class Goldens:
    """Reads suites' tasks; the Store tells of a ConfigMap only that it changed."""

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store
        self._kept: dict[Ref, _Kept] = {}

    async def golden(self, ref: Ref, suite: EvalSuite) -> Golden | Unread:
        """Return a suite's tasks, or why there are none.

        Raises:
            Transient: The API server is unwell.
        """
        kept, state = self._kept.get(ref), (suite.metadata.uid, suite.metadata.generation)
        names = [one.config_map_key_ref.name for one in suite.spec.tasks_from]
        if kept and kept.state == state and kept.versions == self._seen(ref.namespace, names):
            return kept.golden
        found: dict[str, Document | Unread | None] = {
            name: await self._read(Ref(CONFIG_MAP, ref.namespace, name)) for name in {*names}
        }
        sources = [one.config_map_key_ref for one in suite.spec.tasks_from]
        texts = [
            one if isinstance(one := found[source.name], Unread) else tasks_in(source, one)
            for source in sources
        ]
        golden = await asyncio.to_thread(read_golden, suite, texts)
        self._kept[ref] = _Kept(state, self._seen(ref.namespace, names), golden)
        return golden

    def forget(self, ref: Ref) -> None:
        """Drop the tasks of a suite that is gone."""
        self._kept.pop(ref, None)

    async def _read(self, ref: Ref) -> Document | Unread | None:
        try:
            document = await self._cluster.get(ref)
        except NotFound:
            return None
        except Invalid as error:
            return Unread(error.message)
        self._store.put(ref, document)
        return document

    def _seen(self, namespace: str, names: list[str]) -> tuple[str | None, ...]:
        found = (self._store.get(Ref(CONFIG_MAP, namespace, name)) for name in names)
        return tuple(
            None if one is None or isinstance(one, Invalid) else version_of(one) for one in found
        )
