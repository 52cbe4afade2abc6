"""Why what a deleted Agent left must stay: asked of the API server itself, before each stage.

A cache, a watch and a restored cluster all can tell of a deletion that nobody meant. Only live
reads are believed: the Agent is gone, its CRD is the one that its objects were made under and is
staying, and so is its namespace. And where many go at once an administrator is asked first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from turnout.adapters import documents as kinds
from turnout.adapters.documents import Document, Ref
from turnout.adapters.ports import Clock, Cluster
from turnout.core.collection import Left
from turnout.core.naming import AGENT_UID, CRD_UID
from turnout.core.plan import Announcement, Target
from turnout.errors import AlreadyExists, Forbidden, Invalid, NotFound, Transient
from turnout.runtime.surroundings import AGENT_CRD

logger = structlog.stdlib.get_logger(__name__)

MOST: Final = 10
"""More Agents than this gone within a minute look like an accident: collection stops."""

STOP: Final = "turnout-mass-deletion"
"""ConfigMap in the operator's namespace that says that collection is stopped, and since when.

An administrator acknowledges by deleting it: what waits then is collected, and nothing more.
"""

STOPPED_RECHECK: Final = timedelta(seconds=15)
"""How often an Agent that waits is looked at again."""

_ASKED_AGAIN: Final = 5.0  # seconds: while many wait, one question serves them all
_MINUTE: Final = 60.0

Vouch = Callable[[Ref], bool]
"""Claims that this very Agent was deleted, where the CRD may not be read."""

Tell = Callable[[Announcement, Document], None]
"""Takes what is worth an Event."""


@dataclass(frozen=True)
class Refusal:
    """Why an Agent's children stay, and when to ask again; None leaves it to events."""

    message: str
    again_in: timedelta | None = None


class Guards:
    """Everything that must hold before something is removed."""

    def __init__(self, cluster: Cluster, vouch: Vouch, accidents: "Accidents") -> None:
        self._cluster = cluster
        self._vouch = vouch
        self._accidents = accidents

    async def refusal(self, agent: Ref, left: Left) -> Refusal | None:
        """Say why an Agent's children stay; None where they may go.

        Raises:
            Transient: The API server cannot be asked now.
        """
        why = await self._agent_is_there(agent) or await self._kind_may_be_gone(agent, left)
        if why is None and left.orphaned and left.stable is None:
            why = Refusal("deletionPolicy is Orphan and no Service tells who is stable")
        return why or await self._accidents.refusal(agent, left)

    def forget(self, agent: Ref) -> None:
        """Forget an Agent of which nothing is left."""
        self._accidents.forget(agent)

    async def _agent_is_there(self, agent: Ref) -> Refusal | None:
        try:
            await self._cluster.get(agent)
        except NotFound:
            return None
        return Refusal("the Agent is there", STOPPED_RECHECK)

    async def _kind_may_be_gone(self, agent: Ref, left: Left) -> Refusal | None:
        try:
            namespace = await self._cluster.get(Ref(kinds.NAMESPACE, "", agent.namespace))
            crd = await self._cluster.get(AGENT_CRD)
        except NotFound:
            return Refusal("its kind or its namespace is gone, so nobody deleted the Agent")
        except Forbidden as error:
            known = self._vouch(agent)
            why = f"cannot tell whether the Agent was deleted or its kind: {error}"
            return None if known else Refusal(why)
        if "deletionTimestamp" in namespace["metadata"]:
            return Refusal("the namespace is being deleted and takes them along")
        of_this_kind = left.noted(CRD_UID) == {crd["metadata"]["uid"]}
        if "deletionTimestamp" in crd["metadata"] or not of_this_kind:
            return Refusal("the Agent CRD is not the one that these objects were made under")
        return None


class Accidents:
    """Stops collection where so many Agents go at once that nobody can have meant it.

    Attributes:
        stopped: True while an administrator is asked; None until that was looked up.
    """

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str, tell: Tell) -> None:
        self.stopped: bool | None = None
        self._cluster = cluster
        self._clock = clock
        self._stop = Ref(kinds.CONFIG_MAP, namespace, STOP)
        self._tell = tell
        self._marked = False
        self._asked_at = 0.0
        self._begun: dict[Ref, float] = {}
        self._waiting: set[Ref] = set()
        self._acknowledged: set[Ref] = set()

    async def refusal(self, agent: Ref, left: Left) -> Refusal | None:
        """Say that collection is stopped, or stop it; None where it may go on."""
        now = self._clock.now().timestamp()
        if not await self._is_stopped(now):
            if not left.untouched or agent in self._acknowledged:
                return None
            recent = {one: at for one, at in self._begun.items() if now - at <= _MINUTE}
            self._begun = {agent: now} | recent
            if len(self._begun) <= MOST:
                return None
            await self._halt(agent, left, now)
        self._waiting.add(agent)
        return Refusal(f"Too many Agents went at once. {self._answer}", STOPPED_RECHECK)

    def forget(self, agent: Ref) -> None:
        """Forget an Agent of which nothing is left."""
        self._waiting.discard(agent)
        self._acknowledged.discard(agent)

    async def _is_stopped(self, now: float) -> bool:
        """Look up whether the administrator has answered; who waited until then may go."""
        if self.stopped is False or (self.stopped and now - self._asked_at < _ASKED_AGAIN):
            return self.stopped
        self._asked_at = now
        if self.stopped and not self._marked:
            await self._mark()
            return True
        stopped = await self._is_marked()
        if self.stopped and not stopped:
            logger.info("mass deletion acknowledged", agents=len(self._waiting))
            self._acknowledged |= self._waiting
            self._waiting, self._begun = set(), {}
        self.stopped = self._marked = stopped
        return stopped

    async def _is_marked(self) -> bool:
        try:
            await self._cluster.get(self._stop)
        except NotFound:
            return False
        except Forbidden as error:
            logger.warning("not readable", object=str(self._stop), error=str(error))
            return bool(self.stopped)
        return True

    async def _halt(self, agent: Ref, left: Left, now: float) -> None:
        """Stop; the log, an Event and a metric tell of it."""
        self.stopped, self._asked_at = True, now
        logger.error("mass deletion", agent=str(agent), acknowledge=self._answer)
        await self._mark()
        told = Announcement(
            key=self._clock.now().isoformat(),
            regarding=Target(agent.kind.kind, agent.namespace, agent.name),
            reason="MassDeletion",
            message=f"More than {MOST} Agents went within a minute. {self._answer}",
            warning=True,
        )
        self._tell(told, {"metadata": {"uid": max(left.noted(AGENT_UID)), "resourceVersion": ""}})

    async def _mark(self) -> None:
        """Write the stop down, so that it outlives this process."""
        since = self._clock.now().isoformat()
        metadata = {"name": STOP, "namespace": self._stop.namespace}
        data = {"since": since, "acknowledge": self._answer}
        mark = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        try:
            await self._cluster.create(mark)
        except AlreadyExists:
            self._marked = True
        except (Transient, Forbidden, Invalid, NotFound) as error:
            logger.warning("not written down", object=str(self._stop), error=str(error))
        else:
            self._marked = True

    @property
    def _answer(self) -> str:
        """Say what happens, and how to let it go on."""
        where = f"ConfigMap {self._stop.namespace}/{STOP}"
        return f"Nothing that they left is removed until {where} is deleted."
