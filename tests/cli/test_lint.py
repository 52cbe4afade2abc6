"""What `turnout lint` says without a cluster: the API server's answers, then the operator's."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.api.admission_rows import GOOD_CHANGES, REFUSED, Row
from tests.api.documents import GONE, SPECS, changed, good
from tests.cli.linted import errors, looked, only_error, read, template
from tests.support.hostile import documents
from tests.support.manifests import agent, everything, kind, prompt
from turnout.cli.exits import Exit
from turnout.cli.lint.command import lint
from turnout.cli.lint.problems import dotted
from turnout.cli.options import Form

ROOT = Path(__file__).parents[2]
OTHERWISE = {"expected int": "must be of type integer"}
"""Where a program that speaks JSON and one that speaks YAML find other words."""

ONLY_THE_OPERATOR_REFUSES = {
    ("ToolRegistry", "spec.servers.0.url"): "names an address that means something else",
    ("AgentPolicy", "spec.rules.0.expression"): "is not CEL",
}


def _named(row: tuple[Any, ...]) -> str:
    return f"{row[0]}.{row[1]}={str(row[2])[:40]}".encode("ascii", "replace").decode()


@pytest.mark.parametrize("row", REFUSED, ids=_named)
def test_what_the_api_server_refuses_is_refused_in_its_words(row: Row) -> None:
    kind_, path, value, words = row
    found = errors(looked(changed(good(kind_), path, value)))
    expected = {words, OTHERWISE.get(words, words)}
    if (path, words) == ("spec.tools.0.inputSchema", "unknown field"):
        expected = {"must be of type string"}
    assert any(word in one.problem.message for one in found for word in expected)


@pytest.mark.parametrize("row", GOOD_CHANGES, ids=_named)
def test_what_the_api_server_takes_is_taken_unless_the_operator_refuses_it(
    row: tuple[str, str, Any],
) -> None:
    found = errors(looked(changed(good(row[0]), *row[1:])))
    words = ONLY_THE_OPERATOR_REFUSES.get((row[0], row[1]))
    said = [one.problem.message for one in found]
    if words is None or row[2] == "https://crm":
        assert said == []
    else:
        assert all(words in one for one in said)
        assert said


@pytest.mark.parametrize("kind_", SPECS)
def test_a_good_document_is_fine(kind_: str) -> None:
    assert looked(good(kind_)).clean


def test_every_example_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint([str(ROOT / "examples")], Form.JSON) is Exit.DONE
    answer = json.loads(capsys.readouterr().out)
    assert answer["objects"] >= 9
    assert {one["reason"] for one in answer["findings"]} <= {"GivenTwice"}


def test_a_finding_names_file_line_document_field_value_and_mend() -> None:
    text = (
        "apiVersion: turnout.dev/v1alpha1\nkind: Prompt\nmetadata:\n  name: tone\nspec:\n"
        "  role: Assistant\n  format: Plain\n  text: be brief\n  varables: []\n"
    )
    role, unknown = (one.document() for one in read(text).findings)
    assert (
        role.items()
        >= {
            "file": "all.yaml",
            "line": 6,
            "column": 9,
            "kind": "Prompt",
            "name": "tone",
            "field": "spec.role",
            "value": "Assistant",
        }.items()
    )
    assert "supported values: System" in role["message"]
    assert role["mend"] == "What the text is to the model. Example: System."
    assert (unknown["line"], unknown["mend"]) == (9, "did you mean variables?")


def test_what_is_missing_is_named_with_what_it_is_for() -> None:
    document = changed(good("Agent"), "spec.traffic.mode", None)
    found = only_error(looked(document))
    assert found.problem.message == "Required value: spec.traffic.mode is missing"
    assert found.problem.mend
    assert found.value is None


def test_of_a_pod_kubectl_explains_more() -> None:
    path = "spec.template.spec.containers.0.image"
    found = only_error(looked(changed(good("Agent"), path, 7)))
    assert found.problem.mend == "kubectl explain podtemplate.template.spec.containers.image"


def test_a_null_is_as_good_as_nothing_where_nothing_is_required() -> None:
    assert looked(changed(good("Prompt"), "spec.variables", None)).clean
    missing = only_error(looked(changed(good("Prompt"), "spec.role", None)))
    assert missing.problem.reason == "Required"


@pytest.mark.parametrize(
    "path, value, words",
    [
        ("metadata.labels", {"a b": "x"}, "keys are names of letters"),
        ("metadata.labels", {"a\x00b": "x"}, "keys are names of letters"),
        ("metadata.name", "a\x00b", "DNS label"),
        ("metadata.labels", {"a": "x y"}, "should match"),
        ("metadata.annotations", {"x/y/z": ""}, "keys are names of letters"),
        ("metadata.finalizers", ["mine"], "should match"),
        ("metadata.name", GONE, "Required value: metadata.name is missing"),
        ("metadata.labls", {}, "unknown field"),
    ],
)
def test_metadata_is_checked_as_every_objects_is(path: str, value: Any, words: str) -> None:
    assert words in only_error(looked(changed(good("Prompt"), path, value))).problem.message


@given(documents())
def test_no_document_makes_lint_fail(document: dict[str, Any]) -> None:
    assert all(one.problem.message for one in looked(document).findings)


def test_each_bad_tool_and_rule_is_told() -> None:
    tools = [
        {"name": f"t{number}", "inputSchema": '{"type": "objekt"}', "sideEffect": "Read"}
        for number in range(3)
    ]
    found = errors(looked(kind("ToolRegistry", "tools", {"tools": tools})))
    assert [one.problem.path for one in found] == [("spec", "tools", at) for at in range(3)]
    rules = [{"name": f"r{number}", "expression": "a <="} for number in range(2)]
    found = errors(looked(kind("AgentPolicy", "policy", {"mode": "Enforce", "rules": rules})))
    assert [one.problem.path[3] for one in found] == ["expression"] * 2


def test_a_template_that_does_not_parse_is_said_with_its_line() -> None:
    found = only_error(looked(template("hello\n{{ name }")))
    assert found.problem.reason == "InvalidTemplate"
    assert found.problem.message.startswith("line 2")


def test_a_variable_that_is_not_declared_is_a_warning() -> None:
    outcome = looked(template("hello {{name}}", "Mustache"))
    assert [one.problem.message for one in outcome.findings] == ["not declared as variables: name"]
    assert outcome.clean


# together


def test_objects_that_contradict_each_other_are_told_as_the_operator_tells_them() -> None:
    policy = kind("AgentPolicy", "policy", {"mode": "Enforce", "models": {"allow": ["small"]}})
    model = {"provider": "openai", "name": "large"}
    found = only_error(looked(*everything(model=model, policyRef={"name": "policy"}), policy))
    assert found.problem.reason == "CrossCheckFailed"
    assert "AgentPolicy policy does not allow" in found.problem.message
    assert (found.kind, found.problem.path) == ("Agent", ("spec", "policyRef"))


def test_a_pinned_digest_that_the_given_prompt_does_not_have_is_told() -> None:
    refs = [{"name": "support-system", "digest": "sha256:" + "0" * 64}]
    found = only_error(looked(*everything(promptRefs=refs)))
    assert found.problem.reason == "AwaitingContent"
    assert found.problem.path == ("spec", "promptRefs")


def test_a_weight_that_replica_ratio_cannot_keep_is_told_of_the_strategy_that_was_given() -> None:
    ratio = {"mode": "ReplicaRatio", "service": {"port": 8080}}
    strategy = kind("RolloutStrategy", "careful", good("RolloutStrategy")["spec"])
    strategy["spec"]["strategy"]["steps"][3]["setWeight"] = 80
    document = agent(traffic=ratio, strategyRef={"name": "careful"})
    for field in ("strategy", "gate"):
        document["spec"].pop(field, None)
    found = only_error(looked(document, strategy))
    assert found.problem.reason == "UnsupportedWeight"


def test_what_is_referred_to_but_not_given_is_named_and_no_error() -> None:
    outcome = looked(agent(policyRef={"name": "policy"}))
    assert outcome.clean
    assert ("AgentPolicy", "policy") in {(one.kind, one.name) for one in outcome.missing}
    assert ("Prompt", "support-system") in {(one.kind, one.name) for one in outcome.missing}


def test_an_object_with_problems_of_its_own_is_told_once() -> None:
    broken = template("{{ name }", name="support-system")
    found = only_error(looked(agent(), broken))
    assert found.kind == "Prompt"


def test_a_text_in_a_config_map_that_was_given_is_checked() -> None:
    spec = {
        "role": "System",
        "format": "Jinja",
        "configMapKeyRef": {"name": "texts", "key": "system"},
    }
    words = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "texts", "namespace": "demo"},
    }
    named = kind("Prompt", "support-system", spec)
    bad = only_error(looked(named, words | {"data": {"system": "{% if %}"}}))
    assert bad.problem.reason == "InvalidTemplate"
    lacking = only_error(looked(named, words | {"data": {"other": "x"}}))
    assert "has no key system" in lacking.problem.message
    unknown = looked(agent(), named)
    assert unknown.clean
    assert [one.kind for one in unknown.missing if one.kind == "ConfigMap"]
    assert looked(agent(), named, words | {"data": {"system": "be brief"}}).clean


def test_the_same_object_twice_is_a_warning_that_names_the_other_place() -> None:
    outcome = looked(prompt("a", "tone"), prompt("b", "tone"))
    (found,) = outcome.findings
    assert (found.problem.warning, found.problem.reason) == (True, "GivenTwice")
    assert "all.yaml, line 1" in found.problem.message


OBJECTIVE = {"name": "answers", "metric": "tasks", "target": "99%", "window": "30d"}


def _surprises(*documents: Any) -> list[tuple[str, str]]:
    """Give the reasons of findings, with the fields that they are about: warnings all."""
    found = looked(*documents).findings
    assert all(one.problem.warning for one in found)
    return [(one.problem.reason, dotted(one.problem.path)) for one in found]


def test_objectives_that_can_be_kept_are_fine() -> None:
    assert looked(*everything(objectives=[OBJECTIVE])).clean


@pytest.mark.parametrize(
    ("objective", "surprise"),
    [
        ({"window": "5h"}, ("ShortWindow", "spec.objectives[0].window")),
        ({"target": "85%"}, ("NeverBurns", "spec.objectives[0].target")),
        ({"slowerThan": "2s"}, ("MetricNotFound", "spec.objectives[0].metric")),
    ],
)
def test_an_objective_that_does_not_do_what_it_seems_to_is_a_warning(
    objective: dict[str, Any], surprise: tuple[str, str]
) -> None:
    assert _surprises(*everything(objectives=[OBJECTIVE | objective])) == [surprise]


def test_an_error_budget_without_objectives_is_a_warning() -> None:
    bare = agent()
    bare["spec"]["gate"] = bare["spec"]["gate"] | {"errorBudget": {"freezeBelow": "10%"}}
    assert _surprises(bare) == [("NoObjectives", "spec.gate.errorBudget")]
    bare["spec"]["objectives"] = [OBJECTIVE]
    assert _surprises(bare) == []


def test_a_cap_that_counts_for_no_objective_is_a_warning() -> None:
    given = everything(objectives=[OBJECTIVE])
    gate = given[-1]["spec"]["gate"]
    given[-1]["spec"]["gate"] = gate | {"errorBudget": {"maxBudgetSpend": "5%"}}
    assert _surprises(*given) == []
    given[-1]["spec"]["gate"] |= {"provider": "other"}
    assert _surprises(*given) == [("NotCounted", "spec.objectives[0].metric")]


def test_an_objectives_template_that_is_not_given_is_named() -> None:
    outcome = looked(agent(objectives=[OBJECTIVE | {"metric": "answers"}]))
    assert ("MetricTemplate", "answers") in {(one.kind, one.name) for one in outcome.missing}


@pytest.mark.parametrize("target", ["100%", "0%"])
def test_a_target_that_leaves_no_budget_is_refused(target: str) -> None:
    found = only_error(looked(agent(objectives=[OBJECTIVE | {"target": target}])))
    assert dotted(found.problem.path) == "spec.objectives[0].target"
