"""Versions that are worse: how soon they are found, and which are promoted (GATES 2.2)."""

from itertools import product

import numpy as np

from benchmarks.gates.arrays import Bools
from benchmarks.gates.bench import Bench
from benchmarks.gates.nulls import POLICIES, RPS, STABLE, WEIGHTS, others, ours, rolled_back
from benchmarks.gates.report import (
    Estimate,
    Section,
    Target,
    mean,
    minutes,
    percent,
    table,
    worst,
)
from benchmarks.gates.run import Outcome, Verdict
from benchmarks.gates.streams import Case

SHOWN = (
    Case(0.97, 0.02, 2, 0.25),
    Case(0.97, 0.02, 50, 0.25),
    Case(0.97, 0.05, 0.2, 0.25),
    Case(0.97, 0.05, 2, 0.05),
    Case(0.97, 0.05, 2, 0.25),
    Case(0.97, 0.10, 0.2, 0.25),
    Case(0.97, 0.10, 2, 0.05),
    Case(0.97, 0.10, 50, 0.05),
    Case(0.97, 0.30, 2, 0.05),
    Case(0.97, 0.97, 0.2, 0.05),
    Case(0.97, 0.97, 2, 0.25),
    Case(0.97, 0.10, 2, 0.25, drifts=True),
    Case(0.97, 0.05, 2, 0.25, incident=True),
    Case(0.97, 0.02, 50, 0.25, incident=True),
    Case(0.80, 0.10, 2, 0.05),
    Case(0.80, 0.10, 2, 0.25),
    Case(0.80, 0.30, 2, 0.05),
    Case(0.80, 0.30, 2, 0.25),
    Case(0.80, 0.80, 2, 0.25),
    Case(0.97, 0.005, 50, 0.25),
    Case(0.97, 0.010, 50, 0.25),
    Case(0.97, 0.015, 50, 0.25),
)
DROPS = (0.05, 0.10, 0.30, 1.0)
HOURS_12 = 720


def run(bench: Bench) -> Section:
    """Run the scenarios that are shown, all drops of 5 points and more, and those on the margin."""
    detected = _detection(bench)
    summary, promoted = _large_drops(bench)
    margins, on_margin = _on_the_margin(bench)
    title = f"Regressions ({bench.fewer} repetitions, on the margin {bench.repetitions})"
    return Section(title, (detected, summary, margins), (on_margin, *promoted))


def _detection(bench: Bench) -> str:
    rng = bench.rng(2)
    rows: list[list[str]] = []
    for case in SHOWN:
        stream = case.draw(rng, bench.fewer)
        outcome = ours(bench, stream, case)
        rest = [rolled_back(at, stream) for at in others(stream, case.stable).values()]
        caught = outcome.requests[outcome.are(Verdict.ROLLED_BACK)]
        requests = f"{np.median(caught):.0f}" if caught.size else "-"
        shares = (outcome.share(one) for one in (Verdict.PROMOTED, Verdict.WAITING))
        rows.append([str(case), *map(_at, rest), _at(outcome), requests, *map(percent, shares)])
    head = [
        "rolled back % @ median minute",
        *POLICIES,
        "ours",
        "median requests",
        "promoted %",
        "waiting %",
    ]
    return table(head, rows)


def _at(outcome: Outcome) -> str:
    share = outcome.share(Verdict.ROLLED_BACK)
    return f"{100 * share:.0f}@{minutes(outcome.median_minute(Verdict.ROLLED_BACK))}"


def _large_drops(bench: Bench) -> tuple[str, tuple[Target, Target]]:
    rng = bench.rng(3)
    missed: dict[str, list[float]] = {name: [] for name in (*POLICIES, "ours")}
    promoted: list[Bools] = []
    doubled: list[tuple[str, Estimate]] = []
    for stable, drop, rps, weight in product(STABLE, DROPS, RPS, WEIGHTS):
        case = Case(stable, min(drop, stable), rps, weight)
        stream = case.draw(rng, bench.fewer)
        for name, at in others(stream, stable).items():
            missed[name].append(float((at < 0).mean()))
        outcome = ours(bench, stream, case)
        missed["ours"].append(1 - outcome.share(Verdict.ROLLED_BACK))
        promoted.append(outcome.are(Verdict.PROMOTED))
        if case.drop >= 2 * case.margin:
            doubled.append((str(case), mean(promoted[-1])))
    head = ["not rolled back in 60 min, mean of 72 cells, %", *missed]
    shares = [percent(float(np.mean(one))) for one in missed.values()]
    return table(head, [["drops of 5 points and more", *shares]]), (
        Target("G7", "drop of 5 points or more promoted, mean", mean(np.array(promoted)), 0.005),
        worst("G7", "drop of twice the margin or more promoted", doubled, 0.0),
    )


def _on_the_margin(bench: Bench) -> tuple[str, Target]:
    rng = bench.rng(4)
    hour = [
        Case(stable, Case(stable).margin, rps, weight, incident)
        for incident, stable, rps, weight in product((False, True), STABLE, RPS, WEIGHTS)
    ]
    long = [Case(0.80, 0.05, 0.2, 0.25, looks=HOURS_12), Case(0.80, 0.05, 2, 0.05, looks=HOURS_12)]
    found: list[tuple[str, Estimate]] = []
    rows: list[list[str]] = []
    for case in (*hour, *long):
        outcome = ours(bench, case.draw(rng, bench.repetitions), case)
        name = str(case) + (", 12 h" if case.looks == HOURS_12 else "")
        found.append((name, mean(outcome.are(Verdict.PROMOTED))))
        rows.append([name, *(percent(outcome.share(one)) for one in Verdict)])
    head = ["exactly on the margin, %", "waiting", "rolled back", "promoted"]
    return table(head, rows), worst("G3", "promoted on the margin", found, 0.05)
