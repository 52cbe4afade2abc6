"""The example agent with its writes led to stubs: it does as well, and the shop books nothing."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from standin.server import application as shop
from tests.examples.mounted import EXAMPLE, spec
from tests.examples.serving import FAST, agent, served
from tests.support.home import Home
from tests.support.mcp_server import serve
from tests.support.operator import free_port
from turnout.api.suite_task import TaskFormat
from turnout.api.tools import ToolRegistrySpec
from turnout.core.suites.datasets import read
from turnout.core.suites.reported import sum_of
from turnout.core.views import view
from turnout.evals.protocols.talk import Endpoint
from turnout.jobs.evaluation.agent import Agent
from turnout.jobs.evaluation.order import put
from turnout.jobs.evaluation.runner import Pace, Runner
from turnout.jobs.reach import Reach
from turnout.stubs.answers import stubs_of
from turnout.stubs.records import Records
from turnout.stubs.server import application

GOLDEN = read(TaskFormat.YAML, (EXAMPLE / "evals" / "golden.yaml").read_text(), "golden.yaml")


@asynccontextmanager
async def watched_shop(called: Counter[str]) -> AsyncIterator[str]:
    """Serve the stand-in, and count which of its tools are called."""

    @web.middleware
    async def count(request: web.Request, handler: object) -> web.StreamResponse:
        if request.path.startswith("/tools/"):
            called[request.path.removeprefix("/tools/")] += 1
        assert callable(handler)
        response: web.StreamResponse = await handler(request)
        return response

    app = shop(FAST)
    app.middlewares.append(count)
    async with served(app) as url:
        yield url


async def test_golden_tasks_are_kept_by_an_agent_whose_writes_do_nothing(tmp_path: Path) -> None:
    called: Counter[str] = Counter()
    records = Records(lambda _line: None)
    port = free_port()
    async with watched_shop(called) as url:
        registry = spec("tools")
        registry["servers"][0]["url"] = f"{url}/tools"
        seen = view(ToolRegistrySpec.model_validate(registry), f"http://localhost:{port}")
        with serve(application(stubs_of(seen.stubbed), records), port):
            async with (
                agent(tmp_path, url, tools=seen.tools.to_wire()) as (address, _),
                Reach(Home()).client() as client,
            ):
                endpoint = Endpoint(f"{address}/v1/chat/completions", calls_path="$.task.calls")
                runner = Runner(Agent(client, endpoint, 30), Pace(concurrency=2))
                tasks = [put(one) for one in GOLDEN[::3]]
                ran = await runner.run(tasks, lambda _progress: None)
    assert sum_of(list(ran.trials.values())).passed == len(tasks)
    assert set(called) == {"orders.lookup", "knowledge.search"}
    stubbed = records.to_wire()["counts"]
    assert set(stubbed) == {"refunds.create", "replacements.create", "tickets.create"}
    assert all(set(one) == {"Answered"} for one in stubbed.values())
