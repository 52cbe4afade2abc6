"""What is found beyond the schema: languages in strings, and objects that contradict each other."""

import json
from typing import Any

import pytest

from tests.support.manifests import everything, kind
from tests.support.registries import RegistryLife
from tests.support.simulation import Simulation
from turnout.api.policy import AgentPolicy
from turnout.core.checks_text import rule_problem, schema_problem
from turnout.core.policies import report_policy
from turnout.core.world import Unread

TOOLS: list[dict[str, Any]] = [
    {"name": "orders.find", "inputSchema": "{}", "sideEffect": "Read"},
    {"name": "refunds.create", "inputSchema": "{}", "sideEffect": "Write"},
]
REFUNDS_ASK = [TOOLS[0], TOOLS[1] | {"approval": "Required"}]
ASKING = {"tools": {"requireApproval": ["refunds.*"]}}
LEADS = [{"name": "leads", "contact": "#leads"}]

MISSING_TOOL = (
    "AgentPolicy policy allows tool orders.delete, which ToolRegistry tools does not have: add the "
    "tool to the registry or take it from spec.tools.allow of the policy"
)
ALL_DENIED = (
    "AgentPolicy policy lets no tool of ToolRegistry tools be called: mend spec.tools of the "
    "policy, or take toolRegistryRef from the Agent"
)
FORBIDDEN_MODEL = (
    "Agent support asks model gpt-5, which AgentPolicy policy does not allow: add it to "
    "spec.models.allow of the policy or change spec.model.name of the Agent"
)
NOBODY_TO_ASK = (
    "tool refunds.create of ToolRegistry tools writes and needs approval, and AgentPolicy policy "
    "names nobody to ask: add somebody to spec.contacts of the policy, or deny the tool there"
)


def policy(**spec: Any) -> dict[str, Any]:
    return kind("AgentPolicy", "policy", {"mode": "Enforce"} | spec)


def registry(tools: list[dict[str, Any]] = TOOLS, **spec: Any) -> dict[str, Any]:
    return kind("ToolRegistry", "tools", {"tools": tools} | spec)


def told(*objects: dict[str, Any], **spec: Any) -> tuple[str, str, str]:
    """Let an Agent with these objects settle; returns which condition says what, why."""
    refs = {"toolRegistryRef": {"name": "tools"}, "policyRef": {"name": "policy"}}
    sim = Simulation([*objects, *everything(**refs | spec)])
    sim.settle()
    for one in ("Accepted", "ResolvedRefs"):
        condition = sim.condition(one)
        if condition["status"] == "False":
            assert not sim.all("Deployment"), "nothing moves"
            return one, condition["reason"], condition["message"]
    condition = sim.condition("ResolvedRefs")
    return condition["type"], condition["reason"], condition["message"]


# JSON Schema


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"type":"object","properties":{"id":{"type":"string","pattern":"\\\\p{L}+"}}}',
        '{"$ref":"https://schemas.example.com/order.json"}',
        '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}',
        '{"$schema":"https://schemas.example.com/our-own"}',
    ],
)
def test_a_schema_is_taken_and_nothing_is_fetched_for_it(text: str) -> None:
    assert schema_problem(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type":"objekt"}', "2020-12 at /type: "),
        ('{"properties":{"a":{"type":5}}}', "2020-12 at /properties/a/type: 5 is not valid"),
        ('{"required":["a","a"]}', "2020-12 at /required: "),
        ('{"required":[1,"\\u202e"]}', "2020-12 at /required/0: 1 is not of type"),
        ('{"properties":{"\\u202e":5}}', "at /properties/\\u202e: "),
        ('{"properties":5}', "2020-12 at /properties: 5 is not of type"),
        ('{"maxLength":Infinity}', "is not JSON: Infinity is no number"),
        ('{"\\ud800":{}}', "not Unicode"),
        ("[]", "must be a JSON object"),
        ("{" * 40, "nests 40 deep"),
    ],
)
def test_a_text_that_is_no_schema_is_refused_with_the_place(text: str, said: str) -> None:
    problem = schema_problem(text)
    assert problem is not None
    assert said in problem
    assert problem.isprintable()


def test_what_is_said_of_a_schema_is_short_however_long_it_is() -> None:
    problem = schema_problem('{"type":[' + ",".join(f'{{"a":{n}}}' for n in range(2000)) + "]}")
    assert problem is not None
    assert len(problem) < 400


# CEL


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "tool.name != 'refunds.create' || double(tool.arguments.amountUSD) <= 100.0",
        "task.steps.all(s, s.cost < 1)",
        "has(tool.arguments.orderId) && names.exists(n, n == 'é\U0001f682')",
        "&&".join(["a"] * 600),
        "!" * 2047 + "a",
    ],
)
def test_a_rule_that_compiles_is_taken_and_never_run(text: str) -> None:
    assert rule_problem(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tool.name ==", "line 1, column 13: Syntax error: mismatched input '<EOF>'"),
        ("a\n  &&& b", "line 2, column 5: Syntax error: token recognition error"),
        ("has(1)", "line 1, column 5: has() argument must be a field selection"),
        ("tool.recursion ==", "line 1, column 18: "),
        ("'\u202e", "'\\u202e"),
        ("a\x00b", "line 1, column 2: "),
        ("\ud800", "not text that the CEL compiler takes"),
        ("(" * 2048, "at most 32 levels"),
        ("(" * 1000 + "a" + ")" * 1000, "at most 32 levels"),
        ("[" * 1000 + "a" + "]" * 1000, "at most 32 levels"),
        ("1" + "+1" * 1000, "at most 32 levels"),
        ("a" + ".b" * 1000, "at most 32 levels"),
        ("[1].all(x," * 180 + "true" + ")" * 180, "at most 32 levels"),
        ("a?b:" * 500 + "c", "at most 32 levels"),
    ],
    ids=lambda text: text[:16].encode("unicode_escape", "surrogatepass").decode(),
)
def test_a_rule_that_does_not_compile_is_refused_in_the_compilers_words(
    text: str, said: str
) -> None:
    problem = rule_problem(text)
    assert problem is not None
    assert said in problem
    assert problem.isprintable()


def test_a_rule_that_does_not_compile_is_said_on_agent_and_policy() -> None:
    broken = policy(rules=[{"name": "small", "expression": "cost <"}])
    condition, reason, message = told(registry(), broken)
    assert (condition, reason) == ("Accepted", "InvalidSpec")
    assert message.startswith(
        "AgentPolicy policy: spec.rules[small].expression is not CEL: line 1, column 7: "
    )
    status = report_policy(AgentPolicy.model_validate(broken), {}, Simulation([]).now, {})
    seen = {one.type: (one.status.value, one.reason) for one in status.conditions}
    assert seen == {
        "Accepted": ("False", "InvalidSpec"),
        "KillSwitch": ("False", "Clear"),
        "RolledOut": ("False", "InvalidSpec"),
        "Ready": ("False", "InvalidSpec"),
        "Stalled": ("True", "InvalidSpec"),
    }


def test_a_rule_that_compiles_is_delivered_as_it_was_written() -> None:
    rule = {"name": "small", "expression": "cost < 1 ", "message": "too dear"}
    good = policy(rules=[rule], contacts=LEADS)
    sim = Simulation([good, *everything(policyRef={"name": "policy"})])
    sim.settle()
    parsed = sim.world().sources.policy
    assert not isinstance(parsed, Unread)
    assert parsed is not None
    assert parsed.spec.to_wire()["rules"] == [rule]
    assert '"expression":"cost < 1 "' in sim.get("ConfigMap", sim.stable)["data"]["policy.json"]


# registries


@pytest.mark.parametrize("host", ["10.0.0.7", "127.0.0.1:8080", "192.168.1.1", "172.16.0.9"])
def test_a_server_that_is_a_private_address_is_refused(host: str) -> None:
    server = {"name": "crm", "type": "MCP", "url": f"http://{host}/mcp"}
    document = registry(servers=[server])
    condition, reason, message = told(document, policy())
    assert (condition, reason) == ("Accepted", "InvalidSpec")
    assert message.startswith(f"ToolRegistry tools: server crm: http://{host}/mcp names an address")
    life = RegistryLife(servers=[server], tools=[])
    life.settle()
    assert life.said("Accepted") == "False InvalidSpec"


@pytest.mark.parametrize("host", ["8.8.8.8", "crm.example.com", "crm"])
def test_a_server_with_a_name_or_a_public_address_is_taken(host: str) -> None:
    server = {"name": "crm", "type": "MCP", "url": f"https://{host}/mcp"}
    assert told(registry(servers=[server]), policy())[1] == "Resolved"


def test_headers_and_shadow_handling_reach_the_agent_by_name_only() -> None:
    headers = [{"name": "Authorization", "secretKeyRef": {"name": "crm", "key": "token"}}]
    shadow = {"mode": "Stub", "response": '{"id":"x"}'}
    server = {"name": "crm", "type": "MCP", "url": "https://crm/mcp", "headersFrom": headers}
    tools = [TOOLS[0], TOOLS[1] | {"shadow": shadow}]
    refs = {"toolRegistryRef": {"name": "tools"}}
    sim = Simulation([registry(tools, servers=[server]), *everything(**refs)])
    sim.run(10)
    delivered = json.loads(sim.get("ConfigMap", sim.stable)["data"]["tools.json"])
    assert delivered["servers"][0]["headersFrom"] == headers
    assert delivered["tools"][1]["shadow"] == shadow


@pytest.mark.parametrize("response", ["{,", "[]", "77", "{}}", '{"a":' * 33 + "1" + "}" * 33])
def test_a_stubs_response_is_a_json_object(response: str) -> None:
    tools = [TOOLS[0] | {"shadow": {"mode": "Stub", "response": response}}]
    condition, reason, message = told(registry(tools), policy())
    assert (condition, reason) == ("Accepted", "InvalidSpec")
    assert message.startswith("ToolRegistry tools: tool orders.find: shadow.response ")


# between objects


@pytest.mark.parametrize(
    ("spec", "tools", "said"),
    [
        (
            {"tools": {"allow": ["orders.*", "orders.delete"]}},
            TOOLS,
            MISSING_TOOL,
        ),
        (
            {"tools": {"deny": ["*"], "allow": ["orders.find"]}},
            TOOLS,
            ALL_DENIED,
        ),
        ({"tools": {"allow": ["order.*"]}}, TOOLS, ALL_DENIED),
        (
            {"models": {"allow": ["claude-*"]}},
            TOOLS,
            FORBIDDEN_MODEL,
        ),
        (
            ASKING,
            TOOLS,
            NOBODY_TO_ASK,
        ),
        (
            {},
            REFUNDS_ASK,
            NOBODY_TO_ASK,
        ),
    ],
)
def test_objects_that_contradict_each_other_are_refused_by_both_names_with_the_mend(
    spec: dict[str, Any], tools: list[dict[str, Any]], said: str
) -> None:
    model = {"provider": "openai", "name": "gpt-5"}
    found = told(registry(tools), policy(**spec), model=model)
    assert found == ("ResolvedRefs", "CrossCheckFailed", said)


@pytest.mark.parametrize(
    "spec",
    [
        {"tools": {"allow": ["orders.*", "refunds.create", "tickets.*"]}},
        {"tools": {"allow": ["orders.find", "gone"], "deny": ["gone"]}},
        {"tools": {"allow": ["orders.find"], "deny": ["refunds.*"]}},
        {"tools": {"deny": ["orders.*", "refunds.*"]}},
        {"models": {"allow": ["gpt-*"]}},
        {"models": {"allow": []}},
        ASKING | {"contacts": LEADS},
        {"tools": {"requireApproval": ["orders.*"]}},
        {"tools": {"requireApproval": ["refunds.*"], "deny": ["refunds.create"]}},
        {"tools": {"requireApproval": ["refunds.*"], "allow": ["orders.find"]}},
    ],
)
def test_objects_that_agree_are_taken(spec: dict[str, Any]) -> None:
    model = {"provider": "openai", "name": "gpt-5"}
    assert told(registry(), policy(**spec), model=model) == ("ResolvedRefs", "Resolved", "")


def test_a_policy_alone_contradicts_nobody() -> None:
    lonely = policy(tools={"allow": ["gone"], "deny": ["*"]}, models={"allow": ["none"]})
    assert told(lonely, toolRegistryRef=None)[1] == "Resolved"


def test_a_model_that_an_auditing_policy_does_not_allow_goes_out_and_is_told_of() -> None:
    watching = policy(mode="Audit", models={"allow": ["claude-*"]})
    model = {"provider": "openai", "name": "gpt-5"}
    condition, reason, message = told(registry(), watching, model=model)
    assert (condition, reason) == ("ResolvedRefs", "Resolved")
    assert message.startswith("Agent support asks model gpt-5, which AgentPolicy policy does not")


@pytest.mark.parametrize(
    ("tools", "remark"),
    [
        ({"deny": ["*"]}, "spec.tools.deny has *: no tool may be called"),
        (
            {"allow": ["a.*", "b", "c"], "deny": ["a.*", "b", "c.d"]},
            "deny wins: a.*, b is allowed and denied",
        ),
        ({"allow": ["a.*"], "deny": ["a.b"]}, ""),
        (None, ""),
    ],
)
def test_what_a_policy_allows_and_denies_at_once_is_shown_on_it(
    tools: dict[str, Any] | None, remark: str
) -> None:
    document = policy(tools=tools) if tools else policy()
    status = report_policy(AgentPolicy.model_validate(document), {}, Simulation([]).now, {})
    assert (status.conditions[0].reason, status.conditions[0].message) == ("Valid", remark)
    patterns = tools or {}
    assert status.allowed == len(patterns.get("allow", []))
    assert status.denied == len(patterns.get("deny", []))


def test_a_contradiction_that_is_mended_goes_out_by_itself() -> None:
    refs = {"toolRegistryRef": {"name": "tools"}, "policyRef": {"name": "policy"}}
    sim = Simulation([registry(), policy(**ASKING), *everything(**refs)])
    sim.settle()
    assert sim.condition("ResolvedRefs")["reason"] == "CrossCheckFailed"
    sim.store(policy(**ASKING, contacts=LEADS))
    sim.settle()
    assert sim.status["phase"] == "Healthy"
