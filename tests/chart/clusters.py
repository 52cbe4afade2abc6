"""A light cluster for the chart, and the moment from which its policies hold."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from devcluster import Cluster, down, up
from devcluster.paths import default_name
from tests.chart.helm import NAMESPACE
from tests.chart.objects import Rollout, agent
from tests.chart.people import Person, eventually


@contextmanager
def light_cluster(suffix: str) -> Iterator[Cluster]:
    """A light cluster with an empty namespace for the operator, under the restricted standard."""
    name = f"{default_name('light')}-{suffix}"
    down(name)
    try:
        admin = Person(up("light", name))
        admin.does("create", "namespace", NAMESPACE)
        enforced = "pod-security.kubernetes.io/enforce=restricted"
        admin.does("label", "namespace", NAMESPACE, enforced)
        yield admin.cluster
    finally:
        down(name)


def await_policies(admin: Person, operator: Person, namespace: str = "default") -> None:
    """Wait until the API server has taken up the admission policies, each by what it refuses."""
    probe, other = Rollout(namespace), Rollout(namespace, number=2)
    operator.creates(probe.manifest())
    status = '--patch={"status":{"phase":"Promoted"}}'
    refused = (
        ("create", "--filename=-"),
        probe.patch(pause={"by": "nobody"}),
        ("patch", *probe.where, "--subresource=status", "--type=merge", status),
    )
    dry, manifest = "--dry-run=server", json.dumps(other.manifest())
    eventually(
        lambda: not any(admin.succeeds(*words, dry, stdin=manifest) for words in refused),
        "the admission policies",
    )
    beside = json.dumps(agent("kube-system"))
    eventually(
        lambda: not admin.succeeds("create", "--filename=-", dry, stdin=beside),
        "the admission policy about places",
    )
    admin.does("delete", *probe.where)
