"""A metrics provider in memory: it scrapes pods, and can be cut off or stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from turnout.core.gates import Blind
from turnout.core.looks import Readings, Says, Series
from turnout.core.reasons import Reason
from turnout.simulation.cluster import Pod

Sample = tuple[float, float, Mapping[str, float]]


class Provider:
    """Keeps (time, requests, good requests per metric) of every pod that it scraped."""

    def __init__(self, kept: int) -> None:
        """Keep so many samples of each pod."""
        self.blind: Blind | None = None
        self.is_up = True
        self._kept = kept
        self._samples: dict[str, deque[Sample]] = {}

    def cut_off(self, message: str = "connection refused") -> None:
        """Cut the operator off from a provider that goes on scraping."""
        self.blind = Blind(Reason.METRICS_UNAVAILABLE, message)

    def stop(self) -> None:
        """Stop the provider itself: nothing is scraped until it is back."""
        self.cut_off()
        self.is_up = False

    def come_back(self) -> None:
        """Answer again, and scrape."""
        self.blind, self.is_up = None, True

    def scrape(self, now: float, pods: Mapping[str, Pod]) -> None:
        """Take a sample of each pod."""
        for name, pod in pods.items() if self.is_up else ():
            sample = (now, pod.total, dict(pod.good))
            self._samples.setdefault(name, deque(maxlen=self._kept)).append(sample)

    def readings(self, metrics: Mapping[str, Says]) -> dict[str, Readings | Blind]:
        """Tell what is known of each metric, and what its good ones stand for."""
        return {name: self.blind or self._said(name, says) for name, says in metrics.items()}

    def _said(self, metric: str, says: Says) -> Readings | Blind:
        found = self.reading(metric)
        return replace(found, says=says) if isinstance(found, Readings) else found

    def reading(self, metric: str) -> Readings | Blind:
        """Give the samples of one metric."""
        good, total = [], []
        for pod, samples in self._samples.items():
            good.append(Series(pod, tuple((at, many.get(metric, 0.0)) for at, _, many in samples)))
            total.append(Series(pod, tuple((at, many) for at, many, _ in samples)))
        return Readings(tuple(good), tuple(total))
