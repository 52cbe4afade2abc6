"""Latency by bucket bounds, and several metrics under one gate (GATES 2.7)."""

from itertools import product
from math import exp

import numpy as np
from scipy.special import ndtr

from benchmarks.gates.arrays import Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.mixtures import Bounds, Metrics
from benchmarks.gates.nulls import rolled_back
from benchmarks.gates.report import Section, minutes, percent, table
from benchmarks.gates.rivals import first
from benchmarks.gates.run import Outcome, Process, Rule, Verdict, judge, row
from benchmarks.gates.streams import Case, Stream
from benchmarks.gates.twin import Terms

SIGMA = 0.8
"""Of the logarithm of a response time."""
SLOWEST = 11.0
"""Seconds: 95th percentile of stable."""
BOUNDS = (8.0, 13.0)
LATENCY_MARGIN = 0.03
P95_SIGMAS = 1.6448536269514722
CELLS = ((2.0, 0.05), (2.0, 0.25), (50.0, 0.05))
KINDS = 4


def run(bench: Bench) -> Section:
    """Run both."""
    title = f"Latency, several metrics ({bench.fewer} repetitions)"
    return Section(title, (_latency(bench), _several(bench)))


def _latency(bench: Bench) -> str:
    rng = bench.rng(15)
    rows = []
    for factor, (rps, weight) in product((1.0, 1.25, 1.5), CELLS):
        case = Case(0.0, rps=rps, weight=weight)
        streams = _timed(rng, case, factor, bench.fewer)
        terms = [Terms(LATENCY_MARGIN, float(_faster(1.0)[number])) for number in range(2)]
        bounds = Bounds(bench, terms, streams[1:], bench.fewer)
        outcome = judge(streams[0], bounds, Rule.of(terms[0]))
        rival = rolled_back(_p95(rng, streams[0], factor), streams[0])
        name = f"x{factor:g}, {rps:g} rps, {100 * weight:g} %"
        rows.append([name, _at(rival), _at(outcome), percent(outcome.share(Verdict.PROMOTED))])
    head = ["slower by, rps, weight", "p95 > 1.2 x history", "ours, 8 s and 13 s", "promoted %"]
    return table(head, rows)


def _faster(factor: float) -> tuple[float, float]:
    """Share of requests faster than each bound."""
    middle = SLOWEST / exp(SIGMA * P95_SIGMAS) * factor
    low, high = (float(ndtr(np.log(bound / middle) / SIGMA)) for bound in BOUNDS)
    return low, high


def _timed(rng: np.random.Generator, case: Case, factor: float, count: int) -> list[Stream]:
    """Draw requests below, between and above the bounds; one stream a bound."""
    parts: list[list[Ints]] = []
    for size, slower in zip(case.sizes, (factor, 1.0), strict=True):
        low, high = _faster(slower)
        shape = case.looks, count
        parts.append([rng.poisson(size * one, shape) for one in (low, high - low, 1 - high)])
    streams = []
    for bound in range(len(BOUNDS)):
        cut = bound + 1
        counts = [sum(side) for arm in parts for side in (arm[:cut], arm[cut:])]
        streams.append(Stream(np.stack([np.asarray(one) for one in counts]), case.minutes))
    return streams


def _p95(rng: np.random.Generator, stream: Stream, factor: float) -> Ints:
    """Roll back on the fourth minute whose 95th percentile is a fifth above history's.

    The rank's quantile of n uniform numbers is beta-distributed.
    """
    asked = stream.requests1
    rank = np.ceil(0.95 * asked)
    limit = ndtr((np.log(1.2 / factor) + SIGMA * P95_SIGMAS) / SIGMA)
    at = rng.beta(np.maximum(rank, 1), np.maximum(asked + 1 - rank, 1))
    failed = (asked > 0) & (at > limit)
    return first(failed.cumsum(axis=0) > 3)


def _at(outcome: Outcome) -> str:
    at = minutes(outcome.median_minute(Verdict.ROLLED_BACK))
    return f"{percent(outcome.share(Verdict.ROLLED_BACK))}@{at}"


def _several(bench: Bench) -> str:
    rng = bench.rng(16)
    rows = []
    for drop, count in ((0.0, bench.repetitions), (0.10, bench.fewer)):
        case = Case(0.97, rps=2.0, weight=0.25)
        worse = Case(0.97, drop, 2.0, 0.25)
        streams = [worse.draw(rng, count), *(case.draw(rng, count) for _ in range(KINDS - 1))]
        terms = Terms(case.margin, case.stable, passes=False)
        gate = Metrics(bench, [terms] * KINDS, streams[1:], count)
        together = judge(streams[0], gate, Rule.of(terms))
        loudest = _loudest([bench.make(terms, count) for _ in range(KINDS)], streams, terms)
        rows.append([f"-{100 * drop:g} in one of four", _at(together), _at(loudest)])
    return table(["2 rps, 25 %", "average of the evidence", "loudest, uncorrected"], rows)


def _loudest(processes: list[Process], streams: list[Stream], terms: Terms) -> Outcome:
    """Roll back as soon as one of the metrics alone says so."""
    count = streams[0].repetitions
    everyone, at = np.arange(count), np.full(count, -1)
    for number in range(streams[0].looks):
        hit = np.zeros(count, dtype=bool)
        for process, stream in zip(processes, streams, strict=True):
            process.look(everyone, row(stream, number, everyone), stream.minutes)
            hit |= (process.log_fail >= terms.certain) & (process.drop > terms.margin)
        at[(at < 0) & hit] = number
    return rolled_back(at, streams[0])
