"""What the process keeps of memory that it no longer uses."""

import ctypes
import gc
from contextlib import suppress
from typing import Final

COLLECTOR: Final = (50_000, 20, 100)
"""Thresholds of Python's search for cycles. Large answers are decoded all the time and hold none;
with the usual (700, 10, 10) each makes it walk through all that is kept of the cluster."""

_ALLOCATOR: Final = {-1: 128 * 1024, -3: 64 * 1024, -8: 2}
"""Options of glibc's `mallopt`: bytes free at a heap's end that are given back, bytes from which
a block is mapped and given back by itself (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD: left alone, both
grow with the largest answer ever read), and heaps at most (M_ARENA_MAX: usually eight a core)."""


def be_thrifty() -> None:
    """Search for cycles seldom, and give memory back soon; another C library does as it likes."""
    gc.set_threshold(*COLLECTOR)
    with suppress(AttributeError):
        allocator = ctypes.CDLL(None).mallopt
        for option, value in _ALLOCATOR.items():
            allocator(option, value)
