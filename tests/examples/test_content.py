"""What the agent makes of the mounted files, and of a policy."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support_agent.content import Content, ContentError, load
from support_agent.documents import Limits, Policy, Tool
from support_agent.model import parameters
from support_agent.policy import Permission, Spending, Usage, matches, permission
from tests.examples.mounted import mount

URL = "http://shop.example/tools"


def edited(folder: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> Content:
    mount(folder, URL)
    document = json.loads((folder / name).read_text())
    edit(document)
    (folder / name).write_text(json.dumps(document))
    return load(folder)


def test_mounted_content_is_read_with_its_prompt_byte_for_byte(tmp_path: Path) -> None:
    text = "  Sei höflich.\r\n\tLook the order up. \n\n"
    mount(tmp_path, URL)
    (tmp_path / "prompt.support-system.txt").write_bytes(text.encode())
    content = load(tmp_path)
    assert content.prompts == ({"role": "system", "content": text},)
    assert content.tools["orders_lookup"].url == f"{URL}/orders.lookup"
    assert content.policy.limits.timeout == timedelta(minutes=1)


def test_prompts_keep_their_order_and_a_fragment_continues_the_one_before(tmp_path: Path) -> None:
    roles = {"a": "Fragment", "b": "Fragment", "c": "Developer", "d": "User"}
    mount(tmp_path, URL)
    for name in roles:
        (tmp_path / f"{name}.txt").write_text(name)
    content = edited_again(
        tmp_path,
        [{"name": name, "role": role, "file": f"{name}.txt"} for name, role in roles.items()],
    )
    assert [(m["role"], m["content"]) for m in content.prompts] == [
        ("system", "a\n\nb"),
        ("developer", "c"),
        ("user", "d"),
    ]


def edited_again(folder: Path, prompts: list[dict[str, str]]) -> Content:
    document = json.loads((folder / "agent.json").read_text())
    (folder / "agent.json").write_text(json.dumps({**document, "prompts": prompts}))
    return load(folder)


def test_an_agent_without_tools_and_policy_has_none_and_no_limits(tmp_path: Path) -> None:
    def edit(agent: dict[str, Any]) -> None:
        del agent["tools"], agent["policy"]

    content = edited(tmp_path, "agent.json", edit)
    assert content.tools == {}
    assert content.policy == Policy()


def test_fields_that_are_not_known_are_left_alone(tmp_path: Path) -> None:
    assert edited(tmp_path, "policy.json", lambda policy: policy.update(rules=[{"name": "x"}]))


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        ("agent.json", lambda d: d.pop("model"), "agent.json: model: Field required"),
        ("agent.json", lambda d: d["model"].update(extra="[1]"), "agent.json: model.extra"),
        ("agent.json", lambda d: d.update(tools="../x"), "agent.json: tools"),
        ("agent.json", lambda d: d["prompts"][0].update(format="Jinja"), "prompts.0.format"),
        ("agent.json", lambda d: d["prompts"][0].update(file="gone"), "gone: No such file"),
        ("tools.json", lambda d: d["tools"][0].update(server="crm"), "there is no server crm"),
        ("tools.json", lambda d: d["tools"][0].update(name="refunds_create"), "as well"),
        ("tools.json", lambda d: d["tools"][0].update(inputSchema="{"), "tools.0.inputSchema"),
        ("tools.json", lambda d: d["servers"][0].update(type="MCP"), "servers.0.type"),
        ("policy.json", lambda d: d["limits"].update(timeout="2 weeks"), "limits.timeout"),
        ("policy.json", lambda d: d["limits"].update(timeout=""), "limits.timeout"),
    ],
)
def test_content_that_cannot_be_used_is_named_by_file_and_place(
    tmp_path: Path, name: str, edit: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(ContentError, match=says):
        edited(tmp_path, name, edit)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    mount(tmp_path, URL)
    (tmp_path / "prompt.support-system.txt").write_bytes(b"\xff")
    with pytest.raises(ContentError, match="is not UTF-8 text"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({}, {}),
        ({"temperature": "0.2", "maxTokens": 9}, {"temperature": 0.2, "max_tokens": 9}),
        ({"provider": "openai", "maxTokens": 9}, {"max_completion_tokens": 9}),
        (
            {"extra": '{"seed": 7, "messages": [], "stream": false}'},
            {"extra_body": {"seed": 7}},
        ),
    ],
)
def test_model_parameters_reach_the_request_and_extra_replaces_none_of_ours(
    tmp_path: Path, model: dict[str, Any], expected: dict[str, Any]
) -> None:
    def edit(agent: dict[str, Any]) -> None:
        agent["model"] = {"provider": "compatible", "name": "m", **model}

    assert parameters(edited(tmp_path, "agent.json", edit).model) == expected


@pytest.mark.parametrize(
    ("patterns", "name", "met"),
    [
        (["orders.lookup"], "orders.lookup", True),
        (["orders.lookup"], "orders.lookup2", False),
        (["orders.*"], "orders.lookup", True),
        (["*"], "anything", True),
        (["*.lookup"], "orders.lookup", False),
        ([], "orders.lookup", False),
    ],
)
def test_a_pattern_is_exact_or_ends_in_a_star(patterns: list[str], name: str, *, met: bool) -> None:
    assert matches(patterns, name) is met


def tool(approval: str = "NotRequired") -> Tool:
    return Tool.model_validate(
        {"name": "refunds.create", "server": "s", "sideEffect": "Write", "approval": approval}
    )


@pytest.mark.parametrize(
    ("tools", "approval", "expected"),
    [
        ({}, "NotRequired", Permission.GRANTED),
        ({}, "Required", Permission.NEEDS_APPROVAL),
        ({"allow": ["orders.*"]}, "NotRequired", Permission.NOT_ALLOWED),
        ({"allow": ["*"], "deny": ["refunds.*"]}, "NotRequired", Permission.DENIED),
        ({"requireApproval": ["refunds.*"]}, "NotRequired", Permission.NEEDS_APPROVAL),
        ({"deny": ["*"], "requireApproval": ["*"]}, "Required", Permission.DENIED),
    ],
)
def test_a_denial_outweighs_an_allowance_and_an_approval(
    tools: dict[str, list[str]], approval: str, expected: Permission
) -> None:
    policy = Policy.model_validate({"mode": "Enforce", "tools": tools})
    assert permission(policy, tool(approval)) is expected


def test_tokens_become_money_by_their_prices() -> None:
    spent = Spending(price_input=Decimal(3), price_output=Decimal(15))
    spent.add(Usage(input=100_000, output=20_000))
    assert spent.cost == Decimal("0.6")
    limits = Limits.model_validate({"maxCostPerTaskUSD": "0.50"})
    assert spent.limit_before_step(limits) == "MaxCostPerTask"
    assert spent.limit_before_step(Limits()) is None
