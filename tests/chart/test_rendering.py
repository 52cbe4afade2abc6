"""What the chart makes of every value set in ci/."""

import re
from pathlib import Path

import pytest
import yaml

import turnout
from tests.chart.helm import (
    CHART,
    CRDS_CHART,
    NAMESPACE,
    VALUE_SETS,
    Helm,
    Manifest,
    Rendered,
)
from tests.chart.objects import POLICIES
from turnout.settings import Settings

CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}


@pytest.fixture(params=VALUE_SETS, ids=lambda path: path.name.removesuffix("-values.yaml"))
def rendered(request: pytest.FixtureRequest, helm: Helm) -> Rendered:
    return helm.render("--values", str(request.param))


def _of(helm: Helm, name: str) -> Rendered:
    return helm.render("--values", str(CHART / "ci" / f"{name}-values.yaml"))


def test_there_are_value_sets_for_the_ways_to_install() -> None:
    assert len(VALUE_SETS) >= 8


@pytest.mark.parametrize("chart", [CHART, CRDS_CHART], ids=lambda path: path.name)
def test_helm_lint_has_nothing_to_say(helm: Helm, chart: Path) -> None:
    for values in VALUE_SETS if chart == CHART else (chart / "values.yaml",):
        said = helm.run("lint", "--strict", str(chart), "--values", str(values))
        assert "0 chart(s) failed" in said
        assert "[WARNING]" not in said


def test_nothing_is_recorded_by_default_and_both_forms_have_the_same_rules(helm: Helm) -> None:
    values = ("--values", str(CHART / "ci" / "recording-values.yaml"))
    assert "-recording" not in repr(helm.render().manifests)
    (rule,) = helm.render(*values).all("PrometheusRule")
    filed = helm.render(*values, "--set", "recordingRules.form=ConfigMap").all("ConfigMap")
    (file,) = [one for one in filed if one["metadata"]["name"].endswith("-recording")]
    assert yaml.safe_load(file["data"]["turnout.rules.yaml"]) == rule["spec"]
    records = [one["record"] for one in rule["spec"]["groups"][0]["rules"]]
    assert records.count("turnout:recorded") == len(records) / 2 == 4


def test_no_object_is_rendered_twice(rendered: Rendered) -> None:
    names = [_place(manifest) for manifest in rendered.manifests]
    assert len(names) == len(set(names))


def test_every_object_says_whose_it_is(rendered: Rendered) -> None:
    for manifest in rendered.manifests:
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "turnout"
        assert labels["app.kubernetes.io/instance"] == "turnout"


def test_every_namespaced_object_names_its_namespace(rendered: Rendered) -> None:
    """Else `helm template | kubectl apply` puts it wherever the context points."""
    for manifest in rendered.manifests:
        assert ("namespace" in manifest["metadata"]) == (manifest["kind"] not in CLUSTER_WIDE)


def test_the_pod_meets_the_restricted_standard(rendered: Rendered) -> None:
    pod, container = rendered.pod["spec"], rendered.container
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all(volume.keys() - {"name"} <= {"configMap", "secret"} for volume in pod["volumes"])
    assert "hostPort" not in container["ports"][0]


def test_the_pod_is_probed_where_the_operator_answers(rendered: Rendered) -> None:
    probes = {k: v["httpGet"] for k, v in rendered.container.items() if k.endswith("Probe")}
    assert probes == {
        "startupProbe": {"path": "/healthz", "port": "http"},
        "livenessProbe": {"path": "/healthz", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }
    assert rendered.container["ports"][0]["name"] == "http"


def test_no_service_can_set_an_environment_variable_of_the_operator(rendered: Rendered) -> None:
    assert rendered.pod["spec"]["enableServiceLinks"] is False


def test_selectors_find_the_pods(rendered: Rendered) -> None:
    labels = rendered.pod["metadata"]["labels"]
    selectors = [
        m["spec"]["selector"]["matchLabels"]
        for kind in ("Deployment", "PodDisruptionBudget", "PodMonitor")
        for m in rendered.all(kind)
    ]
    assert selectors
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_the_operator_can_read_its_settings(rendered: Rendered, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(rendered.settings_text, encoding="utf-8")
    settings = Settings.load(["--config", str(file)], {})
    assert settings.port == rendered.container["ports"][0]["containerPort"]


def test_the_operator_is_told_where_its_settings_are(rendered: Rendered) -> None:
    mounts = {m["name"]: m["mountPath"] for m in rendered.container["volumeMounts"]}
    assert rendered.container["args"] == [f"--config={mounts['settings']}/settings.yaml"]
    volumes = {v["name"]: v for v in rendered.pod["spec"]["volumes"]}
    assert volumes["settings"]["configMap"]["name"] == rendered.one("ConfigMap")["metadata"]["name"]


def test_the_environment_variables_are_settings(rendered: Rendered) -> None:
    known = {f"TURNOUT_{field.upper()}" for field in Settings.model_fields}
    names = {e["name"] for e in rendered.container["env"] if e["name"].startswith("TURNOUT_")}
    assert names == {"TURNOUT_POD_NAME", "TURNOUT_POD_NAMESPACE"}
    assert names <= known


def test_every_setting_is_decided_by_the_chart_or_by_the_process(helm: Helm) -> None:
    """A setting that is added must be given a value, or be named here as none of the chart's."""
    of_the_process = {"kubeconfig", "context", "pod_name", "pod_namespace"}
    rendered = _of(helm, "providers")
    settings = Settings.model_validate(yaml.safe_load(rendered.settings_text))
    assert settings.model_fields_set == Settings.model_fields.keys() - of_the_process


def test_a_changed_setting_restarts_the_pods_and_nothing_else_does(helm: Helm) -> None:
    def checksum(*options: str) -> str:
        text: str = helm.render(*options).pod["metadata"]["annotations"]["checksum/settings"]
        return text

    assert checksum() == checksum("--set", "replicas=3")
    assert checksum() != checksum("--set", "metricsProviders.default.url=http://prometheus:9090")


def test_namespaced_mode_has_no_cluster_wide_object(helm: Helm) -> None:
    rendered = _of(helm, "namespaced")
    assert not {m["kind"] for m in rendered.manifests} & CLUSTER_WIDE
    roles = {(r["metadata"]["namespace"], r["metadata"]["name"]) for r in rendered.all("Role")}
    assert roles == {
        ("team-a", "turnout"),
        ("team-b", "turnout"),
        (NAMESPACE, "turnout-leader"),
    }


def test_bindings_give_roles_of_this_release_to_the_operator_alone(rendered: Rendered) -> None:
    account = {
        "kind": "ServiceAccount",
        "name": rendered.pod["spec"]["serviceAccountName"],
        "namespace": NAMESPACE,
    }
    roles = {_place(role) for kind in ("Role", "ClusterRole") for role in rendered.all(kind)}
    for binding in rendered.all("RoleBinding") + rendered.all("ClusterRoleBinding"):
        assert (binding["roleRef"]["kind"], *_place(binding)[1:]) in roles
        assert binding["roleRef"]["name"] == binding["metadata"]["name"]
        assert binding["subjects"] == [account]


def _place(manifest: Manifest) -> tuple[str, str | None, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace"), metadata["name"]


def test_a_disruption_budget_stands_only_where_there_is_a_standby(helm: Helm) -> None:
    assert _of(helm, "default").one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert not _of(helm, "single").all("PodDisruptionBudget")


def test_a_digest_wins_over_the_tag(helm: Helm) -> None:
    image = _of(helm, "digest-image").container["image"]
    assert re.fullmatch(r"registry\.internal:5000/platform/turnout@sha256:[0-9a-f]{64}", image)


def test_the_tag_is_the_version_of_the_operator(helm: Helm) -> None:
    assert helm.render().container["image"].endswith(":0.1.0.dev0")


def test_a_header_secret_is_mounted_where_the_settings_say(helm: Helm) -> None:
    rendered = _of(helm, "providers")
    path = Path(yaml.safe_load(rendered.settings_text)["metrics"]["thanos"]["headersFile"])
    mount = next(m for m in rendered.container["volumeMounts"] if m["name"] == "headers-thanos")
    volume = next(v for v in rendered.pod["spec"]["volumes"] if v["name"] == "headers-thanos")
    assert path.parent == Path(mount["mountPath"])
    assert volume["secret"]["secretName"] == "thanos-headers"
    assert volume["secret"]["items"] == [{"key": "headers.yaml", "path": path.name}]


def test_the_policies_name_the_operator_of_the_release(helm: Helm) -> None:
    def exempt(rendered: Rendered) -> set[str]:
        policies = rendered.all("ValidatingAdmissionPolicy")
        conditions = [p["spec"].get("matchConditions", ()) for p in policies]
        assert sum(map(bool, conditions)) == 5
        return {one["expression"] for each in conditions for one in each}

    own = f'!(request.userInfo.username in ["system:serviceaccount:{NAMESPACE}:turnout"])'
    assert exempt(helm.render()) == {own}
    assert exempt(_of(helm, "custom-service-account")) == {
        own.replace(':turnout"', ':rollouts","system:serviceaccount:velero:velero"')
    }


def test_every_policy_is_in_force_and_deletes_pass(helm: Helm) -> None:
    rendered = helm.render()
    policies = {p["metadata"]["name"]: p for p in rendered.all("ValidatingAdmissionPolicy")}
    bindings = {
        b["metadata"]["name"]: b["spec"] for b in rendered.all("ValidatingAdmissionPolicyBinding")
    }
    assert policies.keys() == set(POLICIES)
    assert bindings == {
        name: {"policyName": name, "validationActions": ["Deny"]} for name in policies
    }
    for policy in policies.values():
        for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
            assert set(rule["operations"]) <= {"CREATE", "UPDATE"}


def test_two_operators_of_one_cluster_can_share_the_kinds(helm: Helm) -> None:
    options = [
        "--set", "operators[0].namespace=team-a", "--set", "operators[1].namespace=team-b",
    ]  # fmt: skip
    policies = helm.render(*options, chart=CRDS_CHART).all("ValidatingAdmissionPolicy")
    for policy in policies:
        rules = policy["spec"].get("matchConditions") or policy["spec"]["validations"]
        assert "team-a" in rules[0]["expression"]
        assert "team-b" in rules[0]["expression"]


def test_no_agent_may_stand_beside_the_control_plane_or_an_operator(helm: Helm) -> None:
    policies = helm.render().all("ValidatingAdmissionPolicy")
    [places] = (one for one in policies if one["metadata"]["name"] == "turnout-places")
    [rule] = places["spec"]["validations"]
    closed = '["kube-system","kube-public","kube-node-lease","turnout-system"]'
    assert rule["expression"] == f"!(request.namespace in {closed})"


def test_the_kinds_alone_are_what_the_whole_chart_brings(helm: Helm) -> None:
    alone = helm.render(chart=CRDS_CHART).manifests
    without = helm.render("--set", "crds.enabled=false").manifests
    whole = {_place(manifest): manifest for manifest in helm.render().manifests}
    assert alone
    assert {_place(manifest): manifest for manifest in [*alone, *without]} == whole


def test_the_versions_of_chart_and_operator_agree() -> None:
    charts = [yaml.safe_load((c / "Chart.yaml").read_text()) for c in (CHART, CRDS_CHART)]
    assert {chart["appVersion"] for chart in charts} == {turnout.__version__}
    assert charts[0]["version"] == charts[1]["version"]
    assert charts[0]["dependencies"][0]["version"] == charts[1]["version"]
    assert charts[0]["kubeVersion"] == charts[1]["kubeVersion"]


def test_jobs_report_to_a_service_in_front_of_the_operator(helm: Helm) -> None:
    rendered = helm.render("--set", "jobs.port=9000")
    service = rendered.one("Service", "turnout-reports")
    jobs = yaml.safe_load(rendered.one("ConfigMap")["data"]["settings.yaml"])["jobs"]
    assert jobs["reportsUrl"] == f"http://turnout-reports.{NAMESPACE}.svc:9000"
    assert (jobs["port"], service["spec"]["ports"][0]["port"]) == (9000, 9000)
    container = rendered.pod["spec"]["containers"][0]
    assert (jobs["image"], jobs["pullPolicy"]) == (container["image"], container["imagePullPolicy"])
    assert {"name": "reports", "containerPort": 9000} in container["ports"]
    labels = rendered.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_without_jobs_there_is_neither_service_nor_right_nor_setting(helm: Helm) -> None:
    rendered = helm.render("--set", "jobs.enabled=false")
    assert not rendered.all("Service")
    assert "jobs" not in yaml.safe_load(rendered.one("ConfigMap")["data"]["settings.yaml"])
    rules = rendered.one("ClusterRole", "turnout")["rules"]
    assert not [rule for rule in rules if "batch" in rule["apiGroups"]]
