"""Install, upgrade, uninstall and install again, on a real API server."""

import dataclasses
from collections.abc import Iterator

import pytest

from devcluster import Cluster
from tests.chart.clusters import await_policies, light_cluster
from tests.chart.helm import CHART, CRDS_CHART, NAMESPACE, Helm
from tests.chart.objects import Rollout, agent, version
from tests.chart.people import OPERATOR, Person, eventually
from turnout.adapters.documents import OWN_KINDS

pytestmark = pytest.mark.light

CRDS = {f"customresourcedefinition.apiextensions.k8s.io/{kind.resource}" for kind in OWN_KINDS}
WAIT = ("--wait", "--timeout=60s")
PROVIDER = ("--set", "metricsProviders.default.url=http://prometheus:9090")


@pytest.fixture
def empty_cluster() -> Iterator[Cluster]:
    with light_cluster("chart-lifecycle") as made:
        yield made


@pytest.fixture
def root(empty_cluster: Cluster) -> Person:
    return Person(empty_cluster)


@pytest.fixture
def its_helm(helm: Helm, empty_cluster: Cluster) -> Helm:
    return dataclasses.replace(helm, kubeconfig=empty_cluster.kubeconfig)


def _ours(person: Person, kinds: str) -> set[str]:
    """Return the names of what the charts installed of these kinds, wherever it is."""
    chosen = ("--selector=app.kubernetes.io/part-of=turnout", "--all-namespaces", "--output=name")
    return set(person.does("get", kinds, *chosen).split())


def _generation(root: Person) -> int:
    found = root.reads("deployment", "turnout", f"--namespace={NAMESPACE}")
    return int(found["metadata"]["generation"])


def test_an_upgrade_restarts_the_pods_and_brings_the_kinds_up_to_date(
    its_helm: Helm, root: Person
) -> None:
    release = ("turnout", str(CHART), "-n", NAMESPACE, *WAIT)
    its_helm.run("install", *release)
    generation = _generation(root)
    annotated = ("--set", "crds.annotations.team=platform")

    its_helm.run("upgrade", *release, *annotated)
    for kind in OWN_KINDS:
        assert root.reads("crd", kind.resource)["metadata"]["annotations"]["team"] == "platform"
    assert _generation(root) == generation, "the kinds alone restart nothing"

    said = its_helm.run("upgrade", *release, *annotated, *PROVIDER)
    assert _generation(root) == generation + 1
    assert "kubectl -n turnout-system rollout status deployment/turnout" in said
    assert "WARNING" not in said


def test_agents_and_their_record_outlive_the_release(its_helm: Helm, root: Person) -> None:
    release = ("turnout", "-n", NAMESPACE, *WAIT)
    its_helm.run("install", *release[:1], str(CHART), *release[1:])
    root.creates(agent("default"))
    Person(root.cluster, OPERATOR).creates(version("default"), Rollout("default").manifest())

    its_helm.run("uninstall", *release)
    assert _ours(root, "crd") == CRDS
    assert len(root.does("get", "turnout", "--output=name").split()) == 3
    assert not _ours(root, "deployment,configmap,serviceaccount,role,rolebinding,pdb")
    assert not _ours(root, "clusterrole,clusterrolebinding")
    assert not _ours(root, "validatingadmissionpolicy,validatingadmissionpolicybinding")

    its_helm.run("install", *release[:1], str(CHART), *release[1:])
    assert len(root.does("get", "turnout", "--output=name").split()) == 3


def test_a_team_installs_its_operator_on_an_administrators_kinds(
    its_helm: Helm, root: Person
) -> None:
    for namespace in ("team-a", "team-b"):
        root.does("create", "namespace", namespace)
    kinds = ("turnout-crds", str(CRDS_CHART), "-n", NAMESPACE, *WAIT)
    its_helm.run("install", *kinds, "--set", "operators[0].namespace=team-a")
    its_helm.run(
        "install", "turnout", str(CHART), "-n", "team-a", *WAIT,
        "--set", "crds.enabled=false", "--set", "scope.namespaces={team-a}",
    )  # fmt: skip
    assert not {name for name in _ours(root, "clusterrole") if name.endswith("/turnout")}
    assert not _ours(root, "clusterrolebinding")

    operator = Person(root.cluster, "system:serviceaccount:team-a:turnout")
    eventually(lambda: operator.can("list", "agents.turnout.dev", "-n=team-a"), "its role")
    assert not operator.can("list", "agents.turnout.dev", "-n=team-b")
    assert not operator.can("get", "secrets", "-n=team-a")
    assert operator.reads("namespace", "team-a")["metadata"]["name"] == "team-a"
    await_policies(root, operator, "team-a")
    operator.creates(version("team-a"))
    assert "only the operator creates" in root.may_not_create(version("team-a"))
