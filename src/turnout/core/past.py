"""What stable's own pods tell before a rollout: its usual share, and how much its counts scatter.

Two halves of the same version differ by chance alone. Where they differ by more, requests are not
independent (those of one session fare alike, pods differ), and two versions will differ by as much
without any being worse: evidence is dampened by that factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from turnout.core.looks import ArmRole, Cadence, Counts, Member, Readings, Window, close_windows
from turnout.core.sequential.guesses import Block
from turnout.core.sequential.noise import Noise

SPAN: Final = 3600.0
"""Seconds before the first look that are read."""

LOOK: Final = 60.0
"""Seconds of one look at the two halves."""

ENOUGH_LOOKS: Final = 30
"""Looks with requests to both halves and failures; of fewer the scatter itself is chance."""

ENOUGH_REQUESTS: Final = 100.0
"""Requests by which stable's share is known."""


@dataclass(frozen=True)
class Past:
    """What is known of one metric of stable from before a rollout.

    Attributes:
        share: Its share of good answers; None where it was hardly asked.
        noise: Scatter of its counts over that of independent requests, 1 where that is not known.
    """

    share: float | None = None
    noise: float = 1.0


def past_of(readings: Readings, stable: Mapping[str, float], until: float, scrape: float) -> Past:
    """Learn from the hour before a moment.

    Args:
        readings: What one metric counted then.
        stable: When stable's version and each of its pods began, in unix seconds.
        until: The moment, in unix seconds.
        scrape: The provider's scrape interval in seconds.
    """
    halves = (ArmRole.CANDIDATE, ArmRole.STABLE)
    members = {
        name: Member(halves[number % 2], stable[name]) for number, name in enumerate(sorted(stable))
    }
    known = {one.pod for one in readings.total if one.pod in members}
    first, other = ({one for one in known if members[one].role is half} for half in halves)
    if not first:  # whose counters are awaited: of the halves any may be
        members = {name: Member(ArmRole.CANDIDATE, began) for name, began in stable.items()}
    windows = close_windows(readings, members, until - SPAN, until, Cadence(LOOK, scrape))
    return Past(_share(windows), _noise(windows) if first and other else 1.0)


def _share(windows: Sequence[Window]) -> float | None:
    whole = sum((one.candidate + one.stable for one in windows), Counts())
    return whole.share if whole.total >= ENOUGH_REQUESTS else None


def _noise(windows: Sequence[Window]) -> float:
    noise = Noise()
    for one in windows:
        noise = noise.after(
            Block(
                one.candidate.good,
                one.candidate.total - one.candidate.good,
                one.stable.good,
                one.stable.total - one.stable.good,
            )
        )
    return noise.factor if noise.blocks >= ENOUGH_LOOKS else 1.0
