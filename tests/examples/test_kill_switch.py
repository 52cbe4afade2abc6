"""The agent under a kill switch that is thrown while it works."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from support_agent.documents import Tool
from support_agent.kill import STOPPED, Order, Orders
from tests.examples.serving import agent, ask, call, samples, script, served, standin

CLAIM = "Order 1042 arrived broken, I want my money back."
LOOKUP = call("orders_lookup", json.dumps({"orderId": "1042"}))
TOOL = Tool.model_validate(
    {"name": "orders.lookup", "server": "crm", "inputSchema": "{}", "sideEffect": "Read"}
)


@pytest.fixture
async def shop() -> AsyncIterator[str]:
    async with standin() as url:
        yield url


def throwing(throw: Callable[[], object]) -> web.Application:
    """A model that wants a tool, and before whose second reply somebody throws a switch."""
    app = script(LOOKUP, LOOKUP, {"content": "done"})
    asked = iter((False, True))

    async def meanwhile(request: web.Request, handler: Handler) -> web.StreamResponse:
        if next(asked, False):
            throw()
        return await handler(request)

    app.middlewares.append(web.middleware(meanwhile))
    return app


async def test_a_tool_that_is_killed_in_a_run_is_refused_at_its_next_call(
    shop: str, tmp_path: Path
) -> None:
    orders = tmp_path / "orders"
    orders.mkdir()
    (orders / "order.json").write_text("")

    def throw() -> None:
        (orders / "order.json").write_text('{"agent": "Allow", "tools": ["orders.*"]}')

    audit = {"mode": "Audit"}
    async with (
        served(throwing(throw)) as model,
        agent(
            tmp_path,
            shop,
            model=model,
            settings={"TURNOUT_KILL_DIR": str(orders)},
            policy=audit,
        ) as (url, _),
    ):
        answer = await ask(url, CLAIM)
        counted = await samples(url)
    assert answer["task"]["toolCalls"] == 2
    assert counted["agent_tool_calls_total/success/orders.lookup"] == 1
    assert counted["agent_tool_calls_total/refused/orders.lookup"] == 1
    assert counted["agent_policy_violations_total/Killed"] == 1


@pytest.mark.parametrize(
    "order",
    ['{"agent": "Stop"}', '{"traffic": "Stopped"}', '{"agent": "Perhaps"}', "{", '{"tools": 7}'],
)
async def test_a_run_ends_once_the_agent_is_stopped(shop: str, tmp_path: Path, order: str) -> None:
    orders = tmp_path / "orders"
    orders.mkdir()
    async with (
        served(throwing(lambda: (orders / "order.json").write_text(order))) as model,
        agent(tmp_path, shop, model=model, settings={"TURNOUT_KILL_DIR": str(orders)}) as (url, _),
    ):
        answer = await ask(url, CLAIM)
        counted = await samples(url)
    assert (answer["task"]["outcome"], answer["task"]["reason"]) == ("limited", "Stopped")
    assert counted["agent_tool_calls_total/success/orders.lookup"] == 1
    assert counted["agent_tool_calls_total/refused/orders.lookup"] == 0


@pytest.mark.parametrize(
    ("own", "standing", "forbidden"),
    [
        (None, None, False),
        ("", "", False),
        ("", '{"tools": ["orders.lookup"]}', True),
        (None, '{"tools": ["orders.*"]}', True),
        ('{"agent": "Allow", "tools": []}', '{"tools": ["orders.*"]}', False),
        ('{"tools": ["refunds.create"]}', '{"tools": ["orders.*"]}', False),
        ('{"tools": ["orders.lookup"], "new": 1}', "", True),
        ("{", "", True),
    ],
)
def test_a_pods_own_order_goes_before_the_standing_one(
    tmp_path: Path, own: str | None, standing: str | None, *, forbidden: bool
) -> None:
    for name, text in (("order.json", own), ("standing-order.json", standing)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert Orders(tmp_path).now().forbids(TOOL) is forbidden


def test_where_there_is_no_place_for_orders_nothing_is_stopped_and_one_that_is_barred_stops(
    tmp_path: Path,
) -> None:
    assert Orders(tmp_path / "absent").now() == Order()
    (tmp_path / "order.json").mkdir()
    assert Orders(tmp_path).now() == STOPPED
