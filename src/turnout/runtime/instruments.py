"""What metrics are read with."""

from dataclasses import dataclass

from turnout.runtime.budgets import Budgets
from turnout.runtime.drifts import Drifts
from turnout.runtime.readings import Gauge


@dataclass(frozen=True)
class Instruments:
    """What metrics are read with.

    Attributes:
        gauge: Both arms of a rollout.
        budgets: Whole services that have objectives.
        drifts: Stable versions at rest that are watched.
    """

    gauge: Gauge
    budgets: Budgets
    drifts: Drifts
