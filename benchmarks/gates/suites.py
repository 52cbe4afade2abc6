"""One suite of evaluation tasks as the production gate follows it."""

from typing import Protocol

from typing_extensions import override

from turnout.core.sequential.broken import Outcomes, with_broken
from turnout.core.sequential.pairs import Pairs, Recorded


class Suite(Protocol):
    """A suite under way."""

    def take(self, baseline: list[float], outcomes: list[float]) -> None:
        """Take one trial of every task."""

    def evidence(self) -> tuple[float, float]:
        """Give the logarithms of the evidence: worse, and safe."""


def start(margin: float, stored: list[float] | None, trials: int, tasks: int) -> Suite:
    """Begin a suite against means of stored trials, or one with trials run beside."""
    return _Paired(margin, tasks) if stored is None else _Recorded(margin, stored, trials)


class _Recorded(Suite):
    def __init__(self, margin: float, stored: list[float], trials: int) -> None:
        self._margin = margin
        self._kept = Recorded()
        good = [round(one * trials) for one in stored]
        self._baseline = [Outcomes(one, trials - one) for one in good]
        self._own = [Outcomes(0, 0) for _ in stored]

    @override
    def take(self, baseline: list[float], outcomes: list[float]) -> None:
        for stored, outcome in zip(baseline, outcomes, strict=True):
            self._kept = self._kept.after(stored, outcome, self._margin)
        self._own = _counted(self._own, outcomes)

    @override
    def evidence(self) -> tuple[float, float]:
        worse, safe = self._kept.evidence()
        return with_broken(worse, list(zip(self._own, self._baseline, strict=True))), safe


class _Paired(Suite):
    def __init__(self, margin: float, tasks: int) -> None:
        self._margin = margin
        self._pairs = Pairs()
        self._baseline = [Outcomes(0, 0) for _ in range(tasks)]
        self._own = [Outcomes(0, 0) for _ in range(tasks)]

    @override
    def take(self, baseline: list[float], outcomes: list[float]) -> None:
        gaps = [stored - outcome for stored, outcome in zip(baseline, outcomes, strict=True)]
        kept = self._pairs
        self._pairs = Pairs(
            kept.regressed + gaps.count(1.0),
            kept.improved + gaps.count(-1.0),
            kept.tied + gaps.count(0.0),
        )
        self._baseline = _counted(self._baseline, baseline)
        self._own = _counted(self._own, outcomes)

    @override
    def evidence(self) -> tuple[float, float]:
        tasks = list(zip(self._own, self._baseline, strict=True))
        return with_broken(self._pairs.worse(), tasks), self._pairs.safe(self._margin)


def _counted(so_far: list[Outcomes], outcomes: list[float]) -> list[Outcomes]:
    pairs = zip(so_far, outcomes, strict=True)
    return [Outcomes(old.good + (new >= 1), old.bad + (new < 1)) for old, new in pairs]
