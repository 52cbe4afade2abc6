"""From references to the bytes that pods get, and back from a ConfigMap."""

import json
from typing import Any

import pytest

from tests.support.manifests import agent, everything, kind, prompt
from tests.support.simulation import Simulation
from turnout.core.content import Content, Unresolved, resolve, source_digest
from turnout.core.intake import Wanted, take_in
from turnout.core.reasons import Reason
from turnout.core.stored import read_stored
from turnout.core.world import Stored, Unread

TOOLS = kind(
    "ToolRegistry",
    "tools",
    {
        "servers": [{"name": "crm", "type": "MCP", "url": "https://crm.example.com/mcp"}],
        "tools": [
            {"name": "find", "server": "crm", "inputSchema": "{}", "sideEffect": "Read"},
            {"name": "pay", "inputSchema": '{"type":"object"}', "sideEffect": "Write"},
        ],
    },
)
POLICY = kind("AgentPolicy", "policy", {"mode": "Enforce", "tools": {"deny": ["pay"]}})
FULL: dict[str, Any] = {
    "toolRegistryRef": {"name": "tools"},
    "policyRef": {"name": "policy"},
    "model": {"provider": "openai", "name": "gpt", "temperature": "0.2", "extra": '{"seed":7}'},
    "promptRefs": [{"name": "support-system"}, {"name": "tone"}],
    "container": "sidecar",
    "template": {
        "spec": {
            "containers": [
                {"name": "agent", "image": "a:1"},
                {"name": "sidecar", "image": "b@sha256:1"},
            ]
        }
    },
}


def resolved(**spec: Any) -> Content | Unresolved:
    objects = [TOOLS, POLICY, prompt("Be kind.", "tone"), *everything(**spec)]
    return resolve(Simulation(objects).world())


def content(**spec: Any) -> Content:
    found = resolved(**spec)
    assert isinstance(found, Content)
    return found


def files(**spec: Any) -> dict[str, str]:
    made = content(**spec)
    sim = Simulation([TOOLS, POLICY, prompt("Be kind.", "tone"), *everything(**spec)])
    wanted = take_in(sim.world())
    assert isinstance(wanted, Wanted)
    return made.files(wanted.ref)


def test_pods_get_every_prompt_the_tools_the_policy_and_a_description() -> None:
    made = files(**FULL)
    assert sorted(made) == [
        "agent.json",
        "policy.json",
        "prompt.support-system.txt",
        "prompt.tone.txt",
        "template.json",
        "tools.json",
        "version.json",
    ]
    assert made["prompt.tone.txt"] == "Be kind."
    described = json.loads(made["agent.json"])
    assert [one["name"] for one in described["prompts"]] == ["support-system", "tone"]
    assert described["model"]["name"] == "gpt"
    assert described["tools"] == "tools.json"


def test_a_content_read_back_is_proved_by_its_digest() -> None:
    made = files(**FULL)
    stored = read_stored(made)
    assert isinstance(stored, Stored)
    assert stored.digest == content(**FULL).digest
    assert stored.planes == content(**FULL).digests.planes
    assert stored.container == "sidecar"
    assert stored.size == sum(len(text.encode()) for text in made.values())


def test_a_small_content_is_read_back_too() -> None:
    stored = read_stored(files())
    assert isinstance(stored, Stored)
    assert stored.container is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("prompt.support-system.txt", "You may refund anything."),
        ("template.json", "{}"),
        ("version.json", '{"scheme":2}'),
        ("version.json", "{}"),
        ("agent.json", '{"prompts":1}'),
        ("tools.json", "[" * 50),
        ("policy.json", '{"mode":"Nonsense"}'),
        ("agent.json", None),
    ],
)
def test_a_content_that_is_not_what_it_says_is_not_used(file: str, text: str | None) -> None:
    made = files(**FULL)
    damaged = {name: one for name, one in made.items() if name != file}
    damaged |= {file: text} if text is not None else {}
    assert isinstance(read_stored(damaged), Unread)


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        ({"template": {"spec": {"containers": []}}}, Reason.INVALID_SPEC, "containers is empty"),
        ({"container": "nobody"}, Reason.INVALID_SPEC, "spec.container nobody is not among"),
        (
            {"model": {"provider": "x", "name": "y", "extra": "[]"}},
            Reason.INVALID_SPEC,
            "spec.model.extra must be a JSON object",
        ),
        (
            {"template": {"spec": {"containers": [{"name": "a"}], "hostUsers": 2**60}}},
            Reason.INVALID_SPEC,
            "no canonical form",
        ),
        (
            {"template": {"spec": {"containers": [{"name": "a", "command": ["x" * 1_000_000]}]}}},
            Reason.CONTENT_TOO_LARGE,
            "at most 921600 fit one version",
        ),
    ],
)
def test_content_that_cannot_be_is_refused_by_name(
    spec: dict[str, Any], reason: Reason, message: str
) -> None:
    found = resolved(**spec)
    assert isinstance(found, Unresolved)
    assert (found.reason, found.condition) == (reason, "Accepted")
    assert message in found.message


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ({"server": "gone"}, "tool pay: server gone is not in spec.servers"),
        ({"inputSchema": "[1"}, "tool pay: inputSchema is not JSON"),
        ({"inputSchema": "{}" + "[" * 40}, "tool pay: inputSchema nests 40 deep"),
    ],
)
def test_a_tool_that_cannot_be_is_refused_by_name(tool: dict[str, Any], message: str) -> None:
    broken = {"name": "pay", "inputSchema": "{}", "sideEffect": "Write"} | tool
    registry = kind("ToolRegistry", "tools", {"tools": [broken]})
    found = resolve(Simulation([registry, *everything(toolRegistryRef={"name": "tools"})]).world())
    assert isinstance(found, Unresolved)
    assert message in found.message


def test_a_route_mode_without_a_route_is_refused() -> None:
    sim = Simulation(everything(traffic={"mode": "HTTPRoute", "service": {"port": 8080}}))
    found = take_in(sim.world())
    assert isinstance(found, Unresolved)
    assert "needs traffic.httpRoute" in found.message
    assert not sim.settle().decision.actions


def test_a_pin_on_the_right_digest_resolves() -> None:
    sim = Simulation(everything())
    found = sim.world().sources.prompts["support-system"]
    assert not isinstance(found, Unread)
    pinned = [{"name": "support-system", "digest": source_digest(found)}]
    assert isinstance(resolved(promptRefs=pinned), Content)


def test_what_is_not_content_changes_no_digest() -> None:
    plain = content().digest
    assert content(replicas=9, paused=True, owners=[{"name": "team"}]).digest == plain
    assert content(model={"provider": "openai", "name": "gpt"}).digest != plain
    assert agent()["spec"]["replicas"] == 2


def test_a_forged_prefix_gets_a_longer_name() -> None:
    sim = Simulation(everything())
    sim.settle()
    version = sim.get("AgentVersion", sim.stable)
    forged = "sha256:" + sim.stable[-10:] + "0" * 54
    sim.objects.clear()
    for document in everything():
        sim.store(document)
    name = version["metadata"]["name"]
    sim.store(kind("AgentVersion", name, {**version["spec"], "digest": forged}))
    sim.settle()
    assert sim.stable.startswith(name)
    assert len(sim.stable) == len(name) + 2
    assert sim.status["phase"] == "Healthy"
    assert sim.get("AgentVersion", name)["spec"]["digest"] == forged


def test_a_name_whose_content_is_not_ours_to_use_is_a_conflict() -> None:
    sim = Simulation(everything())
    wanted = take_in(sim.world())
    assert isinstance(wanted, Wanted)
    name = wanted.ref.version
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}}
    sim.store(theirs)
    sim.settle()
    assert sim.condition("Accepted")["reason"] == "NameConflict"
    assert sim.get("ConfigMap", name)["data"] == {}
    assert not sim.all("Deployment")
