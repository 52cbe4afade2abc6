"""Whole rollouts, 5 to 25 to 50 to 100 %, that step up while nothing is wrong (GATES 2.5)."""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchmarks.gates import rivals
from benchmarks.gates.arrays import Floats, Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.nulls import rolled_back
from benchmarks.gates.report import (
    Estimate,
    Section,
    Target,
    mean,
    minutes,
    percent,
    quantile,
    table,
)
from benchmarks.gates.run import Outcome, Rule, Verdict
from benchmarks.gates.streams import (
    INCIDENT_BEGINS,
    INCIDENT_DROP,
    INCIDENT_MINUTES,
    Stream,
    draw,
    named,
)
from benchmarks.gates.twin import Look, Terms
from turnout.core.sequential.bets import SUSPICIOUS

STABLE, MARGIN = 0.97, 0.02
WEIGHTS = np.array([0.05, 0.25, 0.50])
STEP_MINUTES, STEP_REQUESTS = 5, 30
LONGEST = 120


@dataclass(frozen=True)
class Truth:
    """What a rollout meets: requests a second, the candidate's drop, a provider incident."""

    rps: float
    drop: float = 0.0
    incident: bool = False

    @override
    def __str__(self) -> str:
        what = named(self.drop, STABLE) if self.drop else "same"
        return f"{self.rps:g} rps, {what}{' + incident' if self.incident else ''}"


CASES = (
    Truth(2),
    Truth(2, incident=True),
    *(Truth(2, drop) for drop in (0.02, 0.05, 0.10, 0.30, STABLE)),
    Truth(50),
    *(Truth(50, drop) for drop in (0.02, 0.05, 0.10, STABLE)),
    Truth(0.5),
    *(Truth(0.5, drop) for drop in (0.05, 0.10, STABLE)),
)


@dataclass
class Course:
    """Where each rollout stands.

    Attributes:
        step: Number of the weight in use.
        since: Minute in which it came into use.
        step_requests: Candidate requests since then.
        requests: Candidate requests in all.
        began: Minute before the candidate's first request; after the end where none came.
    """

    step: Ints
    since: Floats
    step_requests: Floats
    requests: Floats
    began: Floats

    @classmethod
    def start(cls, count: int) -> "Course":
        """Begin at the first weight."""
        since, step_requests, requests = np.zeros((3, count))
        began = np.full(count, float(LONGEST))
        return cls(np.zeros(count, dtype=np.int64), since, step_requests, requests, began)

    def take(self, rows: Ints, requests: Floats, now: float) -> None:
        """Count the requests of the minute that ends now."""
        first = rows[(self.requests[rows] == 0) & (requests > 0)]
        self.began[first] = now - 1
        self.step_requests[rows] += requests
        self.requests[rows] += requests

    def raise_weight(self, rows: Ints, now: float) -> None:
        """Step up where a step has lasted long enough and has been asked enough."""
        done = (now - self.since[rows] >= STEP_MINUTES) & (self.step[rows] < len(WEIGHTS) - 1)
        up = rows[done & (self.step_requests[rows] >= STEP_REQUESTS)]
        self.step[up] += 1
        self.since[up] = now
        self.step_requests[up] = 0


def run(bench: Bench) -> Section:
    """Run the rollouts."""
    rng = bench.rng(11)
    outcomes = {str(truth): _rollouts(bench, rng, truth) for truth in CASES}
    rows: list[list[str]] = []
    for truth in CASES:
        outcome = outcomes[str(truth)]
        rival = _tuned(rng, truth, bench.fewer)
        rows.append([str(truth), *_cells(outcome), *_extra(outcome, rival, truth)])
    head = [
        "rps, truth",
        "promoted %@min",
        "rolled back %@min",
        "held %",
        "extra failures",
        "tuned threshold",
        "its misses %",
    ]
    title = f"Rollouts 5, 25, 50, 100 %, .97, margin 2 ({bench.fewer} repetitions)"
    return Section(title, (table(head, rows),), _targets(outcomes))


def _rollouts(bench: Bench, rng: np.random.Generator, truth: Truth) -> Outcome:
    """Simulate rollouts in which the weight follows from the evidence, minute by minute."""
    count = bench.fewer
    terms = Terms(MARGIN, STABLE)
    rule = Rule.of(terms)
    process, course = bench.make(terms, count), Course.start(count)
    verdict, minute = np.zeros(count, dtype=np.int64), np.full(count, float(LONGEST))
    began = rng.uniform(0, INCIDENT_BEGINS, count)
    alive = np.arange(count)
    for now in range(1, LONGEST + 1):
        shared = truth.incident & (now - 1 >= began) & (now - 1 < began + INCIDENT_MINUTES)
        lost: Floats = np.where(shared[alive], INCIDENT_DROP, 0.0)
        look = _minute(rng, truth, lost, WEIGHTS[course.step[alive]])
        process.look(alive, look, 1.0)
        course.take(alive, look.good1 + look.bad1, now)
        worse, safe = rule.apply(process, alive, now - course.began, course.requests)
        verdict[alive] = np.where(worse, Verdict.ROLLED_BACK, np.where(safe, Verdict.PROMOTED, 0))
        minute[alive[worse | safe]] = now
        alive = alive[~(worse | safe)]
        course.raise_weight(alive[process.log_fail[alive] < SUSPICIOUS], now)
        if not alive.size:
            break
    return Outcome(verdict, minute, course.requests)


def _minute(rng: np.random.Generator, truth: Truth, shared: Floats, weight: Floats) -> Look:
    rates = np.maximum(STABLE - shared - truth.drop, 0.0), STABLE - shared
    sizes = 60 * truth.rps * weight, 60 * truth.rps * (1 - weight)
    kinds = [
        size * part for size, rate in zip(sizes, rates, strict=True) for part in (rate, 1 - rate)
    ]
    good1, bad1, good0, bad0 = (rng.poisson(kind).astype(float) for kind in kinds)
    return Look(good1, bad1, good0, bad0)


def _tuned(rng: np.random.Generator, truth: Truth, count: int) -> Outcome:
    """Judge steps of twenty minutes by the tuned threshold."""
    weights = np.repeat(WEIGHTS, 20)[:, None]
    rates = np.full((60, 1), STABLE - truth.drop), np.full((60, 1), STABLE)
    size = 60 * truth.rps
    stream: Stream = draw(rng, rates, (size * weights, size * (1 - weights)), count, 1.0)
    return rolled_back(rivals.threshold(stream, STABLE - 0.05, every=5), stream)


def _cells(outcome: Outcome) -> list[str]:
    ends = (Verdict.PROMOTED, Verdict.ROLLED_BACK)
    shares = [
        f"{percent(outcome.share(one))}@{minutes(outcome.median_minute(one))}" for one in ends
    ]
    return [*shares, percent(outcome.share(Verdict.WAITING))]


def _extra(outcome: Outcome, rival: Outcome, truth: Truth) -> list[str]:
    """Count failed requests that stable would not have had, until the verdict."""
    if not truth.drop:
        return ["0", "0", "-"]
    extra = [f"{truth.drop * one.requests.mean():.1f}" for one in (outcome, rival)]
    return [*extra, percent(1 - rival.share(Verdict.ROLLED_BACK))]


def _targets(outcomes: dict[str, Outcome]) -> tuple[Target, ...]:
    found: list[Target] = []
    for truth in (Truth(2), Truth(2, incident=True)):
        outcome = outcomes[str(truth)]
        promoted = outcome.are(Verdict.PROMOTED)
        minute = quantile(outcome.minute[promoted], 0.5) if promoted.any() else Estimate(LONGEST)
        found += [
            Target("G6", f"{truth}: promoted", mean(promoted), 0.97, least=True),
            Target("G6", f"{truth}: median minute of promotion", minute, 35),
        ]
    for drop, latest, most in ((0.05, 15, 15), (0.10, 8, 8), (STABLE, 1, 8)):
        truth = Truth(2, drop)
        outcome = outcomes[str(truth)]
        rolled = outcome.are(Verdict.ROLLED_BACK)
        minute = quantile(outcome.minute[rolled], 0.5) if rolled.any() else Estimate(LONGEST)
        found += [
            Target("G6", f"{truth}: rolled back", mean(rolled), 0.99, least=True),
            Target("G6", f"{truth}: median minute of rollback", minute, latest),
            Target("G6", f"{truth}: extra failures", mean(drop * outcome.requests), most),
        ]
    return tuple(found)
