"""Collection: what was made for an Agent goes after the Agent was deleted, and never otherwise.

Serving objects have no owner, so that losing the operator, its chart or its CRDs stops nobody's
traffic. They are removed only where live reads say that the Agent is gone, that its CRD is the one
they were made under and is staying, and that the namespace is.
"""

from collections import deque
from datetime import timedelta

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Ref, version_of
from turnout.adapters.ports import Clock, Cluster
from turnout.core.naming import CRD_UID, DELETION_POLICY, MANAGED_BY, MANAGER
from turnout.errors import Forbidden, Invalid, NotFound
from turnout.runtime.store import Store
from turnout.runtime.surroundings import AGENT_CRD

logger = structlog.stdlib.get_logger(__name__)

ORDER = (kinds.HTTP_ROUTE, kinds.SERVICE, kinds.DEPLOYMENT, kinds.CONFIG_MAP)
"""Traffic first, then what it reached, then the pods, then what they had mounted."""

MASS = 10
"""More Agents than this gone within a minute look like an accident: collection stops."""

_MINUTE = timedelta(minutes=1)


class Collector:
    """Removes what deleted Agents left, under guards."""

    def __init__(self, store: Store, cluster: Cluster, clock: Clock) -> None:
        self._store = store
        self._cluster = cluster
        self._clock = clock
        self._gone: deque[tuple[float, Ref]] = deque(maxlen=MASS + 1)
        self.stopped = False
        self.orphans: set[Ref] = set()

    async def collect(self, agent: Ref) -> None:
        """Remove an Agent's children if every guard allows it.

        Raises:
            Transient: A guard could not be asked: nothing was removed, again later.
        """
        children = self._children(agent)
        self.orphans.discard(agent)
        if not children:
            return
        refusal = await self._refusal(agent, children)
        if refusal is not None:
            self.orphans.add(agent)
            logger.warning("orphaned", agent=str(agent), message=refusal)
            return
        for ref, document in children:
            await self._cluster.delete(ref, document["metadata"]["uid"], version_of(document))
            self._store.remove(ref)
        logger.info("collected", agent=str(agent), objects=len(children))

    def _children(self, agent: Ref) -> list[tuple[Ref, Document]]:
        found = [
            (ref, document)
            for kind in ORDER
            for ref, document in self._store.children(agent, kind).items()
            if not isinstance(document, Invalid)
        ]
        return [
            (ref, document)
            for ref, document in found
            if (document["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
        ]

    async def _refusal(self, agent: Ref, children: list[tuple[Ref, Document]]) -> str | None:
        """Say why the children stay; None where they may go."""
        notes = [document["metadata"].get("annotations") or {} for _, document in children]
        if any(note.get(DELETION_POLICY) == "Orphan" for note in notes):
            return "deletionPolicy is Orphan"
        if self._looks_like_an_accident(agent):
            return f"more than {MASS} Agents went within a minute; restart the operator to go on"
        return await self._live_refusal(agent, {note.get(CRD_UID) for note in notes})

    async def _live_refusal(self, agent: Ref, made_under: set[str | None]) -> str | None:
        try:
            self._store.put(agent, await self._cluster.get(agent))
        except NotFound:
            pass
        else:
            return "the Agent is there"
        try:
            crd = await self._cluster.get(AGENT_CRD)
            namespace = await self._cluster.get(Ref(kinds.NAMESPACE, "", agent.namespace))
        except (Forbidden, NotFound) as error:
            return f"cannot tell whether the Agent was deleted or its kind: {error}"
        if "deletionTimestamp" in crd["metadata"] or made_under != {crd["metadata"]["uid"]}:
            return "the Agent CRD is not the one that these objects were made under"
        if "deletionTimestamp" in namespace["metadata"]:
            return "the namespace is being deleted and takes them along"
        return None

    def _looks_like_an_accident(self, agent: Ref) -> bool:
        now = self._clock.now().timestamp()
        if all(ref != agent for _, ref in self._gone):
            self._gone.append((now, agent))
        recent = [ref for at, ref in self._gone if now - at <= _MINUTE.total_seconds()]
        self.stopped = self.stopped or len(recent) > MASS
        return self.stopped
