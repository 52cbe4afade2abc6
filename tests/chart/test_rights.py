"""The operator's rights and people's roles, as rendered: the least that each needs."""

from collections.abc import Iterator

import pytest

from tests.chart.helm import VALUE_SETS, Helm, Manifest, Rendered
from turnout.adapters.documents import OWN_KINDS, WATCHED_KINDS
from turnout.runtime import guards, lease, surroundings

READ = {"get", "list", "watch"}
NEVER = {
    "secrets", "serviceaccounts/token", "pods/exec", "pods/attach",
    "pods/portforward", "roles", "rolebindings", "clusterroles", "clusterrolebindings",
    "validatingwebhookconfigurations", "mutatingwebhookconfigurations", "nodes",
}  # fmt: skip
USER_KINDS = {
    "agents", "prompts", "toolregistries", "agentpolicies", "rolloutstrategies", "metrictemplates",
    "evalsuites",
}  # fmt: skip


@pytest.fixture(params=VALUE_SETS, ids=lambda path: path.name.removesuffix("-values.yaml"))
def roles(request: pytest.FixtureRequest, helm: Helm) -> list[Manifest]:
    rendered = helm.render("--values", str(request.param))
    return rendered.all("Role") + rendered.all("ClusterRole")


def _grants(role: Manifest) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield each right as (resource.group, verb, names)."""
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    name = f"{resource}.{group}" if group else resource
                    yield name, verb, tuple(rule.get("resourceNames", ()))


def _verbs(role: Manifest) -> dict[str, set[str]]:
    verbs: dict[str, set[str]] = {}
    for resource, verb, _ in _grants(role):
        verbs.setdefault(resource, set()).add(verb)
    return verbs


def _operator(rendered: Rendered) -> Manifest:
    return rendered.one("ClusterRole", "turnout")


def test_no_role_has_a_wildcard(roles: list[Manifest]) -> None:
    for role in roles:
        for rule in role["rules"]:
            words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert not [word for word in words if "*" in word]
            assert "nonResourceURLs" not in rule


def test_no_role_reaches_what_would_make_its_holder_stronger(roles: list[Manifest]) -> None:
    for role in roles:
        for resource, verb, _ in _grants(role):
            assert resource.split(".")[0] not in NEVER
            assert verb not in {"escalate", "bind", "impersonate", "sign", "approve"}
            assert verb in READ or resource.split(".")[0] != "pods"
            assert verb == "create" or resource.split(".")[0] != "serviceaccounts"


def test_the_operator_has_exactly_these_verbs(helm: Helm) -> None:
    assert _verbs(_operator(helm.render())) == {
        **{kind.resource: READ for kind in OWN_KINDS},
        **{f"{kind.plural}/status.turnout.dev": {"patch"} for kind in OWN_KINDS},
        "agentversions.turnout.dev": READ | {"create", "delete"},
        "agentrollouts.turnout.dev": READ | {"create", "delete"},
        "deployments.apps": READ | {"create", "patch", "delete"},
        "services": READ | {"create", "patch", "delete"},
        "httproutes.gateway.networking.k8s.io": READ | {"create", "patch", "delete"},
        "configmaps": READ | {"create", "patch", "delete"},
        "pods": READ,
        "pods/status": {"patch"},
        "jobs.batch": READ | {"create", "delete"},
        "evalruns.turnout.dev": READ | {"create", "delete"},
        "serviceaccounts": {"create"},
        "networkpolicies.networking.k8s.io": {"create"},
        "namespaces": {"get"},
        "events.events.k8s.io": {"create"},
        "customresourcedefinitions.apiextensions.k8s.io": {"get"},
        "validatingadmissionpolicybindings.admissionregistration.k8s.io": {"get"},
    }


def test_the_operator_may_read_all_that_it_watches(helm: Helm) -> None:
    verbs = _verbs(_operator(helm.render()))
    assert all(verbs[kind.resource] >= READ for kind in WATCHED_KINDS)


def test_cluster_wide_objects_are_read_by_their_one_name(helm: Helm) -> None:
    named = {resource: names for resource, _, names in _grants(_operator(helm.render())) if names}
    assert named == {
        ref.kind.resource: (ref.name,)
        for ref in (surroundings.AGENT_CRD, surroundings.APPROVAL_POLICY)
    }


def test_in_its_own_namespace_the_operator_has_one_lease_and_one_mark(helm: Helm) -> None:
    rendered = helm.render()
    assert set(_grants(rendered.one("Role"))) == {
        ("leases.coordination.k8s.io", "create", ()),
        ("leases.coordination.k8s.io", "get", (lease.NAME,)),
        ("leases.coordination.k8s.io", "patch", (lease.NAME,)),
        ("configmaps", "create", ()),
        ("configmaps", "get", (guards.STOP,)),
    }
    assert "leases.coordination.k8s.io" not in _verbs(_operator(rendered))


def test_a_served_namespace_gives_the_same_rights_but_the_cluster_wide_ones(helm: Helm) -> None:
    wide = set(_grants(_operator(helm.render())))
    role = helm.render("--set", "scope.namespaces={team-a}").one("Role", "turnout")
    assert set(_grants(role)) == {grant for grant in wide if not grant[2]}


def test_the_account_gives_its_token_to_the_operators_pods_only(helm: Helm) -> None:
    rendered = helm.render()
    assert rendered.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert rendered.pod["spec"]["automountServiceAccountToken"] is True


def test_viewers_read_every_kind(helm: Helm) -> None:
    role = helm.render().one("ClusterRole", "turnout-view")
    assert _verbs(role) == {kind.resource: READ for kind in OWN_KINDS}


def test_editors_write_their_own_kinds_and_may_only_patch_a_rollout(helm: Helm) -> None:
    verbs = _verbs(helm.render().one("ClusterRole", "turnout-edit"))
    write = {"create", "update", "patch", "delete", "deletecollection"}
    assert verbs == {
        **{f"{plural}.turnout.dev": write for plural in USER_KINDS},
        "agents/scale.turnout.dev": {"get", "update", "patch"},
        "agentrollouts.turnout.dev": {"patch"},
        "evalruns.turnout.dev": {"create", "delete", "deletecollection"},
    }


def test_only_the_approver_may_approve_and_no_role_takes_it_in(helm: Helm) -> None:
    rendered = helm.render()
    approving = [
        role
        for role in rendered.all("ClusterRole")
        if "agentrollouts/approval.turnout.dev" in _verbs(role)
    ]
    assert [role["metadata"]["name"] for role in approving] == ["turnout-approver"]
    assert _verbs(approving[0])["agentrollouts/approval.turnout.dev"] == {"update"}
    assert not [key for key in approving[0]["metadata"]["labels"] if "aggregate" in key]


@pytest.mark.parametrize(
    ("role", "into"),
    [("turnout-view", {"view", "edit", "admin"}), ("turnout-edit", {"edit", "admin"})],
)
def test_roles_for_people_join_those_of_kubernetes(helm: Helm, role: str, into: set[str]) -> None:
    labels = helm.render().one("ClusterRole", role)["metadata"]["labels"]
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    assert {key.removeprefix(prefix) for key in labels if key.startswith(prefix)} == into
