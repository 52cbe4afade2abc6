"""What becomes of a Prompt that cannot be used, and what its author reads."""

from datetime import UTC, datetime
from typing import Any

from tests.support.manifests import everything, kind
from tests.support.simulation import Simulation
from turnout.api.agent import Agent
from turnout.api.base import Use, UseState
from turnout.api.prompt import Prompt, PromptStatus
from turnout.core.prompts import report_prompt

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def template(text: str, *variables: str, form: str = "Jinja") -> dict[str, Any]:
    declared = [{"name": name, "required": True} for name in variables]
    spec = {"role": "System", "format": form, "text": text, "variables": declared}
    return kind("Prompt", "support-system", spec)


def reported(sim: Simulation) -> PromptStatus:
    prompt = Prompt.model_validate(sim.get("Prompt", "support-system"))
    return report_prompt(prompt, [Agent.model_validate(sim.get("Agent", "support"))], NOW)


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
