"""Workers: take keys from the queue, look at them, and say when to look again."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from turnout.adapters.documents import Ref
from turnout.errors import Conflict, Forbidden, Invalid, LeaseLost, NotFound, Transient
from turnout.runtime.queue import Queue
from turnout.runtime.reconcile import Reconciler
from turnout.runtime.telemetry import Telemetry

logger = structlog.stdlib.get_logger(__name__)

LONGEST_LOOK: Final = 60.0
"""Seconds that one look may take before it is given up: every call in it ends sooner."""


class Workers:
    """Reconciles due keys, several at once and each by one worker at a time."""

    def __init__(
        self, queue: Queue[Ref], reconciler: Reconciler, telemetry: Telemetry, number: int
    ) -> None:
        self._queue = queue
        self._reconciler = reconciler
        self._telemetry = telemetry
        self._number = number

    async def run(self, may_act: Callable[[], bool]) -> None:
        """Work until the queue stops or leadership is lost.

        Raises:
            LeaseLost: This process may no longer act.
        """
        async with asyncio.TaskGroup() as group:
            for _ in range(self._number):
                group.create_task(self._work(may_act))

    async def _work(self, may_act: Callable[[], bool]) -> None:
        async for ref in self._queue:
            if not may_act():
                raise LeaseLost("the lease may belong to another replica by now")
            began = time.monotonic()
            result = await self._look(ref)
            self._telemetry.note_look(ref.kind.kind, result, time.monotonic() - began)

    async def _look(self, ref: Ref) -> str:
        """Look at one key and put it back; one key's trouble never stops another's work."""
        try:
            async with asyncio.timeout(LONGEST_LOOK):
                again_in = await self._reconciler.reconcile(ref)
        except LeaseLost:
            raise
        except Conflict:
            self._queue.failed(ref)
            return "conflict"
        except Transient as error:
            logger.warning("transient", object=str(ref), error=str(error))
            self._queue.failed(ref, error.delay)
            return "error"
        except (Invalid, Forbidden, NotFound, TimeoutError) as error:
            logger.warning("refused", object=str(ref), error=str(error))
            self._queue.failed(ref)
            return "error"
        except Exception:
            logger.exception("look failed", object=str(ref))
            self._queue.failed(ref)
            return "error"
        self._queue.done(ref, again_in)
        return "ok"
