"""A candidate that answers nothing right: requests until it is taken back (GATES 2.7)."""

from itertools import product

import numpy as np

from benchmarks.gates.bench import Bench
from benchmarks.gates.nulls import RPS, STABLE
from benchmarks.gates.report import Estimate, Section, quantile, table, worst
from benchmarks.gates.run import Rule, Verdict, judge
from benchmarks.gates.streams import Case
from benchmarks.gates.twin import FAIL_GRID, FAIL_PRIOR, Terms

TEN_SECONDS = 1 / 6
RATES = (0.99, 0.97, 0.95, 0.90, 0.80, 0.70, 0.50)


def run(bench: Bench) -> Section:
    """Run the breaks at 5 % of the traffic, looked at every ten seconds."""
    rng = bench.rng(7)
    rows: list[list[str]] = []
    medians: dict[bool, list[tuple[str, Estimate]]] = {True: [], False: []}
    late: list[tuple[str, Estimate]] = []
    for stable, rps in product(STABLE, RPS):
        case = Case(stable, stable, rps, minutes=TEN_SECONDS, looks=360)
        terms = Terms(case.margin, stable, passes=False)
        stream = case.draw(rng, bench.fewer)
        outcome = judge(stream, bench.make(terms, stream.repetitions), Rule.of(terms))
        half, most = quantile(outcome.requests, 0.5), quantile(outcome.requests, 0.95)
        minute = outcome.median_minute(Verdict.ROLLED_BACK)
        caught = f"{100 * outcome.share(Verdict.ROLLED_BACK):.0f}"
        name = f"{stable:.2f}, {rps:g} rps"
        rows.append([name, f"{half.value:g}", f"{most.value:g}", f"{minute:.2g}", caught])
        if rps <= 2:
            medians[stable >= 0.9].append((name, half))
            late.append((name, most))
    targets = (
        worst("G5", "total break, stable >= .90, median requests", medians[True], 3),
        worst("G5", "total break, stable .80, median requests", medians[False], 5),
        worst("G5", "total break, p95 requests", late, 8),
    )
    head = ["total break, 5 %, 10-s looks", "median requests", "p95", "median min", "caught %"]
    title = f"Total break ({bench.fewer} repetitions)"
    return Section(title, (table(head, rows), in_a_row()), targets)


def in_a_row() -> str:
    """Count the failures in a row that are evidence enough while stable's rate is known."""
    rows = []
    for rate in RATES:
        odds = (1 - rate) / rate * np.exp(FAIL_GRID)
        factor = odds / (1 + odds) / (1 - rate)
        capital = [float(FAIL_PRIOR @ factor**count) for count in range(1, 20)]
        needed = [str(next(i for i, e in enumerate(capital, 1) if e >= goal)) for goal in (20, 100)]
        rows.append([f"{rate:.2f}", *needed])
    return table(["failures in a row, stable", "evidence 20", "evidence 100"], rows)
