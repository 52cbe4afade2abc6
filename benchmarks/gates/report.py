"""Tables and targets: what was found beside what was to be reached."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchmarks.gates.arrays import Bools, Floats


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard error."""

    value: float
    error: float = 0.0


def mean(numbers: Floats | Bools) -> Estimate:
    """Estimate a mean, or a share of truths."""
    found = np.asarray(numbers, dtype=float)
    return Estimate(float(found.mean()), float(found.std() / np.sqrt(found.size)))


def quantile(numbers: Floats, q: float) -> Estimate:
    """Estimate a quantile; its error is that of its rank, read off the sample."""
    ranks = q + np.array([0, -1, 1]) * np.sqrt(q * (1 - q) / numbers.size)
    at, low, high = np.quantile(numbers, np.clip(ranks, 0, 1), method="closest_observation")
    return Estimate(float(at), float(high - low) / 2)


@dataclass(frozen=True)
class Target:
    """One goal and what was reached.

    Attributes:
        name: G1 to G11.
        what: Which figure, and in which scenario it was worst.
        found: The figure.
        goal: What it may be at most; at least, where ``least``.
    """

    name: str
    what: str
    found: Estimate
    goal: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Met is it when the figure, less two standard errors, does not exceed the goal."""
        slack = 2 * self.found.error
        if self.least:
            return self.found.value + slack >= self.goal
        return self.found.value - slack <= self.goal

    @property
    def cells(self) -> list[str]:
        """Lay out one row."""
        goal = f"{'>=' if self.least else '<='} {self.goal:g}"
        verdict = "met" if self.met else "MISSED"
        return [
            self.name,
            self.what,
            f"{self.found.value:.4g}",
            f"{self.found.error:.2g}",
            goal,
            verdict,
        ]


def worst(name: str, what: str, found: Iterable[tuple[str, Estimate]], goal: float) -> Target:
    """Make one target of many figures: the one that is nearest to missing it, or is no number."""

    def nearness(one: tuple[str, Estimate]) -> tuple[bool, float]:
        lowest = one[1].value - 2 * one[1].error
        return math.isnan(lowest), lowest

    scenario, estimate = max(found, key=nearness)
    return Target(name, f"{what} (worst: {scenario})", estimate, goal)


@dataclass(frozen=True)
class Section:
    """What one part of the benchmark has to say."""

    title: str
    tables: tuple[str, ...]
    targets: tuple[Target, ...] = ()

    @override
    def __str__(self) -> str:
        return "\n\n".join([f"## {self.title}", *self.tables])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out rows under a head: the first column to the left, the others to the right."""
    cells = [list(head), *(list(one) for one in rows)]
    widths = [max(len(one[column]) for one in cells) for column in range(len(head))]

    def line(one: Sequence[str]) -> str:
        rest = (cell.rjust(width) for cell, width in zip(one[1:], widths[1:], strict=True))
        return "  ".join([one[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join([line(cells[0]), "-" * len(line(cells[0])), *map(line, cells[1:])])


def scoreboard(targets: Sequence[Target]) -> str:
    """Lay out all targets."""
    head = ["goal", "what", "found", "s.e.", "to reach", ""]
    cells = [one.cells for one in sorted(targets, key=_number)]
    width = max((len(one[1]) for one in cells), default=0)
    padded = [[one[0], one[1].ljust(width), *one[2:]] for one in cells]
    return table(head, padded)


def _number(target: Target) -> float:
    digits = target.name.removeprefix("G")
    return float(digits) if digits.isdigit() else math.inf


def difference(ours: float, theirs: float) -> float:
    """Tell how far apart two figures are, in parts of them from 1 on; NaN is as far as can be."""
    apart = abs(ours - theirs) / max(1.0, abs(theirs))
    return math.inf if math.isnan(apart) else apart


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.1f}"


def minutes(at: float) -> str:
    """Write minutes; a dash where there are none."""
    return "-" if np.isnan(at) else f"{at:.3g}"
