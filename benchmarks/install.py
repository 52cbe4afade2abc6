"""From `helm install` to an operator that answers, on a warm cluster with a node.

Usable means: a RolloutStrategy applied right after Helm returned has a condition of the operator's.
Helm is told to wait, as a person would; the image is on the node already.

    .venv/bin/python -m benchmarks.install [--times 5]
"""

import argparse
import sys
import time
from typing import Any

import devcluster
from benchmarks.table import show
from demo import stage as demo_stage
from demo.stage import OPERATOR_NAMESPACE, Stage
from devcluster.paths import default_name
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import GATE, kind, strategy

GOAL = 60.0
RESOURCE = "rolloutstrategies.turnout.dev"


def shared_strategy() -> dict[str, Any]:
    """Write the smallest object that the operator has an answer to."""
    spec = {"strategy": strategy([{"setWeight": 50}]), "gate": GATE}
    return kind("RolloutStrategy", "probe", spec)


def measure(stage: Stage, times: int) -> tuple[list[float], list[float]]:
    """Install so often; returns when Helm came back, and when the operator had answered."""
    admin = Kubectl(stage.cluster, "default")
    returned: list[float] = []
    usable: list[float] = []
    for _ in range(times):
        stage.tools.helm("uninstall", "turnout", "--namespace", OPERATOR_NAMESPACE, "--wait")
        admin.run("delete", RESOURCE, "--all")
        began = time.monotonic()
        demo_stage.install(stage.cluster, stage.tools)
        returned.append(time.monotonic() - began)
        admin.apply(shared_strategy())
        eventually("an answer", lambda: admin.status(RESOURCE, "probe").get("conditions"), GOAL)
        usable.append(time.monotonic() - began)
    return returned, usable


def main() -> int:
    """Print the table; the exit code says whether the goal was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    name = default_name("bench-install")
    try:
        returned, usable = measure(demo_stage.set_up(name), asked.times)
    finally:
        devcluster.down(name)
    print(show([("helm install --wait", returned, GOAL), ("helm install -> usable", usable, GOAL)]))
    return int(max(usable) >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
