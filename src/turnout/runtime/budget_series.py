"""What the metrics tell of error budgets: exactly, where the status tells rounded numbers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from turnout.adapters.documents import Ref
from turnout.core.budget import Spending
from turnout.core.objectives import Measured, Pledge, measured

_WHOSE: Final = ("namespace", "agent", "objective")

_Series = tuple[Gauge, tuple[str, ...]]


class BudgetSeries:
    """The metrics of error budgets: what is not known has no series, nor has who is gone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._remaining = Gauge(
            "turnout_error_budget_remaining_ratio",
            "Part of an objective's error budget that is left.",
            _WHOSE,
            registry=registry,
        )
        self._rate = Gauge(
            "turnout_error_budget_burn_rate",
            "How many times as fast as allowed an error budget is used up, by window.",
            (*_WHOSE, "window"),
            registry=registry,
        )
        self._told: dict[Ref, frozenset[_Series]] = {}

    def tell(
        self,
        ref: Ref,
        pledges: tuple[Pledge, ...],
        spendings: Mapping[str, Spending],
        now: datetime,
    ) -> None:
        """Tell what is known of an Agent's error budgets."""
        values: dict[_Series, float] = {}
        for pledge in pledges:
            name = pledge.objective.name
            exact = measured(pledge, spendings.get(name, {}), now)
            values |= self._values((ref.namespace, ref.name, name), exact)
        for (gauge, labels), value in values.items():
            gauge.labels(*labels).set(value)
        self._end(self._told.get(ref, frozenset()) - values.keys())
        self._told[ref] = frozenset(values)

    def forget(self, ref: Ref) -> None:
        """End the series of an Agent that is gone or has no objectives."""
        self._end(self._told.pop(ref, frozenset()))

    def _values(self, whose: tuple[str, ...], exact: Measured) -> dict[_Series, float]:
        """Give what is known of one budget, by its series."""
        rates: dict[_Series, float] = {
            (self._rate, (*whose, window)): rate
            for window, rate in exact.rates.items()
            if rate is not None
        }
        left = exact.remaining
        return rates if left is None else rates | {(self._remaining, whose): left}

    @staticmethod
    def _end(series: frozenset[_Series]) -> None:
        for gauge, labels in series:
            gauge.remove(*labels)
