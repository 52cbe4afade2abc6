"""Versions that are no worse than stable: who rolls them back all the same (GATES 2.1)."""

from itertools import product

import numpy as np

from benchmarks.gates import mannwhitney, rivals
from benchmarks.gates.arrays import Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.report import (
    Estimate,
    Section,
    mean,
    minutes,
    percent,
    table,
    worst,
)
from benchmarks.gates.run import Outcome, Rule, Verdict, judge
from benchmarks.gates.streams import Case, Stream
from benchmarks.gates.twin import Terms

STABLE = (0.97, 0.90, 0.80)
RPS = (0.2, 2.0, 50.0)
WEIGHTS = (0.05, 0.25)
POLICIES = ("argo95", "argo5m", "flagger99", "MWpeek", "MWonce", "zPeek", "mSPRT", "LM")


def others(stream: Stream, stable: float) -> dict[str, Ints]:
    """Ask every other policy: the look at which it rolls back, -1 for never."""
    answers = (
        rivals.threshold(stream, 0.95),
        rivals.threshold(stream, stable - 0.05, every=5),
        rivals.flagger(stream),
        mannwhitney.peeked(stream),
        mannwhitney.once(stream),
        rivals.peeked_z(stream),
        rivals.msprt(stream),
        rivals.labels(stream),
    )
    return dict(zip(POLICIES, answers, strict=True))


def ours(bench: Bench, stream: Stream, case: Case) -> Outcome:
    """Ask the statistical gate with the product's defaults."""
    terms = Terms(case.margin, case.stable)
    return judge(stream, bench.make(terms, stream.repetitions), Rule.of(terms))


def run(bench: Bench) -> Section:
    """Run the 36 scenarios."""
    rng = bench.rng(1)
    rows: list[list[str]] = []
    found: list[tuple[str, Estimate]] = []
    most = dict.fromkeys(POLICIES, 0.0)
    for incident, stable, rps, weight in product((False, True), STABLE, RPS, WEIGHTS):
        case = Case(stable, rps=rps, weight=weight, incident=incident)
        stream = case.draw(rng, bench.repetitions)
        shares = {name: float((at >= 0).mean()) for name, at in others(stream, stable).items()}
        outcome = ours(bench, stream, case)
        found.append((str(case), mean(outcome.are(Verdict.ROLLED_BACK))))
        most = {name: max(most[name], share) for name, share in shares.items()}
        rows.append([str(case), *map(percent, shares.values()), *_own(outcome)])
    last = max(estimate.value for _, estimate in found)
    rows.append(["worst of all", *map(percent, most.values()), percent(last), "", "", ""])
    head = ["stable, rps, weight", *POLICIES, "ours", "promoted", "waiting", "median min"]
    title = f"No regression: false rollbacks in % ({bench.repetitions} repetitions)"
    goal = worst("G1", "false rollback of a good version", found, 0.05)
    return Section(title, (table(head, rows),), (goal,))


def _own(outcome: Outcome) -> list[str]:
    shares = (
        outcome.share(one) for one in (Verdict.ROLLED_BACK, Verdict.PROMOTED, Verdict.WAITING)
    )
    return [*map(percent, shares), minutes(outcome.median_minute(Verdict.PROMOTED))]


def rolled_back(at: Ints, stream: Stream) -> Outcome:
    """Read another policy's answer as an outcome; it promotes what it never rolled back."""
    hit = at >= 0
    minute = np.where(hit, (at + 1) * stream.minutes, stream.looks * stream.minutes)
    asked = stream.requests1.cumsum(axis=0)
    requests = np.take_along_axis(asked, np.where(hit, at, -1)[None], axis=0)[0]
    verdict = np.where(hit, Verdict.ROLLED_BACK, Verdict.PROMOTED)
    return Outcome(verdict, minute, requests.astype(float))
