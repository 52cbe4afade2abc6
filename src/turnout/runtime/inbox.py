"""Answers on their way from the listener to the object that asked."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from turnout.adapters.documents import Ref
from turnout.core.tasks import Answer


@dataclass(frozen=True)
class _Pending:
    answer: Answer
    written: asyncio.Future[bool]


class Inbox:
    """Holds one answer an object until the object's look has written what follows from it.

    Whoever brought the answer waits meanwhile: only what is written is lost to nobody.
    """

    def __init__(self, wake: Callable[[Iterable[Ref]], None]) -> None:
        self._wake = wake
        self._pending: dict[Ref, _Pending] = {}

    async def take(self, ref: Ref, answer: Answer, patience: float) -> bool:
        """Hand an answer over; tells whether it was taken in time.

        False means that it should be brought again: the object is busy or nobody looked at it.
        """
        if ref in self._pending:
            return False
        pending = _Pending(answer, asyncio.get_running_loop().create_future())
        self._pending[ref] = pending
        self._wake((ref,))
        try:
            async with asyncio.timeout(patience):
                return await pending.written
        except TimeoutError:
            return False
        finally:
            if self._pending.get(ref) is pending:
                del self._pending[ref]

    def answer(self, ref: Ref) -> Answer | None:
        """Return the answer that waits for an object."""
        pending = self._pending.get(ref)
        return pending.answer if pending else None

    def settle(self, ref: Ref, answer: Answer | None, *, taken: bool) -> None:
        """Say that a look at the object has written what follows from an answer, or did not."""
        pending = self._pending.get(ref)
        if pending is not None and pending.answer is answer and not pending.written.done():
            pending.written.set_result(taken)
