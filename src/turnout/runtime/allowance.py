"""How many questions a minute one namespace may have put to metrics providers."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from turnout.errors import MetricsUnavailable

MINUTE: Final = timedelta(minutes=1)


class Allowance:
    """Counts the questions of each namespace; who has asked enough waits, and nobody else."""

    def __init__(self, most: int) -> None:
        """Let each namespace ask so many questions a minute; 0 is any number."""
        self._most = most
        self._asked: dict[str, deque[datetime]] = {}

    def take(self, namespace: str, now: datetime) -> None:
        """Count a question.

        Raises:
            MetricsUnavailable: The namespace has asked as many as it may.
        """
        if self._most == 0:
            return
        if namespace not in self._asked:
            self._forget(now)
        asked = self._asked.setdefault(namespace, deque())
        while asked and now - asked[0] >= MINUTE:
            asked.popleft()
        if len(asked) >= self._most:
            raise MetricsUnavailable(
                "TooManyQueries",
                f"namespace {namespace} has asked {self._most} questions within a minute, as many "
                "as the administrator allows (metricsQueries.perNamespace); fewer metrics, or a "
                "longer gate.interval, ask less",
            )
        asked.append(now)

    def _forget(self, now: datetime) -> None:
        """Drop namespaces that asked nothing lately."""
        self._asked = {
            name: asked for name, asked in self._asked.items() if asked and now - asked[-1] < MINUTE
        }
