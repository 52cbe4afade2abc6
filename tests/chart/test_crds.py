"""The kinds in the chart are the kinds of the code."""

import re

import pytest
import yaml

from tests.chart.helm import CRDS_CHART, ROOT, Helm, Manifest
from turnout.adapters.documents import OWN_KINDS

KEPT = "helm.sh/resource-policy"
FILES = CRDS_CHART / "files"


@pytest.fixture
def rendered(helm: Helm) -> dict[str, Manifest]:
    found = helm.render(chart=CRDS_CHART).all("CustomResourceDefinition")
    return {manifest["metadata"]["name"]: manifest for manifest in found}


def test_the_files_are_those_of_the_project() -> None:
    """Mend with `make crds`."""
    ours = {file.name: file.read_bytes() for file in FILES.iterdir()}
    assert ours == {file.name: file.read_bytes() for file in (ROOT / "crds").iterdir()}


def test_every_kind_is_installed(rendered: dict[str, Manifest]) -> None:
    assert rendered.keys() == {f"{kind.plural}.turnout.dev" for kind in OWN_KINDS}


def test_helm_changes_nothing_but_labels_and_annotations(rendered: dict[str, Manifest]) -> None:
    for file in FILES.iterdir():
        source = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
        name = source["metadata"]["name"]
        assert {**rendered[name], "metadata": {"name": name}} == source


def test_the_kinds_are_kept_unless_somebody_says_otherwise(helm: Helm) -> None:
    def kept(*options: str) -> set[str | None]:
        found = helm.render(*options, chart=CRDS_CHART).all("CustomResourceDefinition")
        return {crd["metadata"].get("annotations", {}).get(KEPT) for crd in found}

    assert kept() == {"keep"}
    assert kept("--set", "keep=false") == {None}


def test_annotations_of_the_administrator_stand_beside_ours(helm: Helm) -> None:
    found = helm.render("--set", "annotations.team=platform", chart=CRDS_CHART)
    for crd in found.all("CustomResourceDefinition"):
        assert crd["metadata"]["annotations"] == {KEPT: "keep", "team": "platform"}


def test_roles_and_policies_speak_of_kinds_that_exist(helm: Helm) -> None:
    plurals = {kind.plural for kind in OWN_KINDS}
    manifests = helm.render().manifests
    for role in (m for m in manifests if m["kind"] == "ClusterRole"):
        for rule in role["rules"]:
            if rule["apiGroups"] == ["turnout.dev"]:
                assert {re.sub("/.*", "", word) for word in rule["resources"]} <= plurals
    for policy in (m for m in manifests if m["kind"] == "ValidatingAdmissionPolicy"):
        for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
            assert set(rule["resources"]) <= plurals | {"*/status"}
