"""The stand-in over HTTP: an OpenAI client can talk to it, and so can a tool caller."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from openai import AsyncOpenAI, BadRequestError

from standin.shop import TOOLS
from standin.toolbox import Purpose, Tool, sort
from tests.examples.mounted import prompt_text, spec
from tests.examples.play import play
from tests.examples.serving import standin

CLAIM = "Order 1042 arrived broken, I want my money back."
LOOKUP: Any = {
    "type": "function",
    "function": {
        "name": "orders_lookup",
        "description": "Look an order up.",
        "parameters": {"type": "object", "properties": {"orderId": {"type": "string"}}},
    },
}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with standin() as url:
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
        yield client


def messages(prompt: str) -> Any:
    return [{"role": "system", "content": prompt}, {"role": "user", "content": CLAIM}]


async def test_a_client_gets_the_same_tool_call_whole_and_in_pieces(client: AsyncOpenAI) -> None:
    asked = messages(prompt_text("prompt"))
    whole = await client.chat.completions.create(model="m", messages=asked, tools=[LOOKUP])
    (call,) = whole.choices[0].message.model_dump()["tool_calls"]
    assert call["function"] == {"name": "orders_lookup", "arguments": '{"orderId": "1042"}'}
    assert whole.choices[0].finish_reason == "tool_calls"
    async with client.chat.completions.stream(model="m", messages=asked, tools=[LOOKUP]) as stream:
        pieces = await stream.get_final_completion()
    assert pieces.choices[0].message.model_dump()["tool_calls"][0]["id"] == call["id"]


async def test_the_same_request_gets_the_same_answer(client: AsyncOpenAI) -> None:
    asked = messages("Reply in JSON.")
    answers = [await client.chat.completions.create(model="m", messages=asked) for _ in range(3)]
    assert len({answer.model_dump_json() for answer in answers}) == 1


async def test_a_prompt_that_wants_long_thoughts_costs_tokens(client: AsyncOpenAI) -> None:
    quick = await client.chat.completions.create(model="m", messages=messages("Be kind."))
    slow = await client.chat.completions.create(
        model="m", messages=messages("Think every task through step by step.")
    )
    assert quick.usage is not None
    assert slow.usage is not None
    assert slow.usage.completion_tokens > 10 * quick.usage.completion_tokens


async def test_a_tool_that_is_not_given_is_not_called(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="m", messages=messages(prompt_text("prompt"))
    )
    assert answer.choices[0].message.tool_calls is None


@pytest.mark.parametrize(
    "request_body",
    [{"messages": []}, {"messages": "x"}, {"messages": [{"role": "user"}], "tools": [1]}],
)
async def test_a_request_that_is_none_is_refused(
    client: AsyncOpenAI, request_body: dict[str, Any]
) -> None:
    with pytest.raises(BadRequestError, match=r"messages|tools"):
        await client.post("/chat/completions", body=request_body, cast_to=object)


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "said"),
    [
        ("orders.lookup", {"orderId": "1042"}, 200, "entitledTo"),
        ("orders.lookup", {"orderId": "1000"}, 200, "found"),
        ("orders.lookup", {"orderId": 7}, 400, "BadOrderNumber"),
        ("refunds.create", {"orderId": "1042", "amountUSD": "5"}, 200, "refundId"),
        ("refunds.create", {"orderId": "1042", "amountUSD": "NaN"}, 400, "BadAmount"),
        ("refunds.create", {"orderId": "1042", "amountUSD": "much"}, 400, "BadAmount"),
        ("refunds.create", {"orderId": "1000", "amountUSD": "5"}, 404, "NoSuchOrder"),
        ("replacements.create", {"orderId": "1042"}, 200, "replacementId"),
        ("tickets.create", {}, 400, "NoSummary"),
        ("knowledge.search", {"query": "shipping?"}, 200, "kb-shipping"),
        ("knowledge.search", {}, 400, "NoQuery"),
        ("orders.delete", {}, 404, "NoSuchTool"),
        ("orders.lookup", [], 400, "BadArguments"),
    ],
)
async def test_the_shop_answers_calls_and_refuses_wrong_ones(
    url: str, tool: str, arguments: object, status: int, said: str
) -> None:
    async with (
        ClientSession() as http,
        http.post(f"{url}/tools/{tool}", json=arguments) as response,
    ):
        assert response.status == status
        assert said in await response.text()


def test_most_orders_are_entitled_to_something_and_some_to_nothing() -> None:
    records = [TOOLS["orders.lookup"]({"orderId": str(n)}) for n in range(1001, 9999)]
    entitled = [record["entitledTo"] for record in records]
    assert 0.4 < sum("refund" in grants for grants in entitled) / len(records) < 0.7
    assert 0.1 < sum(not grants for grants in entitled) / len(records) < 0.3


def test_each_tool_of_the_registry_serves_its_purpose() -> None:
    tools = [Tool(t["name"].replace(".", "_"), t["description"]) for t in spec("tools")["tools"]]
    assert {purpose: tool.name for purpose, tool in sort(tools).items()} == {
        Purpose.LOOKUP: "orders_lookup",
        Purpose.REFUND: "refunds_create",
        Purpose.REPLACEMENT: "replacements_create",
        Purpose.TICKET: "tickets_create",
        Purpose.SEARCH: "knowledge_search",
    }


@pytest.mark.parametrize(
    ("description", "serves"),
    [
        ("Retrieves the record of a purchase.", True),
        ("Do not use this to look an order up.", False),
        ("Weather forecast.", False),
    ],
)
def test_a_tools_purpose_is_read_from_its_description(description: str, *, serves: bool) -> None:
    assert Tool("t", description).serves(Purpose.LOOKUP) is serves


def test_a_forbidden_rule_is_broken_even_where_it_is_a_habit() -> None:
    forbidding = f"{prompt_text('prompt')} Never look an order up."
    runs = [play(forbidding, f"Please refund order {number}.") for number in range(1001, 1040)]
    assert not any("orders_lookup" in move for run in runs for move in run.moves)
