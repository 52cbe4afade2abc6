"""Fifty golden tasks: which suites of a candidate are blocked, which pass (GATES 2.6)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv
from scipy.stats import t as student
from typing_extensions import override

from benchmarks.gates.arrays import Bools, Floats, Ints
from benchmarks.gates.bench import Bench
from benchmarks.gates.report import Estimate, Section, Target, difference, mean, percent, table
from benchmarks.gates.suites import Course
from benchmarks.gates.trials import Trials
from turnout.api.rollout_status import Verdict
from turnout.core.suites import counts
from turnout.core.suites.verdict import Suite

TASKS, MEAN = 50, 0.85
SPREAD = 4.0
"""Tasks differ as a beta distribution's quantiles do whose parameters add up to this."""
ONE_SHOT = 5
RECORDED = 20
FEWEST = 2
"""Trials of each task before the first verdict."""
NAMES = tuple(f"task-{number}" for number in range(TASKS))
CERTAIN = float(np.log(20))


@dataclass(frozen=True)
class Rule:
    """How a suite is judged round by round.

    Attributes:
        margin: Largest drop of the suite's mean.
        rounds: Most trials of a task.
        recorded: Against stored trials of the baseline, not against trials run beside.
    """

    margin: float
    rounds: int
    recorded: bool

    def begun(self, stored: list[int] | None) -> Course:
        """Begin a suite as production judges it.

        Args:
            stored: Stored trials that passed, task by task; None where the baseline runs beside.
        """
        suite = Suite(NAMES, margin=self.margin, fewest=FEWEST, most=self.rounds)
        if stored is None:
            return Course(suite, None)
        passed = zip(NAMES, stored, strict=True)
        return Course(suite, {name: counts.Trials(one, RECORDED - one) for name, one in passed})

    @override
    def __str__(self) -> str:
        kind = "recorded" if self.recorded else "paired"
        return f"{kind} k<={self.rounds} margin {100 * self.margin:g}"


PAIRED_5, PAIRED_20 = Rule(0.05, 5, recorded=False), Rule(0.05, 20, recorded=False)
RECORDED_20, RECORDED_10 = Rule(0.05, 20, recorded=True), Rule(0.10, 10, recorded=True)
RULES = (PAIRED_5, PAIRED_20, RECORDED_20, RECORDED_10)


@dataclass(frozen=True)
class Result:
    """What became of each suite: blocked, passed, and after how many trials."""

    blocked: Bools
    passed: Bools
    trials: Floats

    @override
    def __str__(self) -> str:
        undecided = ~(self.blocked | self.passed)
        shares = (100 * float(one.mean()) for one in (self.blocked, self.passed, undecided))
        return "/".join(f"{one:.3g}" for one in shares) + f" ({self.trials.mean():.0f})"


def suites() -> dict[str, tuple[Floats, Floats]]:
    """Make the suites: rates of the baseline's tasks and of the candidate's."""
    levels = (np.arange(TASKS) + 0.5) / TASKS
    rates = betaincinv(SPREAD * MEAN, SPREAD * (1 - MEAN), levels)
    base: Floats = rates + MEAN - rates.mean()
    middle = int(np.abs(base - MEAN).argmin())

    def changed(first: int, count: int, to: Callable[[Floats], Floats]) -> Floats:
        rates: Floats = base.copy()
        rates[first : first + count] = to(rates[first : first + count])
        return rates

    mixed = changed(0, 5, lambda rates: rates + 0.2)
    mixed[middle : middle + 5] -= 0.2
    candidates = {
        "-0": base,
        "-5 spread": base * (MEAN - 0.05) / MEAN,
        "-10 spread": base * (MEAN - 0.10) / MEAN,
        "-5: 3 tasks broken": changed(middle - 1, 3, np.zeros_like),
        "-10: 6 tasks broken": changed(middle - 3, 6, np.zeros_like),
        "5 better, 5 worse": mixed,
    }
    return {name: (base, candidate) for name, candidate in candidates.items()}


def run(bench: Bench) -> Section:
    """Run all suites by all rules."""
    rng = bench.rng(14)
    rows: list[list[str]] = []
    found: dict[tuple[str, Rule], Result] = {}
    apart = 0.0
    for name, (base, candidate) in suites().items():
        cells = _one_shots(rng, base, candidate, bench.repetitions)
        for rule in RULES:
            found[name, rule], most = _sequential(bench, rng, (base, candidate), rule)
            apart = max(apart, most)
            cells.append(str(found[name, rule]))
        rows.append([name, *cells])
    head = [
        "one shot: % blocked",
        ">= 85 %",
        ">= 80 %",
        ">= baseline run",
        "unpaired z",
        "paired t",
        *(str(rule) for rule in RULES),
    ]
    title = (
        f"Evals: 50 tasks, baseline .85 ({bench.repetitions} repetitions); by rounds: "
        "blocked/passed/undecided % (mean trials)"
    )
    agrees = Target(
        "twin", "evals: difference of log evidence, or of a verdict", Estimate(apart), 1e-9
    )
    return Section(title, (table(head, rows), _again(rows)), (*_targets(found), agrees))


def _again(rows: list[list[str]]) -> str:
    """Tell what a bar is worth when the suite is run again."""
    at_mean, lower = (float(rows[number][place]) / 100 for number, place in ((0, 1), (1, 2)))
    cells = [
        ["bar 85 %: two runs of an equal one disagree", percent(2 * at_mean * (1 - at_mean))],
        ["bar 80 %: -5 spread passes one of three runs", percent(1 - lower**3)],
    ]
    return table(["one shot, and again", "%"], cells)


def _one_shots(rng: np.random.Generator, base: Floats, candidate: Floats, count: int) -> list[str]:
    """Judge one run of five trials a task in the ways that are usual."""
    other = rng.binomial(ONE_SHOT, base, (count, TASKS)) / ONE_SHOT
    own = rng.binomial(ONE_SHOT, candidate, (count, TASKS)) / ONE_SHOT
    gaps, own_mean, other_mean = other - own, own.mean(axis=1), other.mean(axis=1)
    pooled = (own_mean + other_mean) / 2
    z = gaps.mean(axis=1) / np.sqrt(2 * pooled * (1 - pooled) / (TASKS * ONE_SHOT))
    t = gaps.mean(axis=1) / (gaps.std(axis=1, ddof=1) / np.sqrt(TASKS))
    tiny = 1e-9
    blocked = (
        own_mean < MEAN - tiny,
        own_mean < MEAN - 0.05 - tiny,
        own_mean < other_mean - tiny,
        z > 1.6448536269514722,
        t > student.ppf(0.95, TASKS - 1),
    )
    return [percent(float(one.mean())) for one in blocked]


def _sequential(
    bench: Bench, rng: np.random.Generator, rates: tuple[Floats, Floats], rule: Rule
) -> tuple[Result, float]:
    """Run rounds until each suite is decided; tells how far production's evidence was off."""
    base, candidate = rates
    count = bench.repetitions
    stored = rng.binomial(RECORDED, base, (count, TASKS))
    means = stored / RECORDED
    blocked, passed = np.zeros((2, count), dtype=bool)
    trials = np.full(count, float(rule.rounds * TASKS))
    book = Trials(rule.margin, RECORDED - stored if rule.recorded else None, (count, TASKS))
    beside = [
        rule.begun(stored[one].tolist() if rule.recorded else None)
        for one in range(bench.followed(count))
    ]
    alive: Ints = np.arange(count)
    apart = 0.0
    for number in range(1, rule.rounds + 1):
        shape = (alive.size, TASKS)
        own = (rng.random(shape) < candidate).astype(float)
        other = means[alive] if rule.recorded else (rng.random(shape) < base).astype(float)
        book.take(alive, other, own)
        logs = book.worse(alive, RECORDED), book.safe(alive)
        worse, safe = (log >= CERTAIN for log in logs)
        if number < FEWEST:
            worse = safe = np.zeros(alive.size, dtype=bool)
        ruled = np.where(worse, Verdict.FAIL, np.where(safe, Verdict.PASS, Verdict.CONTINUE))
        apart = max(apart, _follow(beside, alive, (other, own), (*logs, ruled)))
        blocked[alive], passed[alive] = worse, safe & ~worse
        trials[alive[worse | safe]] = number * TASKS
        alive = alive[~(worse | safe)]
    return Result(blocked, passed, trials), apart


def _follow(
    beside: list[Course],
    alive: Ints,
    outcomes: tuple[Floats, Floats],
    told: tuple[Floats, Floats, np.ndarray],
) -> float:
    """Let the production gate take the same round; gives the largest difference.

    Args:
        beside: Suites as production follows them.
        alive: Which are still undecided.
        outcomes: What the baseline's and the candidate's trials scored.
        told: The twin's evidence, worse and safe, and its verdicts; another one of production is
            an endless difference.
    """
    apart = 0.0
    for place in np.flatnonzero(alive < len(beside)).tolist():
        suite = beside[alive[place]]
        suite.take(outcomes[0][place].tolist(), outcomes[1][place].tolist())
        for ours, theirs in zip(told[:2], suite.evidence(), strict=True):
            apart = max(apart, difference(float(ours[place]), theirs))
        if suite.verdict() != told[2][place]:
            apart = np.inf
    return apart


def _targets(found: dict[tuple[str, Rule], Result]) -> list[Target]:
    targets: list[Target] = []
    for rule, worse, limits in (
        (RECORDED_10, "-10 spread", (0.03, 0.03, 0.02, 160)),
        (RECORDED_20, "-5 spread", (0.05, 0.05, 0.10, 430)),
    ):
        good, bad = found["-0", rule], found[worse, rule]
        figures = (
            ("an equal one blocked", mean(good.blocked)),
            (f"{worse} passed", mean(bad.passed)),
            ("an equal one undecided", mean(~(good.blocked | good.passed))),
            ("mean trials of an equal one", mean(good.trials)),
        )
        targets += [
            Target("G8", f"evals {rule}: {what}", estimate, limit)
            for (what, estimate), limit in zip(figures, limits, strict=True)
        ]
    return targets
