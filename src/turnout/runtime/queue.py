"""When to look at which object again: a delay queue that holds each key once.

Times are the event loop's, so tests run hours of it in no time.
"""

import asyncio
import heapq
import itertools
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Generic, Self, TypeVar

Key = TypeVar("Key", bound=Hashable)

_NOW = timedelta(0)
_FIRST_BACKOFF = 0.1  # seconds: a conflict is mostly over when the object is read again
_LONGEST_BACKOFF = 60.0  # seconds: an outage's end is noticed within a minute
_LONGEST_HUSH = 0.5  # seconds: however many events come, a failing key is tried twice a second


class Queue(Generic[Key]):
    """Keys that are due now or later, handed out one at a time each.

    Of several times named for a key the soonest counts. A key named while somebody works on it
    comes back afterwards. Keys that are due take turns by lane (a namespace), oldest first
    within one, so that a crowded lane does not starve the others.
    """

    def __init__(
        self,
        lane: Callable[[Key], Hashable] = lambda _: None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._lane = lane
        self._spread = spread
        self._order = itertools.count()
        self._later: list[tuple[float, int, Key]] = []
        self._due: dict[Key, tuple[float, int]] = {}
        self._ready: OrderedDict[Hashable, deque[Key]] = OrderedDict()
        self._named_at_work: dict[Key, float] = {}
        self._working: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._not_before: dict[Key, float] = {}
        self._handed = asyncio.Semaphore(0)
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def add(self, key: Key, after: timedelta = _NOW) -> None:
        """Hand the key out after this long, or when it is due already."""
        now = asyncio.get_running_loop().time()
        at = max(now + after.total_seconds(), self._not_before.get(key, now))
        if key in self._working:
            self._named_at_work[key] = min(at, self._named_at_work.get(key, at))
        elif key not in self._due or at < self._due[key][0]:
            self._due[key] = turn = (at, next(self._order))
            heapq.heappush(self._later, (*turn, key))
            self._ripen()

    def done(self, key: Key, again_in: timedelta | None = None) -> None:
        """Put a key back after success: its failures are forgotten."""
        self._failures.pop(key, None)
        self._not_before.pop(key, None)
        self._release(key, again_in)

    def failed(self, key: Key, delay: timedelta | None = None) -> None:
        """Put a key back after failure: later each time, or when the other side said."""
        count = self._failures[key] = self._failures.get(key, 0) + 1
        longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(count, 16))
        backoff = longest * (1 + self._spread()) / 2
        hush = delay.total_seconds() if delay else min(backoff, _LONGEST_HUSH)
        self._not_before[key] = asyncio.get_running_loop().time() + hush
        self._release(key, delay or timedelta(seconds=backoff))

    def stop(self) -> None:
        """Hand out no further key; those being worked on are for the workers to end."""
        self._stopped = True
        if self._timer:
            self._timer.cancel()
        self._handed.release()

    @property
    def depth(self) -> int:
        """Keys that are due and wait for a worker."""
        return sum(len(keys) for keys in self._ready.values())

    @property
    def oldest_age(self) -> timedelta:
        """How long the key that waits longest has been due."""
        now = asyncio.get_running_loop().time()
        oldest = min((self._due[keys[0]][0] for keys in self._ready.values()), default=now)
        return timedelta(seconds=now - oldest)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Key:
        """Wait for a key; the caller owes a `done` or `failed` for it."""
        await self._handed.acquire()
        if self._stopped:
            self._handed.release()
            raise StopAsyncIteration
        lane, keys = self._ready.popitem(last=False)
        key = keys.popleft()
        if keys:
            self._ready[lane] = keys
        del self._due[key]
        self._working.add(key)
        return key

    def _release(self, key: Key, again_in: timedelta | None) -> None:
        """End the work on a key and put it back at the soonest time named."""
        self._working.discard(key)
        now = asyncio.get_running_loop().time()
        named = self._named_at_work.pop(key, None)
        waits = [] if named is None else [timedelta(seconds=max(0.0, named - now))]
        waits += [] if again_in is None else [again_in]
        if waits:
            self.add(key, min(waits))

    def _ripen(self) -> None:
        """Move what is due to its lane and set the timer for the next."""
        now = asyncio.get_running_loop().time()
        while self._later and self._later[0][0] <= now:
            at, order, key = heapq.heappop(self._later)
            if self._due.get(key) == (at, order):
                self._ready.setdefault(self._lane(key), deque()).append(key)
                self._handed.release()
        self._set_timer()

    def _set_timer(self) -> None:
        """Wait for the first that is due; a timer that is set for that already stays."""
        if not self._later or self._stopped:
            return
        first = self._later[0][0]
        if self._timer is not None:
            if self._timer.when() == first:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(first, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._ripen()
