"""Helm and a light cluster of its own with the chart on it."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import pytest

from devcluster import Cluster, golang
from devcluster.progress import Progress
from tests.chart.clusters import await_policies, light_cluster
from tests.chart.helm import CHART, NAMESPACE, Helm
from tests.chart.objects import Rollout
from tests.chart.people import APPROVE, OPERATOR, Person, eventually

ROLES = {
    "ada": ("edit",),
    "bo": ("edit", "turnout-approver"),
    "cy": ("turnout-view", "every-verb-on-rollouts"),
    "dee": ("edit",),
    "vi": ("view",),
}
"""Cluster roles that people hold everywhere. Dee is an approver in namespace `elsewhere` only."""


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    golang.build(["helm"], Progress(1))
    return Helm(str(golang.binary("helm")), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster on which the chart is installed once."""
    with light_cluster("chart") as made:
        yield made


@pytest.fixture(scope="session")
def admin(cluster: Cluster) -> Person:
    return Person(cluster)


@pytest.fixture(scope="session")
def live_helm(helm: Helm, cluster: Cluster) -> Helm:
    return dataclasses.replace(helm, kubeconfig=cluster.kubeconfig)


@pytest.fixture(scope="session")
def installed(live_helm: Helm, admin: Person) -> None:
    """The chart as it comes, its policies in force."""
    live_helm.run(
        "install", "turnout", str(CHART), "--namespace", NAMESPACE, "--wait", "--timeout=60s"
    )
    await_policies(admin, Person(admin.cluster, OPERATOR))


@pytest.fixture(scope="session")
def person(installed: None, admin: Person) -> Callable[[str], Person]:
    """Look people up by name, all with their roles in force."""
    admin.does(
        "create", "clusterrole", "every-verb-on-rollouts",
        "--verb=*", "--resource=agentrollouts.turnout.dev",
    )  # fmt: skip
    for name, roles in ROLES.items():
        for role in roles:
            words = ("create", "clusterrolebinding", f"{name}-{role}", f"--clusterrole={role}")
            admin.does(*words, f"--user={name}")
    admin.does("create", "namespace", "elsewhere")
    approver = ("create", "rolebinding", "dee", "--clusterrole=turnout-approver", "--user=dee")
    admin.does(*approver, "--namespace=elsewhere")

    def look_up(name: str) -> Person:
        return Person(admin.cluster, name)

    patch, read = ("patch", "agentrollouts.turnout.dev", "-A"), ("list", "agents.turnout.dev", "-A")
    eventually(lambda: all(look_up(n).can(*patch) for n in ("ada", "bo", "cy", "dee")), "edit")
    eventually(lambda: all(look_up(n).can(*read) for n in ROLES), "view")
    eventually(lambda: look_up("bo").can(*APPROVE, "-A"), "bo's role")
    eventually(lambda: look_up("dee").can(*APPROVE, "--namespace=elsewhere"), "dee's role")
    return look_up


@pytest.fixture
def operator(installed: None, cluster: Cluster) -> Person:
    return Person(cluster, OPERATOR)


_counted = itertools.count(1)


@pytest.fixture
def namespace(admin: Person) -> str:
    """An empty namespace of the test's own."""
    name = f"team-{next(_counted)}"
    admin.does("create", "namespace", name)
    return name


@pytest.fixture
def rollout(namespace: str, operator: Person) -> Rollout:
    """A rollout in progress."""
    made = Rollout(namespace)
    operator.creates(made.manifest())
    return made


@pytest.fixture(scope="session")
def garbage_collector(installed: None, admin: Person) -> None:
    """Kubernetes' garbage collector, when it knows our kinds: it looks for new ones at times."""
    nobody = {"apiVersion": "v1", "kind": "Pod", "name": "nobody", "uid": "none"}
    probe = Rollout("default")
    Person(admin.cluster, OPERATOR).creates(probe.manifest(ownerReferences=[nobody]))
    eventually(lambda: not admin.succeeds("get", *probe.where), "the garbage collector", 90)
