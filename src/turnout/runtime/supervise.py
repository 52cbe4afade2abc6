"""Supervision: what reads the cluster is started again after any death, and checked meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from turnout.adapters.documents import AGENT_ROLLOUT, HTTP_ROUTE
from turnout.runtime.relist import Relister
from turnout.runtime.store import Refs

logger = structlog.stdlib.get_logger(__name__)

SWEEP_PAUSE: Final = 10.0
"""Seconds between two sweeps: so long can a foreign edit or an abort go unseen at most."""

_SHORTEST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
_LONG_LIFE: Final = 10.0  # seconds: what lived so long died of something new

_SWEPT: Final = (AGENT_ROLLOUT, HTTP_ROUTE)

Life: TypeAlias = Callable[[], Awaitable[BaseException | None]]
"""Something that runs until it dies, and returns what killed it."""


async def supervise(life: Life, on_death: Callable[[], None]) -> None:
    """Live one life after another until cancelled, with longer pauses where they are short."""
    loop = asyncio.get_running_loop()
    pause = _SHORTEST_PAUSE
    while True:
        born = loop.time()
        cause = await life()
        logger.warning("watches begin anew", cause=repr(cause))
        on_death()
        if loop.time() - born > _LONG_LIFE:
            pause = _SHORTEST_PAUSE
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


class Sweeper:
    """Reads routes and rollouts again while some rollout is active.

    A watch can be silent and look alive. Where a rollout waits for a person's word, or its route
    for a correction, that silence must not last.
    """

    def __init__(
        self,
        relister: Relister,
        wake: Callable[[Refs], None],
        is_active: Callable[[], bool],
        pause: float = SWEEP_PAUSE,
    ) -> None:
        self._relister = relister
        self._wake = wake
        self._is_active = is_active
        self._pause = pause

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            if self._is_active():
                served = [kind for kind in _SWEPT if self._relister.served(kind)]
                self._wake(await self._relister.sweep(served))
