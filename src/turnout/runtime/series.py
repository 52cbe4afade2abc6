"""What the metrics tell of Agents: their phases, weights, decisions and rollouts.

Series of an Agent end with the Agent; versions appear as labels for live arms only.
"""

import math
import time
from collections.abc import Iterator
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from turnout.adapters.documents import Ref
from turnout.api.agent import AgentPhase
from turnout.api.drift import DriftStatus
from turnout.api.rollout import AgentRolloutStatus, RolloutPhase
from turnout.core.decide import Outcome
from turnout.core.phase import has_ended

_AGENT: Final = ("namespace", "agent")
_SOON: Final = (0.5, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 20, 40)
_LONG: Final = (60, 300, 900, 1800, 3600, 7200, 21600, 86400)


class _Phases(Collector):
    """In which phase each Agent is: a series a phase, made when they are asked for.

    Kept ready they would be most of what is kept of an Agent that rests.
    """

    def __init__(self) -> None:
        self.of: dict[Ref, AgentPhase] = {}

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = GaugeMetricFamily(
            "turnout_agent_phase", "1 for the present phase.", labels=(*_AGENT, "phase")
        )
        for ref, phase in self.of.items():
            for one in AgentPhase:
                found.add_metric((ref.namespace, ref.name, one.value), one is phase)
        yield found


class AgentSeries:
    """The metrics of Agents, each series as long as its Agent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        counter = partial(Counter, registry=registry)
        self._phases = _Phases()
        registry.register(self._phases)
        self._drift = gauge(
            "turnout_agent_drift",
            "1 for how stable does beside how it was recorded to do.",
            (*_AGENT, "state", "attribution"),
        )
        self._weight = gauge(
            "turnout_traffic_weight_ratio",
            "Share of the traffic by version.",
            (*_AGENT, "version", "state"),
        )
        self._decisions = counter(
            "turnout_decisions_total",
            "Decisions that changed something, by rule.",
            (*_AGENT, "rule"),
        )
        self._rollouts = counter(
            "turnout_rollouts_total", "Rollouts that ended.", (*_AGENT, "outcome", "cause")
        )
        self._rollout_duration, self._window_delay = _times(registry)
        self.orphans = gauge(
            "turnout_orphaned_agents",
            "Agents whose objects stay because a guard forbids to remove them.",
        )
        self.collection_stopped = gauge(
            "turnout_collection_stopped",
            "1 where so many Agents went at once that an administrator is asked.",
        )
        self._drifts: dict[Ref, tuple[str, str]] = {}
        self._last: dict[Ref, tuple[str, ...]] = {}
        self._told: dict[Ref, AgentRolloutStatus | None] = {}
        self._judged: dict[Ref, dict[str, float]] = {}

    def notice(self, ref: Ref, outcome: Outcome) -> None:
        """Note a decision about an Agent."""
        agent = (ref.namespace, ref.name)
        self._phases.of[ref] = outcome.phase
        if outcome.decision.actions:
            self._decisions.labels(*agent, outcome.decision.rule).inc()
        self._note_drift(ref, outcome.drift)
        self._note_weights(ref, outcome)
        self._note_windows(ref, outcome)
        self._note_end(agent, outcome)

    def _note_drift(self, ref: Ref, told: DriftStatus | None) -> None:
        now = None if told is None else (told.state.value, told.attribution or "")
        before = self._drifts.get(ref)
        if before == now:
            return
        if before is not None:
            self._drift.remove(ref.namespace, ref.name, *before)
        self._drifts.pop(ref, None)
        if now is not None:
            self._drift.labels(ref.namespace, ref.name, *now).set(1)
            self._drifts[ref] = now

    def _note_weights(self, ref: Ref, outcome: Outcome) -> None:
        course = outcome.course
        if course.status is not None and self._told.get(ref) is course.status:
            return  # what did not change is the very same value
        self._told[ref] = course.status
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

    def _note_windows(self, ref: Ref, outcome: Outcome) -> None:
        """Note when the windows were judged that are new; those of a checkpoint are not."""
        before, now = self._judged.get(ref, {}), time.time()
        ends: dict[str, float] = {}
        for name, entry in outcome.ledger.items():
            if entry.end is None:
                continue
            ends[name] = entry.end
            if entry.end > before.get(name, math.inf):
                self._window_delay.observe(now - entry.end)
        self._judged[ref] = ends

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
        self._judged.pop(ref, None)
        self._note_drift(ref, None)
        self._phases.of.pop(ref, None)
        self._told.pop(ref, None)
        if ref not in self._last:
            return
        for gone in self._last.pop(ref):
            for state in ("desired", "observed"):
                self._weight.remove(ref.namespace, ref.name, gone, state)


def _times(registry: CollectorRegistry) -> tuple[Histogram, Histogram]:
    """Make the series of how long rollouts take, and of how late windows are judged."""
    rollout = Histogram(
        "turnout_rollout_duration_seconds",
        "Time from beginning to end of a rollout.",
        ("outcome",),
        buckets=_LONG,
        registry=registry,
    )
    delay = Histogram(
        "turnout_gate_window_delay_seconds",
        "How long after its end the newest window of a metric was judged.",
        buckets=_SOON,
        registry=registry,
    )
    return rollout, delay
