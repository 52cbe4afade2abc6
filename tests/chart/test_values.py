"""Values: each does something, each is described, and what is not one is refused."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, CRDS_CHART, Helm
from tests.chart.values_table import END, START, leaves, table

README = CHART / "README.md"

MONITORED = "metrics.podMonitor.enabled=true"
RECORDED = "recordingRules.enabled=true"
SERIES = "recordingRules.series[0].metric=support_tasks_total"
EFFECTS: Mapping[str, tuple[str, ...]] = {
    "image.repository": ("image.repository=elsewhere/turnout",),
    "image.tag": ("image.tag=v9",),
    "image.digest": (f"image.digest=sha256:{'0' * 64}",),
    "image.pullPolicy": ("image.pullPolicy=Always",),
    "imagePullSecrets": ("imagePullSecrets[0].name=registry",),
    "nameOverride": ("nameOverride=railway",),
    "fullnameOverride": ("fullnameOverride=railway",),
    "commonLabels": ("commonLabels.team=platform",),
    "crds.enabled": ("crds.enabled=false",),
    "crds.keep": ("crds.keep=false",),
    "crds.annotations": ("crds.annotations.team=platform",),
    "crds.operators": ("crds.operators[0].serviceAccount=turnout", "crds.operators[1].namespace=b"),
    "crds.policies": ("crds.policies=false",),
    "crds.roles": ("crds.roles=false",),
    "replicas": ("replicas=3",),
    "leaderElection.leaseDuration": ("leaderElection.leaseDuration=20s",),
    "leaderElection.renewDeadline": ("leaderElection.renewDeadline=9s",),
    "leaderElection.retryPeriod": ("leaderElection.retryPeriod=3s",),
    "scope.namespaces": ("scope.namespaces={a}",),
    "metricsProviders": ("metricsProviders.default.url=http://prometheus:9090",),
    "metricsQueries.perNamespace": ("metricsQueries.perNamespace=600",),
    "approvals.unprotected": ("approvals.unprotected=Accept",),
    "reconcile.workers": ("reconcile.workers=9",),
    "reconcile.resync": ("reconcile.resync=9m",),
    "rollouts.maxConcurrent": ("rollouts.maxConcurrent=5",),
    "rollouts.maxConcurrentPerNamespace": ("rollouts.maxConcurrentPerNamespace=2",),
    "log.level": ("log.level=debug",),
    "log.format": ("log.format=text",),
    "jobs.enabled": ("jobs.enabled=false",),
    "jobs.port": ("jobs.port=9090",),
    "metrics.port": ("metrics.port=9090",),
    "metrics.podMonitor.enabled": (MONITORED,),
    "metrics.podMonitor.interval": (MONITORED, "metrics.podMonitor.interval=1m"),
    "metrics.podMonitor.labels": (MONITORED, "metrics.podMonitor.labels.release=x"),
    "recordingRules.enabled": (SERIES, RECORDED),
    "recordingRules.form": (SERIES, RECORDED, "recordingRules.form=ConfigMap"),
    "recordingRules.interval": (SERIES, RECORDED, "recordingRules.interval=1m"),
    "recordingRules.namespaceLabel": (SERIES, RECORDED, "recordingRules.namespaceLabel=k8s_ns"),
    "recordingRules.podLabel": (SERIES, RECORDED, "recordingRules.podLabel=k8s_pod"),
    "recordingRules.labels": (SERIES, RECORDED, "recordingRules.labels.release=x"),
    "recordingRules.series": (SERIES, RECORDED, "recordingRules.series[1].metric=seconds_count"),
    "serviceAccount.create": ("serviceAccount.create=false",),
    "serviceAccount.name": ("crds.policies=false", "serviceAccount.name=other"),
    "serviceAccount.annotations": ("serviceAccount.annotations.team=platform",),
    "rbac.create": ("rbac.create=false",),
    "resources": ("resources.limits.cpu=1",),
    "podDisruptionBudget.enabled": ("podDisruptionBudget.enabled=false",),
    "podLabels": ("podLabels.team=platform",),
    "podAnnotations": ("podAnnotations.team=platform",),
    "priorityClassName": ("priorityClassName=high",),
    "nodeSelector": ("nodeSelector.disk=ssd",),
    "tolerations": ("tolerations[0].operator=Exists",),
    "affinity": ("affinity.nodeAffinity.x=y",),
    "topologySpreadConstraints": ("topologySpreadConstraints[0].topologyKey=zone",),
    "extraEnv": ("extraEnv[0].name=NO_PROXY",),
}
"""For each value the settings that show its effect; all but the last are the ground for it."""


def _options(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def test_every_value_is_tried() -> None:
    assert set(EFFECTS) == {path for path, _ in leaves(CHART)}


@pytest.mark.parametrize("path", EFFECTS)
def test_a_value_changes_what_is_rendered(helm: Helm, path: str) -> None:
    ground = helm.render(*_options(EFFECTS[path][:-1]))
    assert helm.render(*_options(EFFECTS[path])) != ground


@pytest.mark.parametrize(
    "typo",
    [
        "replica=3",
        "image.tagg=x",
        "crds.keeep=true",
        "crds.operators[0].serviceAcount=x",
        "scope.namespace={a}",
        "metricsProviders.default.uri=http://x",
        "metricsProviders.default.headersSecret.nme=x",
        "metrics.podMonitor.label.a=b",
        "recordingRules.series[0].metrik=x",
        "serviceAccount.nam=x",
        "log.lvl=debug",
    ],
)
def test_a_mistyped_value_is_refused(helm: Helm, typo: str) -> None:
    assert "additional properties" in helm.refusal("template", "x", str(CHART), "--set", typo)


@pytest.mark.parametrize(
    "value",
    [
        "replicas=0",
        "replicas=two",
        "image.repository=",
        "image.digest=sha256:abc",
        "image.pullPolicy=Sometimes",
        "leaderElection.retryPeriod=2",
        "leaderElection.leaseDuration=0s",
        "reconcile.resync=ten minutes",
        "reconcile.workers=65",
        "rollouts.maxConcurrent=-1",
        "metricsQueries.perNamespace=-1",
        "scope.namespaces={Team_A}",
        "scope.namespaces={a,a}",
        "metricsProviders.default.url=ftp://prometheus",
        "metricsProviders.default.url=http://user:word@prometheus",
        "metricsProviders.default.timeout=5s",
        "metricsProviders.Default.url=http://prometheus",
        "approvals.unprotected=Ignore",
        "metrics.port=80",
        "recordingRules.enabled=true",
        "recordingRules.form=File",
        "recordingRules.interval=5h",
        "recordingRules.series[0].metric=a{}",
        "serviceAccount.name=",
        "crds.operators[0].serviceAccount=a'b",
    ],
)
def test_an_impossible_value_is_refused(helm: Helm, value: str) -> None:
    refusal = helm.refusal("template", "x", str(CHART), "--set", value)
    assert "values don't meet the specifications of the schema" in refusal


def test_policies_that_would_lock_the_operator_out_are_refused(helm: Helm) -> None:
    refusal = helm.refusal("template", "x", str(CHART), "--set", "serviceAccount.name=other")
    assert "--set 'crds.operators[0].serviceAccount=other'" in refusal


@pytest.mark.parametrize("chart", [CHART, CRDS_CHART], ids=lambda path: path.name)
def test_the_schema_is_closed_and_describes_everything(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    free = {"global", "resources", "affinity", "annotations", "operators"}
    for name, node in _properties(schema):
        if name != "name":
            assert node["description"].endswith("."), name
        if node.get("type") == "object" and name not in free:
            assert "additionalProperties" in node, name


def _properties(node: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict):
        return
    for name, child in node.get("properties", {}).items():
        yield name, child
        yield from _properties(child)
    yield from _properties(node.get("additionalProperties"))


def test_the_values_of_the_parts_have_the_same_defaults() -> None:
    whole = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    part = yaml.safe_load((CRDS_CHART / "values.yaml").read_text(encoding="utf-8"))
    assert whole["crds"] == part


def test_the_readme_lists_every_value_as_it_is() -> None:
    """Mend with `python -m tests.chart.values_table`."""
    text = README.read_text(encoding="utf-8")
    assert text.partition(START)[2].partition(END)[0].strip() == table(CHART)


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ((), "no metrics provider is configured"),
        (("--set", "replicas=1"), "one replica"),
        ((), "no Gateway API"),
        (("--set", "crds.policies=false"), "can approve in\n  another's name"),
        (("--set", "scope.namespaces={a}"), "it holds approve steps"),
        (("--set", "approvals.unprotected=Accept"), "no admission policy vouches"),
    ],
)
def test_the_notes_warn(helm: Helm, options: tuple[str, ...], warning: str) -> None:
    assert warning in helm.notes(*options)


def test_the_notes_name_the_next_commands_in_the_real_namespace(helm: Helm) -> None:
    text = helm.notes("--set", "scope.namespaces={team-a}")
    assert "kubectl -n turnout-system rollout status deployment/turnout" in text
    assert "kubectl explain agents.turnout.dev.spec" in text
    assert "kubectl get agents.turnout.dev -n team-a -w" in text
