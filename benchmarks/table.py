"""One table for every benchmark: what was measured, how often, and against which goal."""

import statistics
from collections.abc import Sequence


def show(rows: Sequence[tuple[str, Sequence[float], float]]) -> str:
    """Lay out series of seconds with their goal for the median."""
    head = f"{'measured':<32} {'runs':>5} {'median':>9} {'p95':>9} {'max':>9} {'goal':>9}"
    lines = [head, "-" * len(head)]
    for label, times, goal in rows:
        ordered = sorted(times)
        late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        median = statistics.median(ordered)
        verdict = "met" if median < goal else "MISSED"
        lines.append(
            f"{label:<32} {len(ordered):>5} {median:>8.3f}s {late:>8.3f}s "
            f"{ordered[-1]:>8.3f}s {'< ' + format(goal, 'g') + 's':>9} {verdict}"
        )
    return "\n".join(lines)
