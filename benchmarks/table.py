"""One table for every benchmark: what was measured, how often, and against which goal."""

import math
import statistics
from collections.abc import Sequence


def show(rows: Sequence[tuple[str, Sequence[float], float]]) -> str:
    """Lay out series of seconds with their goal for the median."""
    head = f"{'measured':<32} {'runs':>5} {'median':>9} {'p95':>9} {'max':>9} {'goal':>9}"
    lines = [head, "-" * len(head)]
    for label, times, goal in rows:
        ordered = sorted(times)
        late = ordered[math.ceil(0.95 * len(ordered)) - 1]
        median = statistics.median(ordered)
        verdict = "met" if median < goal else "MISSED"
        lines.append(
            f"{label:<32} {len(ordered):>5} {median:>8.3f}s {late:>8.3f}s "
            f"{ordered[-1]:>8.3f}s {'< ' + format(goal, 'g') + 's':>9} {verdict}"
        )
    return "\n".join(lines)


def count(rows: Sequence[tuple[str, int, int | None]]) -> str:
    """Lay out counts with the most that each may be; None where it is only told."""
    head = f"{'counted':<32} {'requests':>9} {'goal':>9}"
    lines = [head, "-" * len(head)]
    for label, number, most in rows:
        verdict = "" if most is None else f"{most:>9} {'met' if number <= most else 'MISSED'}"
        lines.append(f"{label:<32} {number:>9} {verdict}".rstrip())
    return "\n".join(lines)
