"""What is kept of a rollout's looks, per metric: an entry from which the next look goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from turnout.api.metric import Unit
from turnout.core.excess import Excess
from turnout.core.looks import Counts, Window
from turnout.core.sequential.spending import Spending
from turnout.core.sequential.tally import Tally


@dataclass(frozen=True)
class Entry:
    """What is kept of one metric.

    Attributes:
        windows: In Threshold mode the newest windows; in Statistical mode one, of all that was
            counted since the weight changed, or the last one before.
        tally: The evidence, in Statistical mode.
        excess: Failures beyond those that stable would have had; None for a cost.
        matched: Which of a profile's series were counted: others are no longer read.
        unit: What one count stands for, where anybody says so.
    """

    windows: tuple[Window, ...] = ()
    tally: Tally | Spending | None = None
    excess: Excess | None = None
    matched: str | None = None
    unit: Unit | None = None

    @property
    def end(self) -> float | None:
        """Unix seconds up to which everything is counted; None before the first window closed."""
        return self.windows[-1].end if self.windows else None


Ledger = Mapping[str, Entry]
"""Entries by the names of metrics."""

NOTHING = Entry()


def closed_until(ledger: Ledger) -> float | None:
    """Unix seconds up to which every metric is counted; None where one has no window yet."""
    ends = [one.end for one in ledger.values() if one.end is not None]
    return min(ends) if ends and len(ends) == len(ledger) else None


def since_change(windows: tuple[Window, ...], changed: float) -> tuple[Window, ...]:
    """Make one window of those that began after a change of the weight; else keep the last one."""
    after = [one for one in windows if one.start >= changed]
    if not after:
        return windows[-1:]
    return (
        Window(
            after[0].start,
            after[-1].end,
            _sum(one.candidate for one in after),
            _sum(one.stable for one in after),
        ),
    )


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())
