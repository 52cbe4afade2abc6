"""What the command line shows of objectives, and how a person acknowledges switches."""

import pytest

from tests.cli.test_account import record_of, seen, told
from tests.support.drifting import registry
from tests.support.manifests import everything, prompt, strategy
from tests.support.simulation import Simulation
from turnout.api.rollout import AgentRollout
from turnout.cli.account import account_document, account_of
from turnout.cli.intents import acknowledge
from turnout.cli.sight import Sight, sight_document
from turnout.errors import Invalid

ANSWERS = {"name": "answers", "metric": "tasks", "target": "99%", "window": "2h"}
EDITED = registry("Find it.")
DRIFTED = registry("Find it.", live="Find an order.")


@pytest.fixture
def serving() -> Simulation:
    """An agent with an objective that has answered everything well for three minutes."""
    sim = Simulation(everything(objectives=[ANSWERS]))
    sim.settle()
    sim.run(180)
    return sim


def test_an_objective_is_shown_with_what_is_left_of_its_budget(serving: Simulation) -> None:
    row = "  answers   99% in 2h   100%   0 over 2h, 0 over 1h, 0 over 5m, 0 over 6h, 0 over 30m"
    assert row in seen(serving)
    assert row in told(serving)


def test_a_budget_that_burns_and_one_that_is_unknown_say_so(serving: Simulation) -> None:
    serving.traffic.quality[serving.stable] = 0.5
    serving.run(360)
    assert "Burning, " in seen(serving)
    assert "answers: failures use up the error budget (99% in 2h) too fast" in seen(serving)


def test_programs_get_promises_and_numbers_together(serving: Simulation) -> None:
    record = record_of(serving)
    (one,) = sight_document(Sight(record, None, serving.now))["objectives"]
    assert one.items() >= {**ANSWERS, "state": "Within", "remaining": "100%"}.items()
    assert account_document(account_of(record, None), serving.now)["objectives"] == [one]


def test_an_agent_without_objectives_shows_none() -> None:
    sim = Simulation(everything())
    sim.settle()
    assert "BUDGET" not in seen(sim)
    assert "BUDGET" not in told(sim)


@pytest.fixture
def flapping() -> Simulation:
    """An agent whose server changed its mind twice: a third switch waits for a person."""
    watched = strategy([{"setWeight": 25}], watch={"bake": "10s", "flapWindow": "1h"})
    spec = {"strategy": watched, "toolRegistryRef": {"name": "tools"}}
    sim = Simulation([registry("Find an order."), *everything(**spec)])
    for change in (EDITED, DRIFTED, EDITED, DRIFTED):
        sim.settle()
        sim.run(300)
        sim.store(change)
    sim.settle()
    return sim


def test_a_person_acknowledges_and_the_agent_switches_again(flapping: Simulation) -> None:
    assert "NEXT     turnout acknowledge support" in told(flapping)
    wish = acknowledge(record_of(flapping), "ada", "the server is fixed")
    assert wish.ref.name == "support-r4"
    assert wish.patch == {"spec": {"acknowledge": {"by": "ada", "reason": "the server is fixed"}}}
    assert wish.does.startswith("support may switch by itself again, which it waits for: two ")
    assert not wish.asks
    flapping.patch("AgentRollout", wish.ref.name, {"spec": {"acknowledge": {"by": "ada"}}})
    with pytest.raises(Invalid, match="ada has acknowledged them already"):
        acknowledge(record_of(flapping), "bo", None)
    flapping.settle()
    flapping.run(60)
    rollout = AgentRollout.model_validate(flapping.rollout)
    assert (rollout.spec.number, rollout.spec.trigger) == (5, "DriftFallback")
    with pytest.raises(Invalid, match="support waits for nobody's acknowledgement"):
        acknowledge(record_of(flapping), "ada", None)


def test_a_person_acknowledges_that_a_version_stands_in() -> None:
    watched = strategy([{"setWeight": 25}], watch={"bake": "10s"})
    sim = Simulation(everything(strategy=watched))
    sim.settle()
    sim.run(30)
    sim.store(prompt("another text"))
    sim.settle()
    sim.run(2400)
    named = {"onDrift": "Fallback", "fallbackVersion": sim.version_names[0]}
    sim.patch("Agent", "support", {"spec": {"strategy": {"watch": named}}})
    sim.traffic.quality[sim.stable] = 0.5
    sim.run(1200)
    assert sim.stable == sim.version_names[0]
    assert "NEXT     turnout acknowledge support" in told(sim)
    wish = acknowledge(record_of(sim), "ada", None)
    assert wish.ref.name == "support-r3"
    assert "goes out again once a person acknowledges that" in wish.does


def test_what_a_rollout_has_cost_is_told_with_its_part_of_the_budget() -> None:
    sim = Simulation(everything(objectives=[ANSWERS]))
    sim.settle()
    sim.run(300)
    sim.traffic.quality["v2"] = 0.5
    sim.store(prompt("another text"))
    sim.settle()
    sim.run(180)
    assert sim.rollout["status"]["phase"] == "RolledBack"
    (spent,) = sim.rollout["status"]["gate"]["budget"]
    (metric,) = sim.rollout["status"]["gate"]["metrics"]
    assert float(metric["extraFailures"]) == pytest.approx(float(spent["failures"]))
    said = (
        f"task-success: {float(spent['failures']):.0f} failures that stable would not have had, "
        f"{spent['spent']} of the error budget of answers ({float(spent['allowed']):.0f})"
    )
    assert f"COST     {said}" in told(sim)
    assert f"COST  {said}" in seen(sim)
