"""The agent under its policy: tools that are refused, and limits that end a task."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from standin.server import Latency
from tests.examples.serving import agent, ask, samples, standin

CLAIM = "Order 1042 arrived broken, I want my money back."


@pytest.fixture
async def shop() -> AsyncIterator[str]:
    async with standin() as url:
        yield url


async def test_a_denied_tool_is_refused_to_the_model_and_the_run_goes_on(
    shop: str, tmp_path: Path
) -> None:
    policy = {"mode": "Enforce", "tools": {"allow": ["*"], "deny": ["orders.*"]}}
    async with agent(tmp_path, shop, policy=policy) as (url, _):
        answer = await ask(url, CLAIM)
        counted = await samples(url)
    assert answer["task"]["outcome"] == "failure"
    assert counted["agent_tool_calls_total/refused/orders.lookup"] == 1
    assert counted["agent_policy_violations_total/Denied"] == 1
    assert counted["agent_tool_calls_total/success/refunds.create"] == 1


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        ({"tools": {"allow": ["orders.*"]}}, "NotAllowed"),
        ({"tools": {"requireApproval": ["refunds.create", "replacements.*"]}}, "NeedsApproval"),
    ],
)
async def test_a_tool_that_is_not_granted_is_not_called(
    shop: str, tmp_path: Path, policy: dict[str, Any], rule: str
) -> None:
    async with agent(tmp_path, shop, policy={"mode": "Enforce", **policy}) as (url, _):
        await ask(url, CLAIM)
        counted = await samples(url)
    assert counted[f"agent_policy_violations_total/{rule}"] >= 1
    assert counted["agent_tool_calls_total/success/refunds.create"] == 0


async def test_an_audited_policy_counts_and_lets_pass(shop: str, tmp_path: Path) -> None:
    policy = {
        "mode": "Audit",
        "tools": {"deny": ["orders.*"]},
        "models": {"allow": ["other-*"]},
        "limits": {"maxSteps": 1, "maxToolCalls": 1},
    }
    async with agent(tmp_path, shop, policy=policy) as (url, _):
        answer = await ask(url, CLAIM)
        counted = await samples(url)
    assert answer["task"]["outcome"] == "success"
    for rule in ("Denied", "ModelNotAllowed", "MaxSteps", "MaxToolCalls"):
        assert counted[f"agent_policy_violations_total/{rule}"] >= 1


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"limits": {"maxSteps": 2}}, "MaxSteps"),
        ({"limits": {"maxToolCalls": 1}}, "MaxToolCalls"),
        ({"limits": {"maxTokensPerTask": 100}}, "MaxTokensPerTask"),
        ({"limits": {"maxCostPerTaskUSD": "0.001"}}, "MaxCostPerTask"),
        ({"models": {"allow": ["gpt-*"]}}, "ModelNotAllowed"),
    ],
)
async def test_a_limit_ends_the_task_with_its_name(
    shop: str, tmp_path: Path, policy: dict[str, Any], reason: str
) -> None:
    prices = {"MODEL_PRICE_INPUT_USD": "3", "MODEL_PRICE_OUTPUT_USD": "15"}
    enforced = {"mode": "Enforce", **policy}
    async with agent(tmp_path, shop, policy=enforced, settings=prices) as (url, _):
        answer = await ask(url, CLAIM)
        counted = await samples(url)
    assert (answer["task"]["outcome"], answer["task"]["reason"]) == ("limited", reason)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert counted["agent_tasks_total/limited"] == 1


async def test_a_task_that_takes_too_long_is_limited(tmp_path: Path) -> None:
    policy = {"mode": "Enforce", "limits": {"timeout": "1s"}}
    async with (
        standin(Latency(reply=60)) as shop,
        agent(tmp_path, shop, policy=policy) as (url, _),
    ):
        answer = await ask(url, CLAIM)
    assert (answer["task"]["outcome"], answer["task"]["reason"]) == ("limited", "Timeout")
