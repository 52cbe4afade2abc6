"""The operator's account on a real API server: what it can do, and that this is all."""

import json
from collections.abc import Iterator

import pytest
import requests

from devcluster import Cluster
from tests.chart.helm import NAMESPACE, Helm, Manifest
from tests.chart.objects import Json, user_objects
from tests.chart.people import OPERATOR, Person, eventually
from turnout.adapters.documents import OWN_KINDS

pytestmark = pytest.mark.light

Rule = tuple[str, str, str, str]
"""Verb, group, resource and name, "" for any."""


def _expanded(rules: list[Manifest]) -> Iterator[Rule]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames", ("",)):
                        yield verb, group, resource, name


def _held(operator: Person, namespace: str) -> set[Rule]:
    """Return what `kubectl auth can-i --list` is made from."""
    review: Json = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    words = ("create", "--filename=-", "--output=json", "--validate=false")
    answer = json.loads(operator.does(*words, stdin=json.dumps(review)))
    return set(_expanded(answer["status"]["resourceRules"]))


def _of_everybody(cluster: Cluster) -> set[Rule]:
    """Return what any account has, by Kubernetes' own roles."""
    return _held(Person(cluster, "system:serviceaccount:default:default"), NAMESPACE)


def test_the_account_holds_the_roles_of_the_chart_and_nothing_else(
    operator: Person, cluster: Cluster, helm: Helm
) -> None:
    wide = set(_expanded(helm.render().one("ClusterRole", "turnout")["rules"]))
    lead = set(_expanded(helm.render().one("Role")["rules"]))
    assert _held(operator, "default") - _of_everybody(cluster) == wide
    assert _held(operator, NAMESPACE) - _of_everybody(cluster) == wide | lead


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "update", "patch", "delete"])
def test_the_account_has_no_verb_on_secrets(operator: Person, verb: str) -> None:
    assert not operator.can(verb, "secrets", "--all-namespaces")
    assert not operator.can(verb, "secrets", f"--namespace={NAMESPACE}")


@pytest.mark.parametrize(
    "words",
    [
        ("create", "pods"),
        ("create", "pods", "--subresource=exec"),
        ("create", "serviceaccounts", "--subresource=token"),
        ("create", "rolebindings"),
        ("bind", "clusterroles"),
        ("escalate", "clusterroles"),
        ("impersonate", "users"),
        ("list", "leases"),
        ("update", "agents"),
        ("patch", "agents"),
        ("patch", "agentrollouts"),
        ("update", "agentrollouts", "--subresource=approval"),
        ("list", "customresourcedefinitions"),
        ("list", "namespaces"),
    ],
    ids="-".join,
)
def test_the_account_has_no_right_beyond_its_work(operator: Person, words: tuple[str, ...]) -> None:
    assert not operator.can(*words, "--all-namespaces")


def test_the_account_reads_the_two_cluster_wide_objects_that_it_needs(operator: Person) -> None:
    assert operator.reads("customresourcedefinition", "agents.turnout.dev")
    assert operator.reads("validatingadmissionpolicybinding", "turnout-approvals")


def test_the_account_writes_every_status_with_its_token(
    operator: Person, admin: Person, cluster: Cluster, namespace: str
) -> None:
    admin.creates(*user_objects(namespace))
    token = admin.does("create", "token", "turnout", f"--namespace={NAMESPACE}").strip()
    for kind in OWN_KINDS[:6]:
        _patch_status(cluster, token, kind.path(namespace, "support"))
        found = admin.reads(kind.resource, "support", f"--namespace={namespace}")
        assert found["status"]["observedGeneration"] == 1


def _patch_status(cluster: Cluster, token: str, path: str) -> None:
    """Patch as the operator does; kubectl would read the subresource first."""
    answer = requests.patch(
        f"{cluster.server}{path}/status",
        json={"status": {"observedGeneration": 1}},
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/merge-patch+json",
        },
        verify=str(cluster.ca_file),
        timeout=10,
    )
    assert answer.status_code == 200, answer.text


def test_the_pods_are_admitted_under_the_restricted_standard(
    installed: None, admin: Person
) -> None:
    def ready() -> bool:
        found = admin.reads("deployment", "turnout", f"--namespace={NAMESPACE}")
        return bool(found["status"].get("readyReplicas") == 2)

    eventually(ready, "two replicas")
    labels = admin.reads("namespace", NAMESPACE)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert OPERATOR.endswith(
        admin.reads("pods", f"--namespace={NAMESPACE}")["items"][0]["spec"]["serviceAccountName"]
    )
