"""Locks between processes: they end with their holder, whatever becomes of it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from devcluster.paths import cache


@contextlib.contextmanager
def alone(purpose: str) -> Iterator[None]:
    """Hold the lock of this purpose for the block; others of this cache wait for it."""
    lock = cache() / "locks" / purpose
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
