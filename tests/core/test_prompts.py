"""What becomes of a Prompt that cannot be used, and what its author reads."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.manifests import everything, kind
from tests.support.simulation import Simulation
from turnout.api.agent import Agent
from turnout.api.prompt import Prompt, PromptStatus
from turnout.api.use import Use, UseState
from turnout.core.content import Unresolved, resolve
from turnout.core.prompts import report_prompt

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def template(text: str, *variables: str, form: str = "Jinja") -> dict[str, Any]:
    declared = [{"name": name, "required": True} for name in variables]
    spec = {"role": "System", "format": form, "text": text, "variables": declared}
    return kind("Prompt", "support-system", spec)


def from_config(name: str = "support-system", key: str = "system") -> dict[str, Any]:
    ref = {"name": "texts", "key": key}
    return kind("Prompt", name, {"role": "System", "format": "Plain", "configMapKeyRef": ref})


def config_map(**data: str) -> dict[str, Any]:
    metadata = {"name": "texts", "namespace": "demo"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def binary(key: str) -> dict[str, Any]:
    return config_map() | {"binaryData": {key: "/w=="}}


def reported(sim: Simulation) -> PromptStatus:
    prompt = Prompt.model_validate(sim.get("Prompt", "support-system"))
    whole = sim.world().sources.prompts["support-system"]
    users = {"support": Agent.model_validate(sim.get("Agent", "support"))}
    return report_prompt(prompt, whole, users, NOW)


def conditions(status: PromptStatus) -> dict[str, str]:
    return {one.type: f"{one.status.value} {one.reason}" for one in status.conditions}


def message(status: PromptStatus, condition: str) -> str:
    return next(one.message for one in status.conditions if one.type == condition)


def test_a_template_that_does_not_parse_is_named_on_both_and_stable_stays() -> None:
    sim = Simulation(everything())
    sim.settle()
    stable = sim.stable
    sim.store(template("Hello\n{{ name"))
    sim.settle()
    assert sim.condition("ResolvedRefs")["status"] == "False"
    assert sim.condition("ResolvedRefs")["reason"] == "InvalidTemplate"
    assert (
        "Prompt support-system: line 2: unexpected end" in sim.condition("ResolvedRefs")["message"]
    )
    assert (sim.stable, sim.status["phase"]) == (stable, "Held")
    assert sim.condition("Ready")["status"] == "True"
    status = reported(sim)
    assert conditions(status) == {
        "Accepted": "False InvalidTemplate",
        "Resolved": "True Resolved",
        "RolledOut": "False InvalidTemplate",
        "Ready": "False InvalidTemplate",
        "Stalled": "True InvalidTemplate",
    }
    assert message(status, "Accepted").startswith("line 2: unexpected end of template")
    assert status.used_by == (Use(agent="support", state=UseState.PENDING),)


def test_a_template_that_is_mended_goes_out() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.store(template("{{ name"))
    sim.settle()
    sim.store(template("{{ name }}", "name"))
    sim.settle()
    sim.run(120)
    assert sim.condition("ResolvedRefs")["reason"] == "Resolved"
    assert conditions(reported(sim))["RolledOut"] == "True AllPromoted"


def test_what_is_undeclared_is_a_warning_and_goes_out() -> None:
    sim = Simulation([*everything()[1:], template("{{ name }}", "nane")])
    sim.settle()
    status = reported(sim)
    assert conditions(status)["Accepted"] == "True Valid"
    said = "not declared as variables: name; declared, but not in the text: nane"
    assert message(status, "Accepted") == said
    assert sim.status["phase"] == "Healthy"


def test_pods_get_a_templates_bytes_as_they_were_written() -> None:
    text = "{{7*7}}\r\n{% raw %}{0.__class__} $(cat) ${X}{% endraw %}\t\u202e é \n"
    sim = Simulation([*everything()[1:], template(text)])
    sim.settle()
    assert sim.get("ConfigMap", sim.stable)["data"]["prompt.support-system.txt"] == text


def test_the_same_text_has_the_same_digest_wherever_it_comes_from() -> None:
    inline = Simulation(everything())
    inline.settle()
    text = inline.get("Prompt", "support-system")["spec"]["text"]
    sim = Simulation([*everything()[1:], from_config(), config_map(system=text)])
    sim.settle()
    assert sim.stable == inline.stable
    assert reported(sim).digest == reported(inline).digest
    files = sim.get("ConfigMap", sim.stable)["data"]
    assert files == inline.get("ConfigMap", inline.stable)["data"]


def test_a_text_that_moves_into_a_config_map_is_no_change() -> None:
    sim = Simulation(everything())
    sim.settle()
    stable = sim.stable
    text = sim.get("Prompt", "support-system")["spec"]["text"]
    sim.store(config_map(system=text))
    sim.store(from_config())
    sim.settle()
    assert sim.stable == stable
    assert len(sim.all("AgentRollout")) == 1


def test_a_changed_key_is_a_new_version_and_another_key_is_none() -> None:
    sim = Simulation([*everything()[1:], from_config(), config_map(system="One.", other="x")])
    sim.settle()
    stable = sim.stable
    sim.store(config_map(system="One.", other="y"))
    sim.settle()
    assert len(sim.all("AgentRollout")) == 1
    sim.store(config_map(system="Two.", other="y"))
    sim.settle()
    assert conditions(reported(sim))["RolledOut"] == "Unknown InProgress"
    sim.run(120)
    assert sim.stable != stable
    assert sim.get("ConfigMap", sim.stable)["data"]["prompt.support-system.txt"] == "Two."


def test_several_prompts_share_a_config_map_in_the_agents_order() -> None:
    refs = [{"name": "tone"}, {"name": "support-system"}]
    prompts = [from_config(), from_config("tone", "tone")]
    shared = config_map(system="Help.", tone="Be kind.")
    sim = Simulation([*everything(promptRefs=refs)[1:], *prompts, shared])
    sim.settle()
    files = sim.get("ConfigMap", sim.stable)["data"]
    assert files["prompt.tone.txt"] == "Be kind."
    assert files["prompt.support-system.txt"] == "Help."
    assert files["agent.json"].index('"tone"') < files["agent.json"].index('"support-system"')


TOO_LONG = "key system of ConfigMap texts has 262145 characters, at most 262144 are taken"
BINARY = "key system of ConfigMap texts is binary; a prompt is UTF-8 text"


@pytest.mark.parametrize(
    ("found", "reason", "said"),
    [
        (None, "ReferenceNotFound", "ConfigMap texts does not exist in this namespace"),
        (config_map(other="x"), "ReferenceNotFound", "ConfigMap texts has no key system"),
        (config_map(system=""), "InvalidText", "key system of ConfigMap texts is empty"),
        (config_map(system="x" * 262_145), "TooLarge", TOO_LONG),
        (binary("system"), "InvalidText", BINARY),
        ({**config_map(), "data": None}, "ReferenceNotFound", "ConfigMap texts has no key system"),
    ],
    ids=["absent", "no key", "empty", "too large", "binary", "no data"],
)
def test_a_text_that_is_not_there_is_named_touches_nothing_and_goes_on_when_it_comes(
    found: dict[str, Any] | None, reason: str, said: str
) -> None:
    sim = Simulation(everything())
    sim.settle()
    stable = sim.stable
    if found is not None:
        sim.store(found)
    sim.store(from_config())
    sim.settle()
    shown = sim.condition("ResolvedRefs")
    assert (shown["status"], shown["reason"]) == ("False", reason)
    assert shown["message"] == f"Prompt support-system: {said}"
    assert (sim.stable, sim.condition("Ready")["status"]) == (stable, "True")
    status = reported(sim)
    awaited = reason == "ReferenceNotFound"
    assert status.digest is None
    assert message(status, "Resolved") == said
    assert conditions(status) == {
        "Accepted": "Unknown Pending",
        "Resolved": f"False {reason}",
        "RolledOut": f"{'Unknown' if awaited else 'False'} {reason}",
        "Ready": f"{'Unknown' if awaited else 'False'} {reason}",
        "Reconciling" if awaited else "Stalled": f"True {reason}",
    }
    sim.store(config_map(system="It came."))
    sim.settle()
    sim.run(120)
    assert sim.get("ConfigMap", sim.stable)["data"]["prompt.support-system.txt"] == "It came."


def test_what_cannot_be_read_just_now_is_unknown_and_no_change() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.unreadable["Prompt", "support-system"] = "is nested too deep"
    sim.settle()
    shown = sim.condition("ResolvedRefs")
    assert (shown["status"], shown["reason"]) == ("Unknown", "ResolveError")
    assert conditions(reported(sim))["Resolved"] == "Unknown ResolveError"
    assert conditions(reported(sim))["RolledOut"] == "Unknown ResolveError"


def test_a_prompt_whose_text_was_not_looked_for_forms_no_version() -> None:
    sim = Simulation([*everything()[1:], from_config(), config_map(system="x")])
    world = sim.world()
    bare = {"support-system": Prompt.model_validate(from_config())}
    found = resolve(replace(world, sources=replace(world.sources, prompts=bare)))
    assert isinstance(found, Unresolved)
    assert "the text is not at hand" in found.message
