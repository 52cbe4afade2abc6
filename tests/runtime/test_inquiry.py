"""Who does worse is asked about: the same few questions for all, and only while somebody does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from tests.runtime.test_drifts import Scene, Services, ref, world
from tests.support.manifests import everything, prompt
from tests.support.simulation import Simulation
from turnout.adapters.documents import AGENT, Ref
from turnout.adapters.metrics import Part, PartsQuery
from turnout.core.clues import MOST_PARTS, Suspect
from turnout.core.world import World
from turnout.errors import MetricsUnavailable
from turnout.runtime.inquiry import MOST_AGENTS, NOW, Inquiry

STABLE = "support-0000000000"
CANDIDATE = "support-1111111111"
SUSPECTS = {ref(): Suspect("default", (STABLE,))}
TOOLS = "gen_ai_execute_tool_duration_seconds_count"
OF_MCP = "mcp_client_operation_duration_seconds_count"
ANSWERS = "gen_ai_client_operation_duration_seconds_count"
END = Scene().watch.time


class Calls(Services):
    """Services whose agents call tools and models.

    Attributes:
        failed: Of a hundred calls of each tool now, by version.
        tools: Tools that each version calls.
        source: Series that count them.
        models: Who answers a hundred calls, before and now: model and fingerprint.
    """

    def __init__(self) -> None:
        super().__init__()
        self.broken: dict[str, dict[str, float]] = {STABLE: {"refund": 40.0}}
        self.tools = ["refund", "orders"]
        self.source = TOOLS
        self.models = [("gpt-x-1", ""), ("gpt-x-1", "")]

    @override
    def calls(self, query: PartsQuery) -> Mapping[Part, float]:
        is_now = query.window == NOW
        if query.metric == ANSWERS:
            model = self.models[is_now]
            return {Part("demo", version, model): 100.0 for version in self.broken}
        if query.metric != self.source:
            return {}
        is_fine = "error_type" in query.match_labels
        return {
            Part("demo", version, (tool,)): 100.0
            - (failed.get(tool, 1.0) if is_now else 1.0) * is_fine
            for version, failed in self.broken.items()
            for tool in self.tools[: query.most]
        }

    @override
    async def beginnings(self, provider: str, query: PartsQuery) -> Mapping[Part, float]:
        self.asked_of_parts.append(query)
        return {Part("demo", STABLE, self.models[1]): END.timestamp() - 1234.0}


async def found(calls: Calls, suspects: Mapping[Ref, Suspect] = SUSPECTS) -> str:
    inquiry = Inquiry(calls)
    await inquiry.look(suspects, END)
    return inquiry.clues(ref()).sentence


@pytest.mark.parametrize("source", [TOOLS, OF_MCP])
async def test_the_tool_that_fails_more_often_is_found_by_either_series(source: str) -> None:
    calls = Calls()
    calls.source = source
    assert await found(calls) == "tool refund: 40.0% of its calls fail, 1.0% before"


async def test_of_two_versions_both_must_suffer_from_it() -> None:
    calls, both = Calls(), {ref(): Suspect("default", (STABLE, CANDIDATE))}
    calls.broken[CANDIDATE] = {}
    assert await found(calls, both) == ""
    calls.broken[CANDIDATE] = {"refund": 60.0}
    assert await found(calls, both) == "tool refund: 50.0% of its calls fail, 1.0% before"


async def test_another_model_is_found_with_its_fingerprint_and_since_when() -> None:
    calls = Calls()
    calls.broken[STABLE] = {}
    calls.models[1] = ("gpt-x-1", "fp_2")
    assert await found(calls) == (
        "the model that answers is gpt-x-1 (fp_2) since 2026-01-01 11:39Z, gpt-x-1 before"
    )


async def test_since_when_is_asked_only_where_a_model_is_another_one() -> None:
    calls = Calls()
    await found(calls)
    same = len(calls.asked_of_parts)
    calls.models[1] = ("gpt-x-2", "")
    await found(calls)
    assert len(calls.asked_of_parts) == 2 * same + 1


async def test_more_tools_than_are_looked_at_are_said_to_be_left_out() -> None:
    calls = Calls()
    calls.tools = [f"tool-{number}" for number in range(MOST_PARTS + 5)]
    calls.broken[STABLE] = {"tool-1": 50.0}
    assert "(of the 16 tools that are called most)" in await found(calls)


async def test_without_an_answer_nothing_is_told() -> None:
    calls = Calls()
    calls.error = MetricsUnavailable("Timeout", "no answer in 5s")
    assert await found(calls) == ""


class Cut(Calls):
    """Services of which the successes of the tools that are called most are cut off."""

    @override
    def calls(self, query: PartsQuery) -> Mapping[Part, float]:
        if query.metric != TOOLS or "error_type" not in query.match_labels:
            return super().calls(query)
        others = [f"other-{number}" for number in range(query.most)]
        return {Part("demo", STABLE, (tool,)): 1.0 for tool in others}


async def test_calls_of_which_it_is_not_known_how_many_succeeded_are_no_failures() -> None:
    assert await found(Cut()) == ""


async def test_all_who_suffer_are_asked_about_together_and_again_after_some_minutes() -> None:
    calls = Calls()
    inquiry = Inquiry(calls)
    many = {
        Ref(AGENT, f"team-{number % 3}", f"agent-{number}"): Suspect("default", ("v",))
        for number in range(MOST_AGENTS)
    }
    await inquiry.look(SUSPECTS, END)
    alone = len(calls.asked_of_parts)
    await inquiry.look(SUSPECTS | many, END + timedelta(minutes=1))
    assert len(calls.asked_of_parts) == 2 * alone
    assert calls.asked_of_parts[-1].namespaces == ("team-0", "team-1", "team-2")
    assert len(calls.asked_of_parts[-1].agents) == MOST_AGENTS
    await inquiry.look(SUSPECTS | many, END + timedelta(minutes=4))
    assert len(calls.asked_of_parts) == 2 * alone
    await inquiry.look(SUSPECTS | many, END + timedelta(minutes=6))
    assert len(calls.asked_of_parts) == 3 * alone
    assert "support" in calls.asked_of_parts[-1].agents


async def test_who_does_well_again_is_forgotten() -> None:
    inquiry = Inquiry(Calls())
    assert await inquiry.look(SUSPECTS, END) == [ref()]
    assert await inquiry.look(SUSPECTS, END + timedelta(minutes=5)) == []
    assert await inquiry.look({}, END + timedelta(minutes=6)) == []
    assert inquiry.clues(ref()).tools == ()


async def test_nobody_is_asked_about_while_all_do_well_and_who_does_worse_is_explained() -> None:
    services = Calls()
    scene = Scene(services)
    scene.attend(world())
    await scene.minutes(40)
    assert services.asked_of_parts == []
    services.failed["demo", "support"] = 30.0
    await scene.minutes(10)
    assert scene.told() == "Degraded Tool"
    told = scene.worlds[ref()].agent.status.drift
    assert told is not None
    assert [one.name for one in told.tools] == ["refund"]


def held_for_both() -> World:
    """See a rollout both versions of which do badly."""
    sim = Simulation(everything())
    sim.settle()
    sim.run(30)
    sim.traffic.quality = dict.fromkeys((sim.stable, "v2"), 0.5)
    sim.store(prompt("better"))
    sim.settle()
    sim.run(60)
    assert sim.rollout["status"]["reason"] == "BothArmsDegraded"
    return sim.world()


async def test_a_rollout_that_is_held_for_both_arms_is_woken_with_what_was_found() -> None:
    services = Calls()
    scene, held = Scene(services), held_for_both()
    stable, candidate = (
        one.version for one in (held.rollouts[-1].spec.from_, held.rollouts[-1].spec.to) if one
    )
    services.broken = {stable: {"refund": 40.0}, candidate: {"refund": 40.0}}
    assert scene.drifts.attend(ref(), held).clues.tools == ()
    await scene.drifts.look(END)
    assert scene.woken[-1] == {ref()}
    assert [one.name for one in scene.drifts.attend(ref(), held).clues.tools] == ["refund"]
    await scene.drifts.look(END + timedelta(minutes=5))
    assert scene.woken[-1] == frozenset()
    scene.drifts.attend(ref(), replace(held, rollouts=()))
    asked = len(services.asked_of_parts)
    await scene.drifts.look(END + timedelta(minutes=10))
    assert len(services.asked_of_parts) == asked
