"""What presses is done first, and the next looks find the rest."""

from typing import Any

from tests.support.manifests import GATE, everything, prompt, strategy
from tests.support.simulation import Simulation
from turnout.api.rollout import RolloutPhase
from turnout.core.decide import decide
from turnout.core.plan import Action, Apply, Record
from turnout.runtime.apply import pressing


def about_to_be_taken_back() -> Simulation:
    """An Agent whose candidate fails every request, a look before that is decided."""
    steps: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {}}]
    gate = GATE | {"failures": {"count": 1, "of": 1}}
    sim = Simulation(everything(strategy=strategy(steps), gate=gate))
    sim.settle()
    sim.store(prompt("better"))
    sim.settle()
    sim.run(30)
    sim.traffic.quality[sim.candidate] = 0.0
    while decide(sim.world()).decision.rule != "regressed":
        sim.serve(1)
    return sim


def names(actions: tuple[Action, ...]) -> list[str]:
    kinds = (one.target.kind if isinstance(one, Record) else kind_of(one) for one in actions)
    return list(kinds)


def kind_of(action: Action) -> str:
    return str(action.manifest["kind"]) if isinstance(action, Apply) else type(action).__name__


def test_on_the_way_back_record_and_route_come_before_all_else() -> None:
    actions = decide(about_to_be_taken_back().world()).decision.actions
    assert names(pressing(actions)) == ["AgentRollout", "HTTPRoute"]
    assert len(actions) > 2


def test_looks_that_do_only_what_presses_come_to_the_same_end() -> None:
    sim, other = about_to_be_taken_back(), about_to_be_taken_back()
    other.settle()
    looks = 0
    while actions := pressing(decide(sim.world()).decision.actions):
        looks += 1
        for one in actions:
            sim.apply(one)
    assert looks == 2
    assert sim.rollout["status"]["phase"] == RolloutPhase.ROLLED_BACK.value
    assert sim.route() == other.route()
    assert sim.status == other.status


def test_whatever_else_is_decided_is_done_at_once() -> None:
    sim = Simulation(everything())
    actions = decide(sim.world()).decision.actions
    assert actions
    assert pressing(actions) == actions
