"""One request in five seconds: how long a verdict takes, and what waiting for none costs."""

import numpy as np

from benchmarks.gates.arrays import Floats
from benchmarks.gates.bench import Bench
from benchmarks.gates.report import Section, percent, table
from benchmarks.gates.run import Outcome, Rule, Verdict, judge, row
from benchmarks.gates.streams import Case
from benchmarks.gates.twin import Terms
from turnout.core.sequential.bets import SUSPICIOUS

TERMS = Terms(0.02, 0.97)
LOOKS = 720


def run(bench: Bench) -> Section:
    """Run 0.2 requests a second, for twelve hours and for one."""
    title = f"Low traffic: .97, margin 2, 0.2 rps ({bench.fewer} repetitions)"
    return Section(title, (_hours(bench), _healthy(bench)))


def _hours(bench: Bench) -> str:
    rng = bench.rng(12)
    rows = []
    for weight in (0.05, 0.25, 0.50):
        outcomes = []
        for drop in (0.0, 0.05):
            stream = Case(0.97, drop, 0.2, weight, looks=LOOKS).draw(rng, bench.fewer)
            outcomes.append(judge(stream, bench.make(TERMS, bench.fewer), Rule.of(TERMS)))
        equal, worse = outcomes
        cells = [_in_hours(equal, Verdict.PROMOTED), _in_hours(worse, Verdict.ROLLED_BACK)]
        rows.append([f"{100 * weight:g} %", *cells, percent(equal.share(Verdict.ROLLED_BACK))])
    head = ["weight", "same: promoted %@h", "-5: rolled back %@h", "same: rolled back %"]
    return table(head, rows)


def _in_hours(outcome: Outcome, verdict: Verdict) -> str:
    """Give the share, and the median hour over all, for a rare verdict is a late one."""
    hours: Floats = np.where(outcome.are(verdict), outcome.minute / 60, np.inf)
    at = float(np.median(hours))
    when = f"{at:.1f}" if np.isfinite(at) else f">{LOOKS // 60}"
    return f"{percent(outcome.share(verdict))}@{when}"


def _healthy(bench: Bench) -> str:
    """Promote after an hour what shows no sign and has no drop beyond the margin."""
    rng = bench.rng(13)
    rows = []
    for drop in (0.0, 0.02, 0.05, 0.10):
        stream = Case(0.97, drop, 0.2, 0.25).draw(rng, bench.fewer)
        process = bench.make(TERMS, bench.fewer)
        everyone = np.arange(bench.fewer)
        worse = np.zeros(bench.fewer, dtype=bool)
        for number in range(stream.looks):
            process.look(everyone, row(stream, number, everyone), stream.minutes)
            worse |= (process.log_fail >= TERMS.certain) & (process.drop > TERMS.margin)
        healthy = ~worse & (process.log_fail < SUSPICIOUS) & (process.drop <= TERMS.margin)
        rows.append(
            [f"-{100 * drop:g}", percent(float(healthy.mean())), percent(float(worse.mean()))]
        )
    return table(["PromoteIfHealthy at 60 min, 25 %", "promoted %", "rolled back %"], rows)
