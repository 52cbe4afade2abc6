"""What is wrong with policies and tools beyond their schema, as people are told of it."""

from typing import Any

import pytest

from tests.operator.team import NAME, Team
from tests.support.kubectl import eventually
from tests.support.manifests import everything, kind

pytestmark = pytest.mark.light

POLICIES = "agentpolicies.turnout.dev"
REGISTRIES = "toolregistries.turnout.dev"
REFUND = {
    "name": "refunds.create",
    "inputSchema": '{"type":"object"}',
    "sideEffect": "Write",
    "approval": "Required",
}
REFS = {"toolRegistryRef": {"name": "tools"}, "policyRef": {"name": "policy"}}


def _registry(**tool: Any) -> dict[str, Any]:
    return kind("ToolRegistry", "tools", {"tools": [REFUND | tool]})


def _policy(**spec: Any) -> dict[str, Any]:
    return kind("AgentPolicy", "policy", {"mode": "Enforce"} | spec)


def _told(team: Team, condition: str, reason: str, *of: str) -> str:
    """Wait until a condition is False for this reason; returns its message."""

    def told() -> str | None:
        found = team.condition(condition, *of)
        is_so = (found.get("status"), found.get("reason")) == ("False", reason)
        return str(found["message"]) if is_so else None

    return str(eventually(f"{condition} is False for {reason}", told))


def test_objects_that_contradict_each_other_wait_and_go_on_once_mended(team: Team) -> None:
    team.ada.apply(*everything(**REFS), _registry(), _policy())
    message = _told(team, "ResolvedRefs", "CrossCheckFailed")
    assert "ToolRegistry tools" in message
    assert "AgentPolicy policy names nobody to ask: add somebody to spec.contacts" in message
    assert not team.admin.list("deployments.apps")
    contacts = [{"name": "leads", "contact": "#leads"}]
    team.ada.patch(POLICIES, "policy", {"spec": {"contacts": contacts}})
    team.await_phase("Healthy")
    assert team.condition("ResolvedRefs")["status"] == "True"


def test_a_rule_and_a_schema_that_do_not_compile_are_said_where_they_are_written(
    team: Team,
) -> None:
    stable = team.deploys(_registry(approval="NotRequired"), _policy(), **REFS)
    rules = [{"name": "small", "expression": "tool.arguments.amount <="}]
    team.ada.patch(POLICIES, "policy", {"spec": {"rules": rules}})
    said = "spec.rules[small].expression is not CEL: line 1, column 25: Syntax error"
    assert said in _told(team, "Accepted", "InvalidSpec", POLICIES, "policy")
    assert f"AgentPolicy policy: {said}" in _told(team, "Accepted", "InvalidSpec")
    rules[0]["expression"] = "(" * 2048
    team.ada.patch(POLICIES, "policy", {"spec": {"rules": rules}})
    eventually(
        "the limit is named",
        lambda: "at most 32 levels" in team.condition("Accepted")["message"],
    )
    team.ada.patch(POLICIES, "policy", {"spec": {"rules": None}})
    team.await_phase("Healthy")
    tools = [REFUND | {"approval": "NotRequired", "inputSchema": '{"type":"objekt"}'}]
    team.ada.patch(REGISTRIES, "tools", {"spec": {"tools": tools}})
    said = "tool refunds.create: inputSchema is not JSON Schema 2020-12 at /type"
    assert said in _told(team, "Accepted", "InvalidSpec", REGISTRIES, "tools")
    assert f"ToolRegistry tools: {said}" in _told(team, "Accepted", "InvalidSpec")
    assert team.agent()["stable"]["version"] == stable
    assert team.admin.weights(NAME) == {stable: 100}


def test_a_policy_shows_how_much_it_allows_and_what_is_denied_all_the_same(team: Team) -> None:
    tools = {"allow": ["orders.*", "refunds.create"], "deny": ["refunds.*"]}
    team.ada.apply(_policy(tools=tools))
    eventually("it is looked at", lambda: team.condition("Accepted", POLICIES, "policy"))
    remark = team.condition("Accepted", POLICIES, "policy")["message"]
    assert remark == "deny wins: refunds.create is allowed and denied"
    row = team.admin.run("get", POLICIES, "policy", "--no-headers").split()
    assert row[:4] == ["policy", "Enforce", "2", "1"]
