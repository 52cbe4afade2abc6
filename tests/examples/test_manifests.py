"""The example's manifests fit the kinds, one another, and restricted pod security."""

from typing import Any

import pytest

from standin.shop import TOOLS
from tests.examples.mounted import EXAMPLE, PROMPTS, manifests, spec
from turnout.api.agent import Agent
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.strategy import RolloutStrategy
from turnout.api.tools import ToolRegistry

KINDS = (Agent, AgentPolicy, MetricTemplate, Prompt, RolloutStrategy, ToolRegistry)
OURS = {kind.__name__: kind for kind in KINDS}
ALL = [
    document
    for path in sorted((EXAMPLE / "manifests").glob("*.yaml"))
    for document in manifests(path.stem)
]
POD_SPECS = [
    document["spec"]["template"]["spec"]
    for document in ALL
    if "template" in document.get("spec", {})
]


@pytest.mark.parametrize("document", [d for d in ALL if d["kind"] in OURS], ids=lambda d: d["kind"])
def test_every_object_of_ours_fits_its_kind(document: dict[str, Any]) -> None:
    assert OURS[document["kind"]].model_validate(document).kind == document["kind"]


def test_the_prompts_are_one_object_with_four_texts() -> None:
    names = {manifests(name)[0]["metadata"]["name"] for name in PROMPTS}
    assert names == {reference["name"] for reference in spec("agent")["promptRefs"]}
    assert len({spec(name)["text"] for name in PROMPTS}) == 4


def test_every_reference_of_the_agent_is_in_the_manifests() -> None:
    present = {(d["kind"], d["metadata"]["name"]) for d in ALL}
    agent, gate = spec("agent"), spec("strategy")["gate"]
    wanted = {
        ("ToolRegistry", agent["toolRegistryRef"]["name"]),
        ("AgentPolicy", agent["policyRef"]["name"]),
        ("RolloutStrategy", agent["strategyRef"]["name"]),
        *(("MetricTemplate", metric["templateRef"]["name"]) for metric in gate["metrics"]),
    }
    assert wanted <= present


def test_every_tool_of_the_registry_is_served_by_the_stand_in() -> None:
    assert {tool["name"] for tool in spec("tools")["tools"]} == set(TOOLS)


@pytest.mark.parametrize("pod", POD_SPECS)
def test_every_pod_is_restricted_and_writes_nothing(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_agents_pods_are_scraped_and_have_time_to_leave() -> None:
    template = spec("agent")["template"]
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8080",
    }
    assert template["spec"]["terminationGracePeriodSeconds"] > 5 + 45


def test_the_latency_bar_is_a_bound_of_the_agents_histogram() -> None:
    (latency,) = [m for m in spec("strategy")["gate"]["metrics"] if m["type"] == "Latency"]
    assert latency["slowerThan"] == "2s"


def test_locked_requirements_carry_hashes_and_name_no_index() -> None:
    lock = (EXAMPLE / "requirements.txt").read_text()
    packages = [line for line in lock.splitlines() if "==" in line]
    assert len(packages) >= 15
    assert lock.count("--hash=sha256:") >= len(packages)
    assert "index-url" not in lock
    assert "://" not in lock
