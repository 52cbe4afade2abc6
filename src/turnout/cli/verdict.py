"""The gate's table: both values of each metric, what was counted, and the windows one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.text import Text

from turnout.api.rollout import AgentRollout, MetricStatus, Verdict, Window
from turnout.cli.rows import aligned
from turnout.cli.screen import Marks
from turnout.cli.times import since
from turnout.core.gates import bar_of

_STYLES: Final = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.CONTINUE: ""}
_HEADS: Final = ("GATE", "candidate", "stable", "bar", "verdict")


def gate_lines(rollout: AgentRollout, now: datetime, marks: Marks) -> Iterator[Text]:
    """Write the table; nothing before the gate was asked."""
    gate = rollout.status.gate
    if gate is None or not gate.metrics:
        return
    shown = "evidence" if rollout.spec.gate.is_statistical else "windows"
    cells = (_cells(rollout, one, marks) for one in gate.metrics)
    heads, *rows = aligned([(*_HEADS, shown), *cells])
    age = since(gate.checkpointed_at, now)
    yield Text.assemble((heads, "bold"), (f"   written {age} ago" if age else "", "dim"))
    for metric, row in zip(gate.metrics, rows, strict=True):
        yield Text(row, _STYLES.get(metric.verdict, ""))
        if metric.reads:
            yield Text(f"    reads {metric.reads}", "dim")
        if metric.unit:
            yield Text(f"    counts by {metric.unit}", "dim")
        if metric.noise:
            yield Text(f"    counts scatter {metric.noise} times as much as by chance", "dim")
    if gate.split:
        yield Text(f"  split: {gate.split}", "dim")


def _cells(rollout: AgentRollout, metric: MetricStatus, marks: Marks) -> tuple[str, ...]:
    return (
        f"  {metric.name}",
        _share(metric.candidate, metric.candidate_requests),
        _share(metric.stable, metric.stable_requests),
        _bar(metric.bar),
        metric.verdict.value,
        _evidence(metric) or "".join(_sign(rollout, metric, one, marks) for one in metric.windows),
    )


def _bar(bar: str | None) -> str:
    """Write what the candidate is held to: a share must not be lower, a cost not higher."""
    if bar is None:
        return "-"
    return f"at {'most' if '+' in bar else 'least'} {bar}"


def _evidence(metric: MetricStatus) -> str | None:
    """Write the evidence of Statistical mode, and how much is still needed."""
    if metric.evidence_worse is None or metric.evidence_safe is None:
        return None
    needed = metric.more_requests_needed
    more = f", about {needed} requests to go" if needed else ""
    return f"worse {metric.evidence_worse}, safe {metric.evidence_safe}{more}"


def _share(value: str | None, requests: int) -> str:
    return f"{value} of {requests}" if value and requests else "-"


def _sign(rollout: AgentRollout, metric: MetricStatus, window: Window, marks: Marks) -> str:
    """Show one window: good, bad, or with too few requests to be either."""
    gate = rollout.spec.gate
    total = float(window.candidate_total)
    asked = next((one for one in gate.metrics if one.name == metric.name), None)
    if total < gate.least_requests or asked is None:
        return marks.few
    good = float(window.candidate_good) / total >= bar_of(asked)
    return marks.done if good else marks.bad
