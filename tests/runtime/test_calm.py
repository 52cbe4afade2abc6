"""An Agent that nobody woke since all was well is looked at in short."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from tests.support.manifests import everything, prompt, strategy
from tests.support.simulation import Simulation
from turnout.adapters.documents import AGENT, Ref
from turnout.api.rollout import AgentRollout
from turnout.core.decide import decide
from turnout.core.plan import Action
from turnout.core.world import World
from turnout.errors import Conflict
from turnout.runtime.apply import Hand
from turnout.runtime.calm import Glance, Glances
from turnout.runtime.memory import Memory
from turnout.runtime.observe import Observer
from turnout.runtime.store import Refs

REF = Ref(AGENT, "demo", "support")
OTHER = Ref(AGENT, "demo", "billing")


class Eyes(Observer):
    """Sees what a simulation has."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self.holds = True
        self.meanwhile: Callable[[], None] = lambda: None

    @override
    async def look_again(self, seen: World, memory: Memory) -> World:
        now = self._sim.world()
        self.meanwhile()
        return replace(seen, now=now.now, readings=now.readings, ledger=now.ledger)

    @override
    def rollouts(self, ref: Ref) -> tuple[AgentRollout, ...]:
        return self._sim.world().rollouts

    @override
    def still_holds(self, seen: World) -> bool:
        return self.holds


class Pen(Hand):
    """Writes into a simulation."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self.meanwhile: Callable[[], None] = lambda: None

    @override
    async def apply(self, action: Action) -> Refs:
        self._sim.apply(action)
        self.meanwhile()
        return frozenset({REF, OTHER})


def seen_by(sim: Simulation) -> World:
    """See a world without contents: no version of it lacks its pods."""
    return replace(sim.world(), stored={})


@pytest.fixture
def sim() -> Simulation:
    steps: list[dict[str, Any]] = [{"setWeight": 50}, {"pause": {}}]
    found = Simulation(everything(strategy=strategy(steps)))
    found.settle()
    found.store(prompt("better"))
    found.settle()
    found.run(60)
    assert found.outcomes[-1].is_calm
    return found


@pytest.fixture
def eyes(sim: Simulation) -> Eyes:
    return Eyes(sim)


@pytest.fixture
def pen(sim: Simulation) -> Pen:
    return Pen(sim)


@pytest.fixture
def glances(sim: Simulation, eyes: Eyes, pen: Pen) -> Glances:
    made = Glances(eyes, pen)
    made.keep(REF, seen_by(sim), sim.outcomes[-1], Memory())
    sim.serve(10)
    return made


async def test_one_that_nobody_woke_is_decided_by_evidence_alone(
    sim: Simulation, glances: Glances
) -> None:
    memory = Memory()
    seen = await glances.look(REF, memory)
    assert seen.outcome == sim.reconcile()
    assert memory.ledger == sim.outcomes[-1].ledger
    sim.serve(10)
    assert (await glances.look(REF, memory)).outcome == sim.reconcile()


async def until_evidence_is_due(sim: Simulation, glances: Glances) -> Glance:
    """Look every ten seconds until evidence is to be written down."""
    memory = Memory()
    for _ in range(31):
        seen = await glances.look(REF, memory)
        assert seen.outcome is not None
        sim.remember(sim.world(), seen.outcome)
        if seen.outcome.decision.actions:
            return seen
        assert await glances.write_down(REF, seen) == frozenset()
        sim.serve(10)
    pytest.fail("five minutes went by")


async def test_evidence_is_written_down_and_looks_go_on_in_short(
    sim: Simulation, glances: Glances
) -> None:
    before = sim.world().rollouts[-1].status
    for _ in range(3):
        seen = await until_evidence_is_due(sim, glances)
        assert seen.outcome == decide(sim.world())
        assert await glances.write_down(REF, seen) == {OTHER}
        sim.serve(10)
    after = sim.world().rollouts[-1].status
    written = [one.gate.checkpointed_at if one.gate else None for one in (before, after)]
    assert written[0] is not None
    assert written[1] is not None
    assert written[1] - written[0] >= timedelta(minutes=15)


async def test_one_that_is_woken_while_evidence_is_written_down_is_seen_in_full(
    sim: Simulation, glances: Glances, pen: Pen
) -> None:
    pen.meanwhile = lambda: glances.stir(REF)
    await glances.write_down(REF, await until_evidence_is_due(sim, glances))
    assert await glances.look(REF, Memory()) == Glance()


async def test_one_whose_record_is_not_as_it_was_written_is_seen_in_full(
    sim: Simulation, glances: Glances, pen: Pen
) -> None:
    pen.meanwhile = lambda: sim.rollout["status"].update(message="somebody else's")
    await glances.write_down(REF, await until_evidence_is_due(sim, glances))
    assert await glances.look(REF, Memory()) == Glance()


async def test_one_whose_evidence_could_not_be_written_down_is_seen_in_full(
    sim: Simulation, glances: Glances, pen: Pen
) -> None:
    def conflict() -> None:
        raise Conflict("changed meanwhile")

    pen.meanwhile = conflict
    seen = await until_evidence_is_due(sim, glances)
    with pytest.raises(Conflict):
        await glances.write_down(REF, seen)
    assert await glances.look(REF, Memory()) == Glance()


async def test_one_that_was_woken_is_seen_in_full(glances: Glances) -> None:
    before = glances.wakes(REF)
    glances.stir(REF)
    assert glances.wakes(REF) == before + 1
    assert await glances.look(REF, Memory()) == Glance()


async def test_one_that_is_woken_meanwhile_is_seen_in_full_and_its_metrics_not_asked_again(
    eyes: Eyes, glances: Glances
) -> None:
    eyes.meanwhile = lambda: glances.stir(REF)
    seen = await glances.look(REF, Memory())
    assert seen.outcome is None
    assert seen.readings


async def test_where_there_is_something_to_do_everything_is_seen(
    sim: Simulation, glances: Glances
) -> None:
    sim.traffic.quality[sim.candidate] = 0.0
    sim.serve(50)
    seen = await glances.look(REF, Memory())
    assert seen.outcome is None
    assert seen.readings
    assert await glances.look(REF, Memory()) == Glance()


async def test_other_surroundings_are_another_world(eyes: Eyes, glances: Glances) -> None:
    eyes.holds = False
    assert await glances.look(REF, Memory()) == Glance()


async def test_what_is_gone_is_forgotten(glances: Glances) -> None:
    glances.stir(REF)
    glances.forget(REF)
    assert glances.wakes(REF) == 0
    assert await glances.look(REF, Memory()) == Glance()


async def test_what_is_in_trouble_or_not_watched_is_seen_in_full(
    sim: Simulation, eyes: Eyes, pen: Pen
) -> None:
    world, calm = seen_by(sim), sim.outcomes[-1]
    glances = Glances(eyes, pen)
    glances.keep(REF, world, calm, Memory(refused={"support": "quota"}))
    glances.keep(REF, replace(world, foreign={"support": "not ours"}), calm, Memory())
    glances.keep(REF, sim.world(), calm, Memory())
    glances.keep(REF, world, sim.outcomes[0], Memory())
    assert await glances.look(REF, Memory()) == Glance()
