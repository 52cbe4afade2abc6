"""What the operator tells of itself: structured log lines and Prometheus metrics."""

import logging
import sys
from functools import cache, partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from turnout import __version__
from turnout.runtime.budget_series import BudgetSeries
from turnout.runtime.series import AgentSeries
from turnout.settings import Settings

_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def set_up_logging(settings: Settings) -> None:
    """Write every line, kopf's and the libraries' too, in one format to standard output."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            final,
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    logging.getLogger("kopf").setLevel(logging.WARNING)
    # That it leaves signals alone in its own thread is meant, and not worth a warning.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)


class Telemetry:
    """The operator's own metrics, all named ``turnout_*``; those of an Agent are in `agents`.

    Attributes:
        budgets: What they tell of error budgets.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        gauge = partial(Gauge, registry=registry)
        counter = partial(Counter, registry=registry)
        self.agents = AgentSeries(registry)
        self.budgets = BudgetSeries(registry)
        gauge("turnout_build_info", "Always 1.", ("version",)).labels(__version__).set(1)
        self.leader = gauge("turnout_leader", "1 where this process leads.")
        self.reconciles = counter(
            "turnout_reconcile_total", "Looks at an object by result.", ("kind", "result")
        )
        self.duration = Histogram(
            "turnout_reconcile_duration_seconds",
            "Time of one look.",
            ("kind",),
            buckets=_FAST,
            registry=registry,
        )
        self.queue_depth = gauge("turnout_queue_depth", "Objects that are due.")
        self.queue_age = gauge(
            "turnout_queue_oldest_age_seconds",
            "How long the object that waits longest has been due.",
        )
        self.requests = counter(
            "turnout_kubernetes_requests_total",
            "Requests to the API server.",
            ("verb", "resource", "code"),
        )
        self.queries = counter(
            "turnout_metric_queries_total",
            "Questions to metrics providers by outcome.",
            ("provider", "outcome"),
        )
        self._looks = cache(self._look_series)
        self.watch_restarts = counter("turnout_watch_restarts_total", "Restarts of the watches.")
        self.lag = gauge("turnout_event_loop_lag_seconds", "How late the loop turns.")

    def _look_series(self, kind: str, result: str) -> tuple[Counter, Histogram]:
        return self.reconciles.labels(kind, result), self.duration.labels(kind)

    def note_look(self, kind: str, result: str, took: float) -> None:
        """Count one look at an object, and the seconds that it took."""
        looks, duration = self._looks(kind, result)
        looks.inc()
        duration.observe(took)

    def count_request(self, verb: str, resource: str, code: int) -> None:
        """Count one request to the API server; code 0 where no answer came."""
        self.requests.labels(verb, resource, str(code)).inc()

    def count_query(self, provider: str, outcome: str) -> None:
        """Count one question to a metrics provider."""
        self.queries.labels(provider, outcome).inc()
