"""Those who ask, answered as the truth says; and what it cost them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from turnout.api.gate import GateMetric, GateMetricType
from turnout.simulation.chance import arrivals, spending, successes
from turnout.simulation.life import Answers, Span
from turnout.simulation.truth import Truth


@dataclass(frozen=True)
class Account:
    """What users paid, between the rollout's beginning and its end.

    Attributes:
        asked: Requests to the candidate.
        failed: Requests that failed, whoever answered.
        excess: How many of them would not have, on average, had stable answered all.
    """

    asked: int = 0
    failed: int = 0
    excess: float = 0.0


@dataclass
class Users:
    """Those who ask: as often as the truth says, and answered as it says.

    Attributes:
        counted: The metric by which a request failed.
        costs: Metrics that are an amount, not a share.
        candidate: Name of the version that is tried; None before it is there.
    """

    truth: Truth
    random: Random
    counted: str
    costs: frozenset[str] = frozenset()
    began: float = math.inf
    candidate: str | None = None
    account: Account = field(default_factory=Account)

    def ask(self, version: str, share: float, span: Span, metrics: Sequence[str]) -> Answers:
        """Ask one version for its share of the requests of a time."""
        at = span[0] - self.began
        number = arrivals(self.random, self.truth.rate * share * (span[1] - span[0]))
        is_new = version == self.candidate
        found = {one: self._told(one, number, at, is_new=is_new) for one in metrics}
        if at >= 0:
            self._note(number, found, at, is_new=is_new)
        return Answers(number, found)

    def _told(self, metric: str, number: int, at: float, *, is_new: bool) -> float:
        """Draw what a metric tells of some answers: how many were good, or what they cost."""
        truth = self.truth
        if metric in self.costs:
            cost = truth.candidate_cost if is_new else truth.stable_cost
            return spending(self.random, number, cost(metric, at))
        share = truth.candidate_share if is_new else truth.stable_share
        return float(successes(self.random, number, share(metric, at)))

    def _note(self, number: int, found: Mapping[str, float], at: float, *, is_new: bool) -> None:
        truth, metric, so_far = self.truth, self.counted, self.account
        failed, drop = 0, 0.0
        if metric not in self.costs:
            failed = round(number - found.get(metric, number))
            drop = truth.stable_share(metric, at) - truth.candidate_share(metric, at)
        self.account = Account(
            so_far.asked + number * is_new,
            so_far.failed + failed,
            so_far.excess + number * is_new * drop,
        )


def counted(gate_metrics: Sequence[GateMetric]) -> str:
    """Name the metric whose requests that are not good are called failed: the first of success."""
    others = {GateMetricType.LATENCY, GateMetricType.COST_PER_SUCCESS}
    of_success = (one for one in gate_metrics if one.type not in others)
    return next(of_success, gate_metrics[0]).name


def costs(gate_metrics: Sequence[GateMetric]) -> frozenset[str]:
    """Name the metrics that are an amount."""
    cost = GateMetricType.COST_PER_SUCCESS
    return frozenset(one.name for one in gate_metrics if one.type is cost)
