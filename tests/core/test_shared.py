"""What people who edit a Prompt, ToolRegistry or AgentPolicy read on it."""

from datetime import UTC, datetime
from typing import Any

from tests.support.manifests import everything, kind, prompt
from tests.support.simulation import Simulation
from turnout.api.agent import Agent, DesiredStatus
from turnout.api.base import Condition, ConditionStatus
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.use import Use, UseState
from turnout.core.lineup import Place, Turn
from turnout.core.policies import report_policy
from turnout.core.prompts import report_prompt
from turnout.core.shared import accepted
from turnout.core.world import Unread

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def conditions(found: tuple[Condition, ...]) -> dict[str, str]:
    return {one.type: f"{one.status.value} {one.reason}" for one in found}


def reported(sim: Simulation) -> Any:
    source = Prompt.model_validate(sim.get("Prompt", "support-system"))
    users = {"support": Agent.model_validate(sim.get("Agent", "support"))}
    return report_prompt(source, source, users, NOW)


def test_an_edit_that_waits_for_its_turn_everywhere_is_queued() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.store(prompt("another text"))
    sim.turn = Turn(may_begin=False, since=NOW, place=Place(1, 1, "3 of 3 rollouts run"))
    sim.settle()
    told = reported(sim)
    assert [use.state for use in told.used_by] == [UseState.QUEUED]
    assert conditions(told.conditions)["RolledOut"] == "Unknown Queued"


def test_an_edit_is_in_progress_until_every_agent_has_promoted_it() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.store(prompt("better"))
    status = reported(sim)
    assert status.used_by[0].state is UseState.PENDING
    sim.settle()
    status = reported(sim)
    assert status.used_by[0].state is UseState.IN_PROGRESS
    assert conditions(status.conditions) == {
        "Accepted": "True Valid",
        "Resolved": "True Resolved",
        "RolledOut": "Unknown InProgress",
        "Ready": "Unknown InProgress",
        "Reconciling": "True InProgress",
    }
    sim.run(120)
    status = reported(sim)
    assert status.used_by[0].state is UseState.PROMOTED
    assert conditions(status.conditions)["RolledOut"] == "True AllPromoted"


def test_an_edit_that_was_taken_back_is_stalled_and_names_the_agents() -> None:
    sim = Simulation(everything())
    sim.settle()
    sim.traffic.quality["v2"] = 0.5
    sim.store(prompt("worse"))
    sim.settle()
    sim.run(60)
    status = reported(sim)
    assert status.used_by[0].state is UseState.REJECTED
    assert conditions(status.conditions)["Stalled"] == "True RolledBack"
    assert "support" in next(one.message for one in status.conditions if one.type == "RolledOut")


def test_an_object_that_nobody_uses_is_rolled_out() -> None:
    policy = AgentPolicy.model_validate(kind("AgentPolicy", "policy", {"mode": "Audit"}))
    status = report_policy(policy, {}, NOW, {})
    assert conditions(status.conditions)["RolledOut"] == "True NotUsed"
    assert status.digest is not None


def test_every_agent_is_judged_and_those_beyond_the_list_are_counted() -> None:
    sim = Simulation(everything())
    sim.settle()
    source = Prompt.model_validate(sim.get("Prompt", "support-system"))
    promoted = Agent.model_validate(sim.get("Agent", "support"))
    taken_back = promoted.status.model_copy(
        update={
            "desired": DesiredStatus(version="other-1", digest="sha256:" + "0" * 64, rejected=True)
        }
    )
    users: dict[str, Agent | Unread] = {f"a{number:03}": promoted for number in range(256)}
    users["last"] = promoted.model_copy(update={"status": taken_back})
    status = report_prompt(source, source, users, NOW)
    assert (len(status.used_by), status.truncated) == (256, 1)
    [told] = (one for one in status.conditions if one.type == "RolledOut")
    assert (told.status, told.reason) == (ConditionStatus.FALSE, "RolledBack")


def test_an_agent_that_cannot_be_read_is_waited_for() -> None:
    sim = Simulation(everything())
    sim.settle()
    source = Prompt.model_validate(sim.get("Prompt", "support-system"))
    status = report_prompt(source, source, {"support": Unread("spec.replicas is many")}, NOW)
    assert status.used_by == (Use(agent="support", state=UseState.PENDING),)
    assert conditions(status.conditions)["RolledOut"] == "Unknown InProgress"
    assert status.truncated is None


def test_a_condition_keeps_its_time_while_it_says_the_same() -> None:
    first = accepted((), 1, NOW)
    later = accepted(first, 2, NOW.replace(hour=5))
    assert conditions(later) == {"Accepted": "True Valid", "Ready": "True Valid"}
    assert later[0].last_transition_time == NOW
    assert later[0].observed_generation == 2
