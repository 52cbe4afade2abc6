"""Who was deleted for certain, where the operator has no right to read the Agents' CRD.

When a CRD goes, all its objects are deleted first, and each deletion looks as if a person had
meant it. So a deletion counts only where this process saw it, and where for a while after it the
kind stayed: its watch open, and discovery offering `create` at every look.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from turnout.adapters.documents import AGENT, Ref
from turnout.adapters.ports import Presence
from turnout.errors import Invalid, Transient

logger = structlog.stdlib.get_logger(__name__)

VIGIL: Final = 5.0
"""Seconds for which the kind must stay after a deletion."""

LOOK_EVERY: Final = 0.05
"""Seconds between two looks at discovery: a CRD that is made anew at once is away for 0.15."""

_REOPEN: Final = 1.0


class Witness:
    """Sees the Agents of some namespaces go."""

    def __init__(
        self, presence: Presence, namespaces: Sequence[str], wake: Callable[[Iterable[Ref]], None]
    ) -> None:
        self._presence = presence
        self._namespaces = namespaces
        self._wake = wake
        self._deleted: set[Ref] = set()

    def vouches(self, agent: Ref) -> bool:
        """Claim that this Agent was deleted, and not its kind."""
        return agent in self._deleted

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for namespace in self._namespaces:
                group.create_task(self._attend(namespace))

    async def _attend(self, namespace: str) -> None:
        while True:
            vigil = _Vigil(self._presence, self._confirm)
            keeping = asyncio.create_task(vigil.keep())
            try:
                async with aclosing(self._presence.changes(AGENT, namespace)) as changes:
                    async for ref, is_there in changes:
                        self._deleted.discard(ref)
                        vigil.note(ref, is_there=is_there)
            except Transient as error:
                logger.debug("not watched", namespace=namespace, error=str(error))
            finally:
                keeping.cancel()
            await asyncio.sleep(_REOPEN)

    def _confirm(self, ref: Ref) -> None:
        self._deleted.add(ref)
        self._wake([ref])


class _Vigil:
    """The time after deletions that one stream told of; it ends with that stream."""

    def __init__(self, presence: Presence, confirm: Callable[[Ref], None]) -> None:
        self._presence = presence
        self._confirm = confirm
        self._until: dict[Ref, float] = {}
        self._begun = asyncio.Event()

    def note(self, ref: Ref, *, is_there: bool) -> None:
        """Take an object that was just deleted, or is there after all."""
        self._until.pop(ref, None)
        if not is_there:
            self._until[ref] = asyncio.get_running_loop().time() + VIGIL
            self._begun.set()

    async def keep(self) -> None:
        """Confirm each object for which the kind stayed long enough, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._begun.wait()
            if not await self._stays():
                self._until.clear()
            for ref in [ref for ref, until in self._until.items() if until <= loop.time()]:
                del self._until[ref]
                self._confirm(ref)
            if not self._until:
                self._begun.clear()
            await asyncio.sleep(LOOK_EVERY)

    async def _stays(self) -> bool:
        """Claim that the kind is not on its way out; what cannot be asked is not known to stay."""
        try:
            return await self._presence.offers_create(AGENT)
        except (Transient, Invalid):
            return False
