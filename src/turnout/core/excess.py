"""Failures of a candidate beyond those that stable would have had of the same requests.

A provider's incident makes both versions fail, and is nobody's spending: so the candidate's
failures are held against stable's of the same time, never against what is promised. Both are
compared in blocks that close once stable was asked often enough: a look of ten seconds may hold
no request to stable at all, and a whole rollout would mix times at which weights and the
provider were others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from turnout.core.looks import Window

BLOCK: Final = 50.0
"""Requests to stable with which a block closes."""


@dataclass(frozen=True)
class Excess:
    """What is known of these failures.

    Attributes:
        closed: Those of the blocks that are closed; below 0 where stable had more.
        block: What was counted since.
    """

    closed: float = 0.0
    block: Window | None = None

    @property
    def failures(self) -> float:
        """All of them, those of the block as it is so far."""
        return self.closed + _beyond(self.block)

    def with_window(self, window: Window) -> Excess:
        """Take a window in."""
        block = window if self.block is None else _joined(self.block, window)
        if block.stable.total < BLOCK:
            return Excess(self.closed, block)
        return Excess(self.closed + _beyond(block))


def excess_of(failures: float, block: Window | None) -> Excess:
    """Give back what was written down as all failures and the block that is open."""
    return Excess(failures - _beyond(block), block)


def _joined(first: Window, then: Window) -> Window:
    candidate, stable = first.candidate + then.candidate, first.stable + then.stable
    return Window(first.start, then.end, candidate, stable)


def _beyond(block: Window | None) -> float:
    """Compare; where stable was asked nothing, nobody knows what it would have had."""
    if block is None or block.stable.total <= 0.0:
        return 0.0
    candidate, stable = block.candidate, block.stable
    expected = candidate.total * (stable.total - stable.good) / stable.total
    return candidate.total - candidate.good - expected
