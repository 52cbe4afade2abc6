"""What an operator's process uses over some time, seen from outside it."""

import os
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from tests.chart.people import OPERATOR
from tests.support.audit import AuditLog
from tests.support.operator import OperatorProcess

_TICKS: Final = os.sysconf("SC_CLK_TCK")
QUERIES: Final = "turnout_metric_queries_total"
LOOKS: Final = "turnout_gate_window_delay_seconds"


@dataclass(frozen=True)
class Usage:
    """What was used.

    Attributes:
        seconds: How long it was watched.
        cpu: Seconds of processor time.
        resident: Most memory that it held at a time, in MiB.
        requests: Requests to the API server by verb, without those for the Lease.
        queries: Questions to Prometheus.
        windows: Windows that were judged.
        late: Upper bound of the delay, in seconds, that 99 % of them did not exceed.
    """

    seconds: float
    cpu: float
    resident: float
    requests: Mapping[str, int]
    queries: float
    windows: float
    late: float


def watch_usage(operator: OperatorProcess, log: AuditLog, seconds: float) -> Usage:
    """Watch a process for so long; the log must begin now."""
    assert isinstance(operator.process, subprocess.Popen)
    pid = operator.process.pid
    before, began, resident = _told(operator), time.monotonic(), 0.0
    cpu = _cpu(pid)
    while time.monotonic() < began + seconds:
        time.sleep(1)
        resident = max(resident, _resident(pid))
    cpu, took = _cpu(pid) - cpu, time.monotonic() - began
    requests = [one for one in log.requests(user=OPERATOR) if not one.keeps_the_lease]
    told = {key: value - before.get(key, 0) for key, value in _told(operator).items()}
    return Usage(
        seconds=took,
        cpu=cpu,
        resident=resident,
        requests=Counter(one.verb for one in requests),
        queries=sum(value for (name, _), value in told.items() if name == QUERIES),
        windows=told.get((f"{LOOKS}_count", ""), 0),
        late=_quantile(0.99, told),
    )


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [size] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(size) / 1024


def _told(operator: OperatorProcess) -> dict[tuple[str, str], float]:
    """Read the operator's own metrics by name and bucket."""
    told: defaultdict[tuple[str, str], float] = defaultdict(float)
    for family in text_string_to_metric_families(operator.endpoint("metrics") or ""):
        for sample in family.samples:
            told[sample.name, sample.labels.get("le", "")] += sample.value
    return told


def _quantile(share: float, told: Mapping[tuple[str, str], float]) -> float:
    """Give the bound of the first bucket that holds so large a share."""
    buckets = sorted(
        (float(bound), count) for (name, bound), count in told.items() if name == f"{LOOKS}_bucket"
    )
    every = buckets[-1][1] if buckets else 0
    return next((bound for bound, count in buckets if every and count >= share * every), -1.0)
