"""Where these tests play: a light cluster with the chart on it, its people, and real metrics."""

import functools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from devcluster import Cluster
from tests.chart.clusters import await_policies, light_cluster
from tests.chart.helm import CHART, NAMESPACE, Helm
from tests.chart.people import OPERATOR, Person
from tests.support.kubectl import Kubectl, eventually
from tests.support.operator import ForkedOperator, OperatorProcess

APPROVERS: Final = ("bo", "cy")
EDITOR: Final = "ada"

PATIENT: Final = {"duration": "90s", "renewDeadline": "80s"}
"""Lease of an operator that nobody starts again: a machine that starves it for the usual ten
seconds ends it, which in a cluster the kubelet mends."""


@dataclass(frozen=True)
class Stage:
    """A cluster with the chart, and what an operator process needs to act under its account.

    Attributes:
        directory: Where kubeconfigs and logs of operators are kept.
        settings: Settings of every operator here.
    """

    cluster: Cluster
    directory: Path
    settings: dict[str, Any]

    @property
    def admin(self) -> Kubectl:
        return Kubectl(self.cluster, "default")

    def operator(self, name: str, *, forked: bool = False, **settings: Any) -> OperatorProcess:
        """Make an operator with a token of its own; it is not started yet."""
        directory = self.directory / name
        directory.mkdir()
        kubeconfig = settings.pop("kubeconfig", None) or self.kubeconfig(directory)
        chosen = self.settings | {"pod_name": name} | settings
        return (ForkedOperator if forked else OperatorProcess)(kubeconfig, directory, **chosen)

    def kubeconfig(self, directory: Path) -> Path:
        """Write a kubeconfig of the operator's account."""
        return write_kubeconfig(directory / "account.kubeconfig", self.cluster, self.token())

    def token(self) -> str:
        words = ("create", "token", "turnout", f"--namespace={NAMESPACE}", "--duration=2h")
        return Person(self.cluster).does(*words).strip()


def write_kubeconfig(path: Path, cluster: Cluster, token: str) -> Path:
    """Write a kubeconfig that leads straight to a cluster."""
    there = {"server": cluster.server, "certificate-authority": str(cluster.ca_file)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "light", "cluster": there}],
        "users": [{"name": "turnout", "user": {"token": token}}],
        "contexts": [{"name": "light", "context": {"cluster": "light", "user": "turnout"}}],
        "current-context": "light",
    }
    path.write_text(yaml.safe_dump(config))
    return path


@contextmanager
def set_up(
    suffix: str, helm: Helm, directory: Path, options: Sequence[str] = (), **settings: Any
) -> Iterator[Stage]:
    """Make a light cluster with the chart, its policies and everybody's rights in force.

    The chart's own two replicas are played by KWOK, so they do nothing.
    """
    with light_cluster(suffix) as cluster:
        bound = Helm(helm.program, helm.home, cluster.kubeconfig)
        bound.run("install", "turnout", str(CHART), "--namespace", NAMESPACE, *options)
        admin = Person(cluster)
        await_policies(admin, Person(cluster, OPERATOR))
        _admit_people(admin)
        chosen = {"podNamespace": NAMESPACE, "unprotectedApprovals": "Hold", "lease": PATIENT}
        yield Stage(cluster, directory, chosen | settings)


def _admit_people(admin: Person) -> None:
    """Let Ada edit everywhere, and two others approve too."""
    for name in (EDITOR, *APPROVERS):
        roles = ("edit", "turnout-approver") if name in APPROVERS else ("edit",)
        for role in roles:
            words = ("create", "clusterrolebinding", f"{name}-{role}", f"--clusterrole={role}")
            admin.does(*words, f"--user={name}")
    patch = ("patch", "agentrollouts.turnout.dev", "--all-namespaces")
    for name in (EDITOR, *APPROVERS):
        may = functools.partial(Person(admin.cluster, name).can, *patch)
        eventually(f"{name} may patch rollouts", may)


def approval(step: str, by: str) -> str:
    """Write the JSON patch by which one person approves, whoever else does meanwhile."""
    value = {"step": step, "by": by}
    return json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": value}])
