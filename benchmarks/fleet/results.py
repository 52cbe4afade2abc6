"""The table: what was found beside what was to be reached, and beside what others took."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from typing_extensions import override

from benchmarks.fleet.agents import Fleet
from benchmarks.fleet.usage import Usage


@dataclass(frozen=True)
class Goals:
    """The most that each figure may be; None where it is only told."""

    cpu: float
    resident: float
    median: float
    late: float
    queries: float
    requests: float = 1.0
    delay: float = 3.0

    @classmethod
    def of(cls, fleet: Fleet) -> "Goals":
        """Pick the figures for a fleet: up to 200 canaries, up to 1,000, with thousands idle."""
        if fleet.idle:
            return cls(cpu=2.3, resident=260, median=6, late=12, queries=12)
        if fleet.agents > 200:
            return cls(cpu=2.0, resident=150, median=6, late=12, queries=12)
        if fleet.interval == "5s":
            return cls(cpu=math.inf, resident=100, median=3.5, late=6, queries=30)
        return cls(cpu=0.5, resident=100, median=6, late=11, queries=12)


@dataclass(frozen=True)
class Results:
    """All that was measured of one fleet.

    Attributes:
        fleet: Which one.
        usage: While all was well.
        back: Seconds from turning bad to weight 0, of each candidate that was taken back.
        turned: How many turned bad.
        hurt: Good candidates that were moved.
    """

    fleet: Fleet
    usage: Usage
    back: Sequence[float]
    turned: int
    hurt: int

    @property
    def met(self) -> bool:
        """Claim that every goal was met."""
        return all(most is None or found <= most for _, found, most, _ in self._rows())

    @override
    def __str__(self) -> str:
        """Lay the table out."""
        others = self._others()
        head = [f"{'measured':<44} {'found':>9} {'goal':>9} {'':<6}"]
        head[0] += "".join(f" {name:>16}" for name in others)
        lines = [head[0], "-" * len(head[0])]
        for label, found, most, row in self._rows():
            goal = "" if most is None or math.isinf(most) else f"<= {most:g}"
            verdict = "" if not goal else "met" if found <= (most or 0) else "MISSED"
            cells = "".join(f" {figures[row]:>16}" for figures in others.values() if row >= 0)
            lines.append(f"{label:<44} {found:>9.4g} {goal:>9} {verdict:<6}{cells}".rstrip())
        return "\n".join(lines)

    def _rows(self) -> Iterator[tuple[str, float, float | None, int]]:
        """Yield label, figure, the most that it may be, and the row of the others' figures."""
        goals, usage = Goals.of(self.fleet), self.usage
        minutes, agents = usage.seconds / 60, self.fleet.agents
        watches = usage.requests.get("watch", 0)
        asked = sum(usage.requests.values()) - watches
        yield "processor, seconds a minute", usage.cpu / minutes, goals.cpu, 0
        yield "memory, most MiB resident", usage.resident, goals.resident, 1
        yield "API requests a rollout-minute", asked / agents / minutes, goals.requests, 2
        for verb, number in sorted(usage.requests.items()):
            note = " (streams begun anew)" if verb == "watch" else ""
            yield f"  {verb}, a minute in all{note}", number / minutes, None, -1
        yield "questions to Prometheus a minute", usage.queries / minutes, goals.queries, 3
        due = agents * usage.seconds / float(self.fleet.interval.removesuffix("s"))
        yield "windows due that were not judged, %", 100 * (1 - usage.windows / due), 5, -1
        yield "window judged so late after its end, p99, s", usage.late, goals.delay, -1
        times = sorted(self.back) or [math.inf]
        yield "bad -> weight 0, median, s", statistics.median(times), goals.median, 4
        yield "bad -> weight 0, p95, s", times[math.ceil(0.95 * len(times)) - 1], goals.late, 5
        yield "bad -> weight 0, most, s", times[-1], None, -1
        yield f"bad of {self.turned} that stayed", self.turned - len(self.back), 0, -1
        yield f"good of {self.fleet.agents - self.turned} hurt", self.hurt, 0, -1

    def _others(self) -> dict[str, tuple[str, ...]]:
        """Give the figures that others took in the same kind of run."""
        if self.fleet.agents > 200:
            return {
                "Argo": ("16.2", "216", "2.4", "1970", "44.4", "80.2"),
                "Argo, qps 400": ("9.7", "209", "6.6", "6000", "18.5", "24.4"),
            }
        return {
            "Argo Rollouts": ("2.07", "116", "6.0", "1200", "7.3", "12.2"),
            "Flagger": ("4.99", "83", "47.9", "604", "44.3", "50.6"),
        }
