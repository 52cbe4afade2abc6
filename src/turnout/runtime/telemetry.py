"""What the operator tells of itself: structured log lines and Prometheus metrics.

Series of an Agent end with the Agent; versions appear as labels for live arms only.
"""

import logging
import sys
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from turnout import __version__
from turnout.adapters.documents import Ref
from turnout.api.agent import AgentPhase
from turnout.api.rollout import RolloutPhase
from turnout.core.decide import Outcome
from turnout.core.phase import has_ended
from turnout.settings import Settings

_AGENT: Final = ("namespace", "agent")
_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LONG: Final = (60, 300, 900, 1800, 3600, 7200, 21600, 86400)


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
    """The operator's own metrics, all named ``turnout_*``."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        build = Gauge("turnout_build_info", "Always 1.", ("version",), registry=registry)
        build.labels(__version__).set(1)
        self.leader = Gauge("turnout_leader", "1 where this process leads.", registry=registry)
        self.reconciles = Counter(
            "turnout_reconcile_total",
            "Looks at an object by result.",
            ("kind", "result"),
            registry=registry,
        )
        self.duration = Histogram(
            "turnout_reconcile_duration_seconds",
            "Time of one look.",
            ("kind",),
            buckets=_FAST,
            registry=registry,
        )
        self.queue_depth = Gauge("turnout_queue_depth", "Objects that are due.", registry=registry)
        self.queue_age = Gauge(
            "turnout_queue_oldest_age_seconds",
            "How long the object that waits longest has been due.",
            registry=registry,
        )
        self.requests = Counter(
            "turnout_kubernetes_requests_total",
            "Requests to the API server.",
            ("verb", "resource", "code"),
            registry=registry,
        )
        self.queries = Counter(
            "turnout_metric_queries_total",
            "Questions to metrics providers by outcome.",
            ("provider", "outcome"),
            registry=registry,
        )
        self.watch_restarts = Counter(
            "turnout_watch_restarts_total", "Restarts of the watches.", registry=registry
        )
        self.lag = Gauge(
            "turnout_event_loop_lag_seconds", "How late the loop turns.", registry=registry
        )
        self.orphans = Gauge(
            "turnout_orphaned_agents",
            "Agents whose objects stay because a guard forbids to remove them.",
            registry=registry,
        )
        self.collection_stopped = Gauge(
            "turnout_collection_stopped",
            "1 where so many Agents went at once that an administrator is asked.",
            registry=registry,
        )
        self._phase = Gauge(
            "turnout_agent_phase", "1 for the present phase.", (*_AGENT, "phase"), registry=registry
        )
        self._weight = Gauge(
            "turnout_traffic_weight_ratio",
            "Share of the traffic by version.",
            (*_AGENT, "version", "state"),
            registry=registry,
        )
        self._decisions = Counter(
            "turnout_decisions_total",
            "Decisions that changed something, by rule.",
            (*_AGENT, "rule"),
            registry=registry,
        )
        self._rollouts = Counter(
            "turnout_rollouts_total",
            "Rollouts that ended.",
            (*_AGENT, "outcome", "cause"),
            registry=registry,
        )
        self._rollout_duration = Histogram(
            "turnout_rollout_duration_seconds",
            "Time from beginning to end of a rollout.",
            ("outcome",),
            buckets=_LONG,
            registry=registry,
        )
        self._last: dict[Ref, tuple[str, ...]] = {}

    def count_request(self, verb: str, resource: str, code: int) -> None:
        """Count one request to the API server; code 0 where no answer came."""
        self.requests.labels(verb, resource, str(code)).inc()

    def count_query(self, provider: str, outcome: str) -> None:
        """Count one question to a metrics provider."""
        self.queries.labels(provider, outcome).inc()

    def notice(self, ref: Ref, outcome: Outcome) -> None:
        """Note a decision about an Agent."""
        agent = (ref.namespace, ref.name)
        for phase in AgentPhase:
            self._phase.labels(*agent, phase.value).set(phase is outcome.phase)
        if outcome.decision.actions:
            self._decisions.labels(*agent, outcome.decision.rule).inc()
        self._note_weights(ref, outcome)
        self._note_end(agent, outcome)

    def _note_weights(self, ref: Ref, outcome: Outcome) -> None:
        course = outcome.course
        live: tuple[str, ...] = ()
        if course.running and course.rollout is not None and course.status is not None:
            weights = course.status.weights
            version = course.rollout.spec.to.version
            if weights is not None:
                desired = self._weight.labels(ref.namespace, ref.name, version, "desired")
                desired.set(weights.desired / 100)
                observed = self._weight.labels(ref.namespace, ref.name, version, "observed")
                observed.set(weights.observed / 100)
                live = (version,)
        for gone in set(self._last.get(ref, ())) - set(live):
            for state in ("desired", "observed"):
                self._weight.remove(ref.namespace, ref.name, gone, state)
        self._last[ref] = live

    def _note_end(self, agent: tuple[str, str], outcome: Outcome) -> None:
        rollout, status = outcome.course.rollout, outcome.course.status
        if rollout is None or status is None or not has_ended(status.phase):
            return
        if has_ended(rollout.status.phase):
            return
        phase: RolloutPhase = status.phase
        self._rollouts.labels(*agent, phase.value, status.reason or "").inc()
        if status.started_at is not None and status.finished_at is not None:
            took = (status.finished_at - status.started_at).total_seconds()
            self._rollout_duration.labels(phase.value).observe(took)

    def forget(self, ref: Ref) -> None:
        """End the series of an Agent that is gone."""
        if ref not in self._last:
            return
        for gone in self._last.pop(ref):
            for state in ("desired", "observed"):
                self._weight.remove(ref.namespace, ref.name, gone, state)
        for phase in AgentPhase:
            self._phase.remove(ref.namespace, ref.name, phase.value)
