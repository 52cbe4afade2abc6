"""What a fleet of canaries costs, and how soon those that turn bad are taken back.

    python -m benchmarks.fleet --agents 200 [--idle 5000] [--interval 5s] [--out table.txt]

A light cluster whose pods are KWOK's, N Agents in twenty namespaces, each with a canary at 25 %
that stays there; one success rate each, judged every interval, from a real Prometheus that scrapes
the counters of all pods every second. Then half the candidates turn bad: each begins to fail every
request at a moment of its own, spread over one interval, for all gates look at the same instants.

The exit code is not 0 where a goal is missed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.fleet.agents import Fleet, Sight, begin_canaries, deploy, spread
from benchmarks.fleet.counters import Counters
from benchmarks.fleet.results import Results
from benchmarks.fleet.usage import Usage, watch_usage
from devcluster import golang, serve_prometheus
from devcluster.progress import Progress
from tests.chart.helm import ROOT, Helm
from tests.operator.stage import Stage, set_up
from tests.support.audit import AuditLog
from tests.support.operator import OperatorProcess

SETTLE: Final = 50.0
"""Seconds after the last weight: by then the first verdicts are written."""

PATIENCE: Final = 45.0
"""Seconds after the last candidate turned bad within which all must be back."""


def measure(
    stage: Stage, operator: OperatorProcess, counters: Counters, fleet: Fleet, seconds: float
) -> Results:
    """Deploy a fleet, watch what it costs, and let half of its candidates turn bad."""
    timeout = 120 + 0.6 * (fleet.agents + fleet.idle)
    with Sight(stage.cluster, counters) as sight:
        _say(f"{fleet.agents + fleet.idle} Agents are deployed")
        deploy(stage.cluster, fleet, timeout)
        _say("the canaries begin")
        begin_canaries(stage.cluster, fleet, sight, timeout)
        _say(f"all have their weight; it is quiet for {SETTLE:g} s")
        time.sleep(SETTLE)
        _say(f"measuring for {seconds:g} s; process {operator.process}")
        usage = watch_usage(operator, AuditLog(stage.cluster), seconds)
        _say("half of the candidates turn bad")
        return _react(fleet, sight, counters, usage)


def _react(fleet: Fleet, sight: Sight, counters: Counters, usage: Usage) -> Results:
    bad = fleet.half()
    good = set(fleet.names()) - set(bad)
    interval = float(fleet.interval.removesuffix("s"))
    began = time.time() + 1
    moments = dict(spread(bad, began, interval))
    for (namespace, name), at in moments.items():
        counters.spoil(namespace, sight.pods[namespace, name], at)
    deadline = began + interval + PATIENCE
    while time.time() < deadline and not all(sight.moved(one, moments[one]) for one in bad):
        time.sleep(0.5)
    time.sleep(2 * interval)  # what is hurt beside them shows by then
    back = {one: sight.moved(one, moments[one]) for one in bad}
    return Results(
        fleet,
        usage,
        back=[at - moments[one] for one, at in back.items() if at is not None],
        turned=len(bad),
        hurt=sum(sight.moved(one, began) is not None for one in good),
    )


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def _where() -> str:
    """Say when this was, at which commit, and how busy the machine was."""
    words = ("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=7")
    commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    loads = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M}Z, commit {commit}, load {loads}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=200, help="Agents with a canary")
    parser.add_argument("--idle", type=int, default=0, help="Agents that rest beside them")
    modes = ("Threshold", "Statistical")
    parser.add_argument("--mode", choices=modes, default=modes[0], help="how the gate judges")
    parser.add_argument("--interval", choices=("5s", "10s"), default="10s", help="of its looks")
    parser.add_argument("--seconds", type=float, default=120, help="how long the cost is measured")
    parser.add_argument("--out", type=Path, help="file for the table")
    return parser


def main() -> int:
    """Print the table; the exit code says whether the goals were met."""
    asked = _parser().parse_args()
    fleet = Fleet(asked.agents, asked.idle, asked.mode, asked.interval)
    golang.build(["helm"], Progress(1))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kept = directory / "prometheus"
        kept.mkdir()
        helm = Helm(str(golang.binary("helm")), directory / "helm")
        with (
            Counters() as counters,
            serve_prometheus(kept, [counters.address]) as prometheus,
            set_up("fleet", helm, directory) as stage,
        ):
            provider = {"url": prometheus.url, "scrapeInterval": "1s"}
            with stage.operator("fleet", metrics={"default": provider}) as operator:
                operator.await_lead()
                results = measure(stage, operator, counters, fleet, asked.seconds)
    beside = f" beside {fleet.idle} idle Agents" if fleet.idle else ""
    title = f"{fleet.agents} canaries{beside}, {fleet.mode}, every {fleet.interval}; {_where()}"
    text = f"{title}\n\n{results}"
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")
    return int(not results.met)


if __name__ == "__main__":
    sys.exit(main())
