"""How fast the operator reacts: apply to first candidate pod, abort to route weight 0.

Both are measured from outside, on a real API server with KWOK's pods: the time at which
``kubectl``'s request returned against the time at which a watch saw the effect.

    .venv/bin/python -m benchmarks.reaction [--changes 20]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.table import show
from devcluster import Cluster, down, up
from devcluster.paths import default_name
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import agent, metric, prompt, strategy
from tests.support.operator import OperatorProcess
from tests.support.watching import Watch
from turnout.adapters.documents import AGENT_ROLLOUT, PROMPT

APPLY_GOAL = 1.0
ABORT_GOAL = 0.5
NAMESPACE = "reaction"


def measure(cluster: Cluster, changes: int) -> tuple[list[float], list[float]]:
    """Change the prompt again and again, and abort each rollout once it has traffic."""
    admin = Kubectl(cluster, NAMESPACE)
    admin.run("create", "namespace", NAMESPACE)
    steps: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {}}]
    admin.apply(prompt(), metric(), agent(strategy=strategy(steps, scaleDownDelay="1s")))
    admin.await_phase("Healthy", timeout=60)
    with Watch(cluster, NAMESPACE) as watch:
        runs = [_one(admin, watch, number) for number in range(changes)]
    return [run[0] for run in runs], [run[1] for run in runs]


def _one(admin: Kubectl, watch: Watch, number: int) -> tuple[float, float]:
    stable = admin.status("agents.turnout.dev", "support")["stable"]["version"]
    changed = time.time()
    admin.api.merge(
        PROMPT.path(NAMESPACE, "support-system"), {"spec": {"text": f"Text number {number}."}}
    )
    made = eventually("a candidate's pod", lambda: watch.first_pod(since=changed, but=stable))
    candidate = made.version
    eventually("traffic for the candidate", lambda: watch.weight(candidate) == 25, 60)
    rollout = eventually("the rollout's object", lambda: watch.rollout(candidate))
    aborted = time.time()
    abort = {"spec": {"abort": {"by": "benchmark", "reason": "measured"}}}
    admin.api.merge(AGENT_ROLLOUT.path(NAMESPACE, rollout), abort)
    back = eventually("weight 0", lambda: watch.weight_since(candidate, 0, aborted))
    eventually("the end", lambda: admin.phase() == "RolledBack")
    return made.at - changed, back - aborted


def main() -> int:
    """Print the table; the exit code says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    name = f"{default_name('light')}-reaction"
    cluster = up("light", name=name)
    try:
        Kubectl(cluster, "default").run("apply", "-f", "crds")
        with (
            tempfile.TemporaryDirectory() as directory,
            OperatorProcess(cluster.kubeconfig, Path(directory)),
        ):
            applied, aborted = measure(cluster, asked.changes)
    finally:
        down(name)
    rows = [
        ("apply -> first candidate pod", applied, APPLY_GOAL),
        ("abort -> route weight 0", aborted, ABORT_GOAL),
    ]
    print(show(rows))
    if asked.json:
        asked.json.write_text(json.dumps({label: times for label, times, _ in rows}))
    return int(any(statistics.median(times) >= goal for _, times, goal in rows))


if __name__ == "__main__":
    sys.exit(main())
