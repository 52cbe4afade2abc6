"""Whether stable itself does worse than it used to: an incident that no version is to blame for.

A one-armed wager on stable alone. It never blames a candidate, and takes nothing back: it says why
nobody is promoted while both arms suffer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from turnout.core.looks import Counts
from turnout.core.sequential.bets import SUSPICIOUS, Bets
from turnout.core.sequential.guesses import WORSE_PRIOR, floor_gains
from turnout.core.sequential.recent import HalfLife, Rate

USUALLY: Final = HalfLife(seconds=3600.0, requests=2000.0)
"""How slowly what is usual is forgotten."""

DOUBTFUL: Final = 0.1
"""What comes while an incident is suspected changes what is usual by so much of itself: a short one
leaves it as it is, a level that lasts becomes the usual one."""

JUST_NOW: Final = HalfLife(seconds=180.0, requests=20.0)
"""Half-life of the candidate's rate: it has few requests."""

KNOWN: Final = 100.0
"""Requests to stable before anything is usual."""

LEAST: Final = 0.03
"""A fall by less than so much, or than the margin where that is more, is no incident."""

ENOUGH: Final = math.log(20.0)
"""Logarithm of the evidence that it is one."""

ASKED: Final = 10.0
"""Requests to the candidate, lately, before anything is said of it."""

NOBODY: Final = Rate(0.0, 0.0)
UNMOVED: Final = Bets(0.0, WORSE_PRIOR)


@dataclass(frozen=True, slots=True)
class Slump:
    """How stable does beside how it used to do.

    Attributes:
        bets: Winnings against "stable does about as well as usual".
        usual: Stable's rate over the last hour or more.
        candidate: The candidate's rate over the last minutes.
    """

    bets: Bets = UNMOVED
    usual: Rate = NOBODY
    candidate: Rate = NOBODY

    def after(
        self, candidate: Counts, stable: Counts, seconds: float, margin: float | None
    ) -> Slump:
        """Take a look in; what it is held against is what was usual before it.

        The winnings are capped, so that the end of an incident is seen soon.
        """
        most, bets = self._most(margin), self.bets
        if self.usual.total >= KNOWN and most < 1.0:
            gains = floor_gains(stable.good, stable.total - stable.good, most)
            bets = bets.settled(gains, WORSE_PRIOR, seconds, ENOUGH + 1.0)
        part = DOUBTFUL if bets.log >= SUSPICIOUS else 1.0
        return Slump(
            bets,
            self.usual.after(stable.good * part, stable.total * part, seconds * part, USUALLY),
            self.candidate.after(candidate.good, candidate.total, seconds, JUST_NOW),
        )

    def is_shared(self, margin: float | None) -> bool:
        """Claim that both arms do worse than stable used to."""
        fell = self.candidate.failures > self._most(margin)
        return self.bets.log >= ENOUGH and self.candidate.total >= ASKED and fell

    def _most(self, margin: float | None) -> float:
        """Tell how often stable may fail before it is an incident."""
        return most_failures(self.usual, max(margin or 0.0, LEAST))


def most_failures(usual: Rate, margin: float) -> float:
    """Tell how often a version may fail that usually fails so often.

    Two standard errors are allowed for what is usual, which is not known exactly.
    """
    failures = usual.failures
    error = math.sqrt(failures * (1.0 - failures) / max(usual.total, 1.0))
    return failures + margin + 2.0 * error
