"""Traffic that deceives a test: changing weights, shared noise, dependent requests (GATES 2.4)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from benchmarks.gates import rivals
from benchmarks.gates.arrays import Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.learning import learned
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
from benchmarks.gates.run import Outcome, Rule, Verdict, judge
from benchmarks.gates.sessions import Sessions, noisy
from benchmarks.gates.streams import Case, Stream, draw
from benchmarks.gates.twin import Terms

CELLS = ((2.0, 0.05), (2.0, 0.25), (50.0, 0.05), (50.0, 0.25))
STEADY = np.full((60, 1), 0.97)
"""Success rate of an hour before a rollout."""
DEPENDENT_AT_LEAST = 30.0
"""Candidate requests a minute from which G11 holds."""


def run(bench: Bench) -> Section:
    """Run the traps for independent requests, and those for dependent ones."""
    shared, valid = _shared(bench)
    dependent, sessions = _dependent(bench)
    tables = (shared, _wrong_history(bench), _flapping(bench), dependent, _price(bench))
    title = f"Traps: false rollbacks in % ({bench.repetitions} repetitions)"
    return Section(title, tables, (valid, sessions))


def _fails(bench: Bench, stream: Stream, terms: Terms) -> Outcome:
    """Judge without promotions, so that the end of the stream is looked at, too."""
    terms = replace(terms, passes=False)
    return judge(stream, bench.make(terms, stream.repetitions), Rule.of(terms))


def _shared(bench: Bench) -> tuple[str, Target]:
    rng = bench.rng(8)
    rows: list[list[str]] = []
    found: list[tuple[str, Estimate]] = []
    for name, stream, terms in _shared_streams(rng, bench.repetitions):
        rolled = _fails(bench, stream, terms).are(Verdict.ROLLED_BACK)
        found.append((name, mean(rolled)))
        policies = (rivals.peeked_z, rivals.msprt, rivals.labels)
        rest = [percent(float((policy(stream) >= 0).mean())) for policy in policies]
        rows.append([name, *rest, percent(float(rolled.mean()))])
    head = ["both arms alike", "zPeek", "mSPRT", "LM", "ours"]
    return table(head, rows), worst("G2", "false rollback in traps", found, 0.05)


def _shared_streams(rng: np.random.Generator, count: int) -> Sequence[tuple[str, Stream, Terms]]:
    usual, low = Terms(0.02, 0.97), Case(0.97, rps=0.2)
    streams = [
        (f"weights 5, 25, 50 % and a dip, {rps:g} rps", _steps(rng, rps, count), usual)
        for rps in (2.0, 50.0)
    ]
    for rps, weight in ((0.2, 0.25), (2.0, 0.05), (50.0, 0.25)):
        name = f"p ~ U(.5, 1) each minute, {rps:g} rps, {100 * weight:g} %"
        streams.append((name, _uniform(rng, rps, weight, count), Terms(0.05, 0.75)))
    day = Case(0.97, minutes=1 / 6, looks=1440).draw(rng, count)
    for looks, name in ((1, "10 s"), (6, "1 min"), (30, "5 min")):
        streams.append((f"4 h, a look every {name}, 2 rps, 5 %", day.every(looks), usual))
    jumping = _jumping(rng, low, count)
    for looks, name in ((1, "10 s"), (6, "60 s")):
        streams.append((f"4 h, .97 and .67 in turn, 0.2 rps, {name}", jumping.every(looks), usual))
    return streams


def _steps(rng: np.random.Generator, rps: float, count: int) -> Stream:
    """Three steps of twenty minutes; in the last one both arms lose ten points."""
    weights = np.repeat([0.05, 0.25, 0.50], 20)[:, None]
    rate = np.repeat([0.97, 0.97, 0.87], 20)[:, None]
    size = 60 * rps
    return draw(rng, (rate, rate), (size * weights, size * (1 - weights)), count, 1.0)


def _uniform(rng: np.random.Generator, rps: float, weight: float, count: int) -> Stream:
    rate = rng.uniform(0.5, 1.0, (60, count))
    return draw(rng, (rate, rate), Case(0.75, rps=rps, weight=weight).sizes, count, 1.0)


def _jumping(rng: np.random.Generator, case: Case, count: int) -> Stream:
    """Look every ten seconds for four hours while both arms jump every five minutes."""
    rate = np.where(np.arange(1440) // 30 % 2 == 0, 0.97, 0.67)[:, None]
    size = replace(case, minutes=1 / 6).sizes
    return draw(rng, (rate, rate), size, count, 1 / 6)


def _wrong_history(bench: Bench) -> str:
    rng = bench.rng(9)
    rows = []
    for drop in (0.0, 0.10):
        stream = Case(0.85, drop, 2.0, 0.25).draw(rng, bench.fewer)
        outcome = _fails(bench, stream, Terms(0.05, 0.99))
        minute = minutes(outcome.median_minute(Verdict.ROLLED_BACK))
        rows.append([f"drop {100 * drop:g}", percent(outcome.share(Verdict.ROLLED_BACK)), minute])
    head = ["history says .99, .85 is true, 2 rps, 25 %", "rolled back %", "median min"]
    return table(head, rows)


def _flapping(bench: Bench) -> str:
    """Count how often what a rule says of an equal version changes within 60 looks."""
    rng = bench.rng(18)
    rows = []
    for stable in (0.97, 0.90, 0.80):
        case = Case(stable, rps=2.0, weight=0.25)
        stream = case.draw(rng, bench.fewer)
        asked, every = np.maximum(stream.requests1, 1), stream.requests0.cumsum(axis=0)
        low = stream.good1 / asked < stable - 0.02
        below = stream.good1.cumsum(axis=0) * every < asked.cumsum(axis=0) * (
            stream.good0.cumsum(axis=0)
        )
        verdict = _fails(bench, stream, Terms(case.margin, stable)).are(Verdict.ROLLED_BACK)
        changes = (np.abs(np.diff(one.astype(int), axis=0)).sum(axis=0) for one in (low, below))
        figures = [f"{float(one.mean()):.1f}" for one in changes]
        rows.append([f"{stable:.2f}", *figures, f"{float(verdict.mean()):.2f}"])
    head = ["changes in 60 looks, 2 rps, 25 %", "bar 2 points lower", "lower so far", "ours"]
    return table(head, rows)


def _dependent(bench: Bench) -> tuple[str, Target]:
    rng = bench.rng(10)
    rows: list[list[str]] = []
    found: list[tuple[str, Estimate]] = []
    worlds = (
        ("sessions of 5, ICC .3", Sessions(5, 0.3)),
        ("sessions of 10, ICC .5", Sessions(10, 0.5)),
    )
    for (world, sessions), (rps, weight) in product(worlds, CELLS):
        case = Case(0.97, rps=rps, weight=weight)
        stream = sessions.draw(rng, 0.97, case.sizes, (case.looks, bench.repetitions))
        before = sessions.draw(rng, 0.97, _halves(rps), (60, bench.repetitions))
        cells, rolled = _raw_and_learned(bench, stream, before)
        rows.append([f"{world}, {rps:g} rps, {100 * weight:g} %", *cells])
        if world.startswith("sessions of 5") and case.sizes[0] >= DEPENDENT_AT_LEAST:
            found.append((rows[-1][0], rolled))
    for weight in (0.05, 0.25):
        stream = noisy(rng, 0.97, Case(0.97, rps=50, weight=weight).sizes, (60, bench.repetitions))
        before = noisy(rng, 0.97, _halves(50.0), (60, bench.repetitions))
        cells, _ = _raw_and_learned(bench, stream, before)
        rows.append([f"noise of 2 points per arm and minute, 50 rps, {100 * weight:g} %", *cells])
    head = ["requests depend on each other", "zPeek", "LM", "ours, raw", "ours, noise learned"]
    return table(head, rows), worst("G11", "false rollback, sessions, noise learned", found, 0.05)


def _price(bench: Bench) -> str:
    """Tell what knowing the noise costs where there is none: a real drop is found later."""
    rng = bench.rng(19)
    rows = []
    for drop, (rps, weight) in product((0.05, 0.10), CELLS[:2]):
        case = Case(0.97, drop, rps, weight)
        stream = case.draw(rng, bench.fewer)
        before = draw(rng, (STEADY, STEADY), _halves(rps), bench.fewer, 1.0)
        terms = Terms(case.margin, case.stable)
        outcomes = (
            _fails(bench, stream, replace(terms, prior=one)) for one in (None, learned(before))
        )
        rows.append([str(case), *(_at(one) for one in outcomes)])
    return table(["clean requests, rolled back %@min", "raw", "noise learned"], rows)


def _at(outcome: Outcome) -> str:
    at = minutes(outcome.median_minute(Verdict.ROLLED_BACK))
    return f"{percent(outcome.share(Verdict.ROLLED_BACK))}@{at}"


def _halves(rps: float) -> tuple[float, float]:
    """Two groups of stable pods with half of the traffic each."""
    return 30 * rps, 30 * rps


def _raw_and_learned(bench: Bench, stream: Stream, before: Stream) -> tuple[list[str], Estimate]:
    terms = Terms(0.02, 0.97)
    raw = _fails(bench, stream, terms)
    outcome = _fails(bench, stream, replace(terms, prior=learned(before)))
    answers: list[Ints] = [rivals.peeked_z(stream), rivals.labels(stream)]
    rest = [percent(float((at >= 0).mean())) for at in answers]
    shares = [percent(one.share(Verdict.ROLLED_BACK)) for one in (raw, outcome)]
    return [*rest, *shares], mean(outcome.are(Verdict.ROLLED_BACK))
