"""What the shell remembers about an Agent between two looks; all of it may be lost at any time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from turnout.core.gates import Blind
from turnout.core.ledger import Ledger

QUIET = timedelta(milliseconds=300)
"""Content is taken once it has been still for so long, so that one apply of several objects
is one version."""

LONGEST_QUIET = timedelta(seconds=2)
"""Content that keeps changing is taken after so long all the same."""


@dataclass
class Memory:
    """One Agent's memory.

    Attributes:
        digest: Content as seen last.
        first_change: When the content began to change.
        last_change: When it changed last.
        rollout: The rollout that the evidence belongs to.
        ledger: What is kept of its looks, newer than the last checkpoint.
        knows_past: Stable's pods were asked for what they did before the rollout.
        blind: Metrics that could not be read at the last look.
        looked_at: When the provider was asked last.
        refused: What the API server said when it refused an object, by its name.
        forbidden: The right that was missing at the last attempt.
        doubted: Names that were taken when an object of ours should have been made.
    """

    digest: str | None = None
    first_change: datetime | None = None
    last_change: datetime | None = None
    rollout: str | None = None
    ledger: Ledger = field(default_factory=dict)
    knows_past: bool = False
    blind: Mapping[str, Blind] = field(default_factory=dict)
    looked_at: datetime | None = None
    refused: dict[str, str] = field(default_factory=dict)
    forbidden: str | None = None
    doubted: set[str] = field(default_factory=set)

    def settles_in(self, digest: str, now: datetime) -> float:
        """Tell how many seconds content must still be quiet; 0 once it may be taken."""
        if digest != self.digest:
            settled = self.settled(now)
            self.digest, self.last_change = digest, now
            self.first_change = now if settled or self.first_change is None else self.first_change
        return max(0.0, (self._settled_at(now) - now).total_seconds())

    def settled(self, now: datetime) -> bool:
        """Tell whether the content seen last has been quiet for long enough."""
        return now >= self._settled_at(now)

    def _settled_at(self, now: datetime) -> datetime:
        last, first = self.last_change or now, self.first_change or now
        return min(last + QUIET, first + LONGEST_QUIET)

    def begin(self, rollout: str) -> None:
        """Forget the evidence of another rollout."""
        if rollout != self.rollout:
            self.rollout, self.ledger, self.blind, self.looked_at = rollout, {}, {}, None
            self.knows_past = False
