"""What an operator at rest asks of the API server: nothing but its watches and its Lease.

Two hundred Agents are stable on a light cluster, the operator runs under the chart's account, and
the API server's audit log is counted for some minutes.

    .venv/bin/python -m benchmarks.idle [--agents 200] [--minutes 5]
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.table import count
from devcluster import golang
from devcluster.progress import Progress
from tests.chart.helm import Helm
from tests.chart.people import OPERATOR
from tests.operator.stage import Stage, set_up
from tests.support.audit import AuditLog, Request
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import agent, metric, prompt
from turnout.adapters.documents import AGENT

NAMESPACE = "idle"
BATCH = 40
QUIET = 10.0
"""Seconds without a write after which the fleet counts as at rest."""


def deploy(admin: Kubectl, agents: int) -> None:
    """Apply the Agents and wait until each is Healthy."""
    admin.run("create", "namespace", NAMESPACE)
    fleet = [agent(replicas=1) for _ in range(agents)]
    for number, one in enumerate(fleet):
        one["metadata"]["name"] = f"agent-{number}"
    admin.apply(prompt(), metric())
    for first in range(0, agents, BATCH):
        admin.apply(*fleet[first : first + BATCH])

    def healthy() -> bool:
        phases = [(one.get("status") or {}).get("phase") for one in admin.list(AGENT.resource)]
        return phases == ["Healthy"] * agents

    eventually(f"{agents} agents are Healthy", healthy, timeout=300, pause=1)


def settle(stage: Stage) -> None:
    """Wait until the operator has written nothing for a while."""

    def quiet() -> bool:
        log = AuditLog(stage.cluster)
        time.sleep(QUIET)
        return not any(one.writes for one in _asked(log))

    eventually("the fleet is at rest", quiet, timeout=120)


def _asked(log: AuditLog) -> list[Request]:
    return [one for one in log.requests(user=OPERATOR) if not one.keeps_the_lease]


def tabulate(requests: list[Request]) -> str:
    """Lay out how many requests of each verb there were, and which should not have been."""
    verbs = Counter(one.verb for one in requests)
    watches = verbs.pop("watch", 0)
    named = [(verb, verbs.pop(verb, 0), 0) for verb in ("get", "list", "create", "patch", "delete")]
    others = [(verb, number, 0) for verb, number in sorted(verbs.items())]
    table = count([*named, *others, ("watch", watches, None)])
    listed = [
        f"{one.at} {one.verb} {one.resource} {one.namespace}/{one.name}"
        for one in requests
        if one.verb != "watch"
    ]
    return "\n".join([table, *listed])


def main() -> int:
    """Print the table; the exit code says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5)
    asked = parser.parse_args()
    progress = Progress(1)
    golang.build(["helm"], progress)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        helm = Helm(str(golang.binary("helm")), directory / "helm")
        with set_up("idle", helm, directory) as stage, stage.operator("idle") as operator:
            operator.await_lead()
            deploy(Kubectl(stage.cluster, NAMESPACE), asked.agents)
            settle(stage)
            log = AuditLog(stage.cluster)
            time.sleep(60 * asked.minutes)
            requests = _asked(log)
    print(f"{asked.agents} Agents at rest for {asked.minutes:g} minutes, by the audit log")
    print(tabulate(requests))
    return int(any(one.verb != "watch" for one in requests))


if __name__ == "__main__":
    sys.exit(main())
