"""Which versions may be gone back to where tools drifted, and what their tools are."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.drifting import registry
from tests.support.manifests import everything
from tests.support.simulation import Simulation
from turnout.api.tools import ToolRegistrySpec
from turnout.core.fallback import candidates, stored_tools, tools_of
from turnout.core.pins import digest_of_tool

NEWEST = "text 4"


@pytest.fixture
def sim() -> Simulation:
    """An agent that had four versions, whose registry drifted."""
    steps: list[dict[str, Any]] = [{"setWeight": 25}]
    made = Simulation(
        [registry(), *everything(toolRegistryRef={"name": "tools"}, strategy={"steps": steps})]
    )
    made.settle()
    for number in (2, 3, 4):
        made.run(10)
        made.store(registry(f"text {number}"))
        made.settle()
        made.run(120)
    made.store(registry(NEWEST, "Find an order."))
    return made


def data(sim: Simulation) -> tuple[dict[str, str], str]:
    """Give the files of stable's content, and its digest."""
    stable = sim.status["stable"]
    return dict(sim.get("ConfigMap", stable["version"])["data"]), stable["digest"]


def test_the_tools_of_a_version_are_those_that_a_server_tells_with_its_address(
    sim: Simulation,
) -> None:
    digest = digest_of_tool("orders.find", NEWEST, {"type": "object"})
    address = "https://crm.example.com/mcp"
    assert stored_tools(*data(sim)) == {"orders.find": (address, digest)}


@pytest.mark.parametrize("server", [{"type": "HTTP"}, {"name": "another"}])
def test_a_tool_that_no_server_tells_of_is_none_of_them(server: dict[str, str]) -> None:
    spec = registry()["spec"]
    spec["servers"] = [spec["servers"][0] | server]
    assert tools_of(ToolRegistrySpec.model_validate(spec)) == {}


def test_content_that_is_damaged_or_another_has_no_tools(sim: Simulation) -> None:
    files, digest = data(sim)
    assert stored_tools(files, "sha256:" + "0" * 64) is None
    assert stored_tools(files | {"tools.json": "{}"}, digest) is None
    assert stored_tools({}, digest) is None


def test_stable_comes_first_and_then_whoever_served_last(sim: Simulation) -> None:
    names = [one.metadata.name for one in candidates(sim.world())]
    assert names == sim.version_names[::-1]


def test_versions_that_served_too_long_ago_are_none(sim: Simulation) -> None:
    sim.let_pass(timedelta(days=8).total_seconds())
    assert [one.metadata.name for one in candidates(sim.world())] == sim.version_names[-1:]


def test_a_version_whose_content_was_lost_is_none(sim: Simulation) -> None:
    del sim.objects["ConfigMap", sim.version_names[1]]
    assert sim.version_names[1] not in {one.metadata.name for one in candidates(sim.world())}


def test_while_the_servers_tell_what_is_pinned_nobody_is_looked_for(sim: Simulation) -> None:
    sim.store(registry(NEWEST))
    assert candidates(sim.world()) == ()
