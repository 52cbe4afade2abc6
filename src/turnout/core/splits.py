"""Whether the arms count as many requests as their weights say.

A candidate that dies before it counts looks well: of what it lost nothing is known. What is known
is that too little was counted. Nobody is blamed and nothing taken back: callers may as well reach
stable past the gateway. The rollout waits until what is counted can be believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from turnout.api.base import seconds
from turnout.api.gate import Gate, GateMetric, GateMetricType, OnRegression
from turnout.api.metric import Unit
from turnout.api.rollout import AgentRollout
from turnout.core.ledger import NOTHING, Entry, Ledger
from turnout.core.looks import Window
from turnout.core.route import uses_route
from turnout.core.scale import FULL
from turnout.core.sequential.split import is_split_off
from turnout.core.statistical import STEP_SECONDS
from turnout.core.world import World


@dataclass(frozen=True)
class Split:
    """How requests were split at the present weight, as one metric counted them.

    Attributes:
        metric: The metric.
        weight: The candidate's weight in percent.
        candidate: Requests that the candidate counted.
        stable: Requests that stable counted.
        is_off: Chance and all that is allowed do not explain it.
    """

    metric: str
    weight: int
    candidate: float
    stable: float
    is_off: bool

    @property
    def said(self) -> str:
        """What was counted, in a few words."""
        total = self.candidate + self.stable
        share = 100.0 * self.candidate / total
        return (
            f"{share:.1f}% of {total:.0f} requests are the candidate's, its weight is "
            f"{self.weight}%"
        )

    @property
    def message(self) -> str:
        """The same with what may be the cause, and the mend."""
        causes = (
            "the candidate fails before it counts, or callers reach stable past the gateway"
            if self.candidate * (FULL - self.weight) < self.stable * self.weight
            else "stable fails before it counts, or the candidate counts a request more than once"
        )
        return (
            f"{self.metric}: the traffic split is off: {self.said}; {causes} "
            "(gate.onSplitOff: Record goes on all the same)"
        )


def split_of(world: World, rollout: AgentRollout, ledger: Ledger, changed: float) -> Split | None:
    """Tell how requests are split, by the metric that shows it worst; None where none can tell.

    Only a gateway splits every request by itself: behind a Service it is connections that are
    split, and a few of them stay with one pod for hours.

    Args:
        world: What was observed.
        rollout: The running rollout.
        ledger: What was counted.
        changed: Unix seconds from which on requests count for the present weight.
    """
    weights, gate = rollout.status.weights, rollout.spec.gate
    if weights is None or not gate.is_statistical or not uses_route(world):
        return None
    if not 0 < weights.desired < FULL or weights.observed != weights.desired:
        return None
    found = counted_at(gate, ledger, changed, weights.desired)
    return max(found, key=lambda one: one.is_off, default=None)


def counted_at(gate: Gate, ledger: Ledger, changed: float, weight: int) -> list[Split]:
    """Tell how requests were split since the weight changed, by each metric that counts them."""
    least = min(STEP_SECONDS, seconds(gate.least_duration))
    entries = ((one, ledger.get(one.name, NOTHING)) for one in gate.metrics)
    return [
        _split(metric.name, entry.windows[-1], weight)
        for metric, entry in entries
        if _counts_requests(metric, entry.unit) and _is_told(entry, changed, least)
    ]


def _is_told(entry: Entry, changed: float, least: float) -> bool:
    """Claim that requests at this weight were counted, and for long enough."""
    last = entry.windows[-1] if entry.windows else None
    if last is None or last.start < changed or last.end - changed < least:
        return False
    return last.candidate.total + last.stable.total > 0.0


def _counts_requests(metric: GateMetric, unit: Unit | None) -> bool:
    """Claim that each arm counts once what the gateway sends it once."""
    if metric.type is not GateMetricType.SUCCESS_RATE or metric.action is OnRegression.RECORD:
        return False
    return unit not in {Unit.CALL, Unit.SESSION}


def _split(metric: str, window: Window, weight: int) -> Split:
    candidate, stable = window.candidate.total, window.stable.total
    off = is_split_off(candidate, stable, weight / FULL, window.end - window.start)
    return Split(metric, weight, candidate, stable, off)
