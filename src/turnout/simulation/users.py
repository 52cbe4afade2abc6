"""Those who ask, answered as the truth says; and what it cost them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from turnout.api.gate import GateMetric, GateMetricType
from turnout.simulation.chance import arrivals, successes
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
        candidate: Name of the version that is tried; None before it is there.
    """

    truth: Truth
    random: Random
    counted: str
    began: float = math.inf
    candidate: str | None = None
    account: Account = field(default_factory=Account)

    def ask(self, version: str, share: float, span: Span, metrics: Sequence[str]) -> Answers:
        """Ask one version for its share of the requests of a time."""
        at = span[0] - self.began
        number = arrivals(self.random, self.truth.rate * share * (span[1] - span[0]))
        is_new = version == self.candidate
        find = self.truth.candidate_share if is_new else self.truth.stable_share
        good = {one: successes(self.random, number, find(one, at)) for one in metrics}
        if at >= 0:
            self._note(number, number - good.get(self.counted, number), at, is_new=is_new)
        return Answers(number, {one: float(many) for one, many in good.items()})

    def _note(self, number: int, failed: int, at: float, *, is_new: bool) -> None:
        truth, metric, so_far = self.truth, self.counted, self.account
        drop = truth.stable_share(metric, at) - truth.candidate_share(metric, at)
        self.account = Account(
            so_far.asked + number * is_new,
            so_far.failed + failed,
            so_far.excess + number * is_new * drop,
        )


def counted(gate_metrics: Sequence[GateMetric]) -> str:
    """Name the metric whose requests that are not good are called failed: the first of success."""
    of_success = (one for one in gate_metrics if one.type is not GateMetricType.LATENCY)
    return next(of_success, gate_metrics[0]).name
