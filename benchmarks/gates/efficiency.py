"""How many candidate requests evidence costs, beside the least that any test needs (GATES 2.3)."""

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.gates import rivals
from benchmarks.gates.arrays import Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.nulls import rolled_back
from benchmarks.gates.report import Estimate, Section, mean, percent, table, worst
from benchmarks.gates.run import Outcome, Rule, Verdict, judge
from benchmarks.gates.streams import Stream, draw, named
from benchmarks.gates.twin import Terms

LOOKS_PER_BOUND = 15
LOOKS = 20 * LOOKS_PER_BOUND
FAILS = (
    (0.97, 0.02, 0.05),
    (0.97, 0.05, 0.05),
    (0.97, 0.10, 0.05),
    (0.97, 0.30, 0.05),
    (0.97, 0.97, 0.05),
    (0.97, 0.05, 0.25),
    (0.97, 0.05, 0.50),
    (0.90, 0.10, 0.25),
    (0.80, 0.02, 0.05),
    (0.80, 0.05, 0.05),
    (0.80, 0.10, 0.05),
    (0.80, 0.30, 0.05),
)
PASSES = (
    (0.97, 0.02, 0.05),
    (0.97, 0.02, 0.25),
    (0.90, 0.05, 0.25),
    (0.80, 0.05, 0.05),
    (0.80, 0.10, 0.05),
)


@dataclass(frozen=True)
class Setting:
    """Stable's rate, the drop or margin, and the candidate's share of the traffic."""

    stable: float
    gap: float
    weight: float

    @property
    def odds(self) -> float:
        """Stable requests for one of the candidate."""
        return (1 - self.weight) / self.weight

    def name(self, gap: str) -> str:
        """Write it as a row's name."""
        return f"{self.stable:.2f}, {gap}, {100 * self.weight:g} %"

    def fail_bound(self) -> float:
        """Least candidate requests to show at 95 % that the candidate is worse."""
        own = self.stable - self.gap
        null = self.weight * own + (1 - self.weight) * self.stable
        return math.log(20) / (_kl(own, null) + self.odds * _kl(self.stable, null))

    def pass_bound(self) -> float:
        """Least candidate requests to show at 95 % that an equal one is not worse by the margin."""
        steps = np.linspace(self.stable, min(self.stable + self.gap, 1 - 1e-9), 20001)[1:-1]
        distance = [_kl(self.stable, b - self.gap) + self.odds * _kl(self.stable, b) for b in steps]
        return math.log(20) / min(distance)

    def draw(self, rng: np.random.Generator, bound: float, drop: float, count: int) -> Stream:
        """Draw looks that hold a fifteenth of the bound each, and a request at least."""
        rates = [np.full((LOOKS, 1), rate) for rate in (self.stable - drop, self.stable)]
        size = max(bound / LOOKS_PER_BOUND, 1.0)
        return draw(rng, (rates[0], rates[1]), (size, size * self.odds), count, 1.0)


def _kl(truth: float, model: float) -> float:
    terms = ((truth, model), (1 - truth, 1 - model))
    return sum(one * math.log(one / other) for one, other in terms if one > 0)


def run(bench: Bench) -> Section:
    """Run both sides."""
    fails, found = _fails(bench)
    passes, ratios = _passes(bench)
    small = [one for one in found if " -2," in one[0]]
    total = [one for one in found if " total," in one[0]]
    others = [one for one in found if one not in small and one not in total]
    what = "mean requests / bound, "
    targets = (
        worst("G4", what + "drops of 5 to 30 points", others, 1.9),
        worst("G4", what + "drop of 2 points", small, 2.2),
        worst("G4", what + "total break", total, 3.0),
        worst("G4", what + "pass", ratios, 1.35),
    )
    title = f"Candidate requests / bound: mean (median), {bench.fewer} repetitions"
    return Section(title, (fails, passes), targets)


def _fails(bench: Bench) -> tuple[str, list[tuple[str, Estimate]]]:
    rng = bench.rng(5)
    rows: list[list[str]] = []
    found: list[tuple[str, Estimate]] = []
    for setting in (Setting(*one) for one in FAILS):
        bound = setting.fail_bound()
        stream = setting.draw(rng, bound, setting.gap, bench.fewer)
        terms = Terms(setting.gap, setting.stable, passes=False)
        rule = Rule(minutes=math.inf)
        outcome = judge(stream, bench.make(terms, stream.repetitions), rule)
        found.append(
            (setting.name(named(setting.gap, setting.stable)), mean(outcome.requests / bound))
        )
        answers: list[Ints] = [rivals.labels(stream), rivals.msprt(stream)]
        rest = [rolled_back(at, stream) for at in answers]
        cells = [_ratio(one, bound) for one in (outcome, *rest)]
        undecided = percent(outcome.share(Verdict.WAITING))
        rows.append(
            [setting.name(named(setting.gap, setting.stable)), f"{bound:.1f}", *cells, undecided]
        )
    head = ["fail: stable, drop, weight", "bound", "ours", "LM", "mSPRT", "undecided %"]
    return table(head, rows), found


def _passes(bench: Bench) -> tuple[str, list[tuple[str, Estimate]]]:
    rng = bench.rng(6)
    rows: list[list[str]] = []
    found: list[tuple[str, Estimate]] = []
    for setting in (Setting(*one) for one in PASSES):
        bound = setting.pass_bound()
        terms = Terms(setting.gap, setting.stable)
        rule = Rule(minutes=0, requests=0, fails=False)
        outcomes: list[Outcome] = []
        for drop in (0.0, setting.gap):
            stream = setting.draw(rng, bound, drop, bench.fewer)
            outcomes.append(judge(stream, bench.make(terms, stream.repetitions), rule))
        equal, on_margin = outcomes
        found.append((setting.name(f"margin {100 * setting.gap:g}"), mean(equal.requests / bound)))
        wrong = percent(on_margin.share(Verdict.PROMOTED))
        rows.append(
            [
                setting.name(f"margin {100 * setting.gap:g}"),
                f"{bound:.1f}",
                _ratio(equal, bound),
                wrong,
            ]
        )
    head = ["pass: stable, margin, weight", "bound", "ours", "passed on the margin %"]
    return table(head, rows), found


def _ratio(outcome: Outcome, bound: float) -> str:
    ratios = outcome.requests / bound
    return f"{ratios.mean():.2f} ({np.median(ratios):.2f})"
