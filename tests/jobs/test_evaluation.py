"""The runner: protocols, patience and pace; and the example agent as a process, really asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from standin.server import Latency
from tests.examples.serving import FAST, agent, served, standin
from tests.examples.test_process import running
from tests.support.home import Home
from turnout.api.graders import Grader
from turnout.core.suites.counts import Trials
from turnout.evals.protocols.talk import Endpoint, Message, Protocol
from turnout.jobs.addresses import Borders
from turnout.jobs.evaluation.agent import Agent, NoAnswer
from turnout.jobs.evaluation.runner import Pace, Progress, Runner, Task
from turnout.jobs.reach import Reach

HELLO = (Message("user", "Hello?"),)
TWO = (*HELLO, Message("assistant", "Yes?"), *HELLO)


def grader(**rule: Any) -> Grader:
    return Grader.model_validate({"name": "g", **rule})


def task(name: str, text: str = "Hello?", **rule: Any) -> Task:
    return Task(name, (Message("user", text),), (grader(**(rule or {"exact": {"text": "yes"}})),))


@asynccontextmanager
async def asked(
    answered: Callable[[web.Request], Any], *, patience: float = 5, **endpoint: Any
) -> AsyncIterator[Agent]:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = await answered(request)
        assert isinstance(response, web.StreamResponse)
        return response

    app = web.Application()
    app.router.add_post("/ask", handle)
    async with served(app) as url, Reach(Home()).client() as client:
        yield Agent(client, Endpoint(f"{url}/ask", **endpoint), patience)


async def problem(agent: Agent) -> NoAnswer:
    with pytest.raises(NoAnswer) as refused:
        await agent.ask(HELLO)
    return refused.value


@pytest.mark.parametrize(
    ("status", "reason", "is_passing"),
    [
        (429, "RateLimited", True),
        (503, "Refused", True),
        (500, "Refused", False),
        (404, "Refused", False),
    ],
)
async def test_a_status_is_told_and_only_some_pass(
    *, status: int, reason: str, is_passing: bool
) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="secret", headers={"Retry-After": "7"})

    async with asked(refuse) as agent:
        met = await problem(agent)
    assert (met.reason, met.is_passing, met.after) == (reason, is_passing, 7.0)
    assert "secret" not in str(met)


@pytest.mark.parametrize("header", ["soon", "-1", "nan", "inf", ""])
async def test_a_wait_that_is_no_number_is_none(header: str) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": header})

    async with asked(refuse) as agent:
        assert (await problem(agent)).after is None


async def test_an_answer_that_is_no_answer_or_no_text_is_an_error() -> None:
    bodies = iter([b'{"output": 7}', b"\xff", b"[" * 100_000])

    async def tell(_request: web.Request) -> web.Response:
        return web.Response(body=next(bodies))

    async with asked(tell, protocol=Protocol.HTTP) as agent:
        met = [await problem(agent) for _ in range(3)]
    assert [one.reason for one in met] == ["Unreadable"] * 3
    assert not any(one.is_passing for one in met)


async def test_an_agent_that_takes_too_long_is_an_error() -> None:
    never = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with asked(wait, patience=0.05) as agent:
        met = await problem(agent)
        never.set()
    assert (met.reason, met.is_passing) == ("TimedOut", False)


async def test_a_redirect_and_a_closed_address_are_refused() -> None:
    async def away(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})

    async with asked(away) as agent:
        assert (await problem(agent)).reason == "RedirectRefused"
    async with Reach(Borders()).client() as client:
        met = await problem(Agent(client, Endpoint("http://127.0.0.1:9/ask"), 5))
    assert (met.reason, met.is_passing) == ("AddressRefused", False)


async def test_nobody_at_the_address_may_be_there_later() -> None:
    async with Reach(Home()).client() as client:
        met = await problem(Agent(client, Endpoint("http://127.0.0.1:9/ask"), 5))
    assert (met.reason, met.is_passing) == ("Unreachable", True)


async def test_a_conversation_that_a_protocol_cannot_carry_is_not_asked() -> None:
    async with Reach(Home()).client() as client:
        agent = Agent(client, Endpoint("http://127.0.0.1:9/ask", Protocol.A2A), 5)
        with pytest.raises(NoAnswer, match="one message, the task has 3"):
            await agent.ask(TWO)


CLAIM = "Order {} arrived broken, I want my money back."


def claim(name: str, order: str, resolution: str) -> Task:
    rule = {"path": "$.resolution", "equals": resolution}
    return task(name, CLAIM.format(order), jsonPath=rule)


async def test_the_example_agent_is_really_asked(tmp_path: Path) -> None:
    """It runs as a process of its own; two of its tasks are stated wrongly on purpose."""
    tasks = [
        claim("refund", "1042", "refund"),
        claim("replace", "4011", "replace"),
        claim("escalate", "5150", "escalate"),
        claim("wrong-hope", "6203", "refund"),
        task("amount", CLAIM.format("1042"), number={"value": "142.67", "path": "$.amountUSD"}),
        task("article", "Which warranty is there?", contains={"allOf": ["kb-warranty"]}),
        task("way", "Which warranty is there?", trajectory={"mostCalls": 5}),
    ]
    told: list[Progress] = []
    async with (
        running(tmp_path, FAST) as (_, url),
        Reach(Home()).client() as client,
    ):
        agent = Agent(client, Endpoint(f"{url}/v1/chat/completions", model="support"), 30)
        found = await Runner(agent, Pace(concurrency=3)).run(tasks, told.append)
    passed = dict.fromkeys(("refund", "replace", "escalate", "amount", "article"), Trials(1))
    assert dict(found.trials) == passed | {"wrong-hope": Trials(0, 1), "way": Trials(0, 0, 1)}
    assert dict(found.errors) == {"Ungraded": 1}
    assert told[-1].done == len(tasks)


CHECKED = {
    "calls": [
        {"tool": "orders.lookup", "arguments": '{"orderId": "1042"}'},
        {"tool": "refunds.create", "argumentsSchema": '{"required": ["orderId", "amountUSD"]}'},
    ],
    "mostRepeats": 1,
}


@pytest.mark.parametrize(("prompt", "passed"), [("prompt", 1), ("prompt-worse", 0)])
async def test_a_prompt_that_drops_a_rule_is_seen_by_its_calls(
    *, tmp_path: Path, prompt: str, passed: int
) -> None:
    async with (
        standin() as shop,
        agent(tmp_path, shop, prompt=prompt) as (url, _),
        Reach(Home()).client() as client,
    ):
        endpoint = Endpoint(f"{url}/v1/chat/completions", calls_path="$.task.calls")
        asked = task("verify-order", CLAIM.format("1042"), trajectory=CHECKED)
        told: list[Progress] = []
        found = await Runner(Agent(client, endpoint, 30), Pace()).run([asked], told.append)
    assert dict(found.trials) == {"verify-order": Trials(passed, 1 - passed)}


async def test_an_agent_without_its_model_meets_errors_and_never_fails(tmp_path: Path) -> None:
    told: list[Progress] = []
    async with (
        running(tmp_path, Latency(reply=30, piece=0)) as (_, url),
        Reach(Home()).client() as client,
    ):
        agent = Agent(client, Endpoint(f"{url}/v1/chat/completions"), 0.3)
        found = await Runner(agent, Pace()).run([claim("a", "1042", "refund")], told.append)
    assert dict(found.trials) == {"a": Trials(0, 0, 1)}
    assert dict(found.errors) == {"TimedOut": 1}
