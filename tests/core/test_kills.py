"""A kill between any two writes leads to the same end, and no weight is written twice."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tests.support.histories import History, histories, live
from tests.support.manifests import everything, prompt, strategy
from tests.support.simulation import Simulation
from tests.support.watched import Watched
from turnout.core.decide import Outcome
from turnout.core.plan import Apply, Create
from turnout.simulation.cluster import Document


class Mortal(Watched):
    """An operator that is killed before the writes of these numbers, and starts again."""

    deaths: frozenset[int] = frozenset()

    @override
    def reconcile(self, *, stop_after: int | None = None) -> Outcome:
        written = len(self.written)
        fatal = [number - written for number in self.deaths if number >= written]
        outcome = super().reconcile(stop_after=min(fatal, default=None))
        if fatal and len(outcome.decision.actions) > min(fatal):
            self.deaths -= {written + min(fatal)}
        return outcome


def promotion(sim: Simulation) -> None:
    sim.settle()
    sim.store(prompt("better"))
    sim.settle()
    sim.run(120)


def rollback(sim: Simulation) -> None:
    sim.settle()
    sim.traffic.quality["v2"] = 0.5
    sim.store(prompt("worse"))
    sim.settle()
    sim.run(120)


def succession(sim: Simulation) -> None:
    sim.settle()
    for text in ("second", "third"):
        sim.store(prompt(text))
        sim.settle()
        sim.run(6)
    sim.intend(abort={"by": "ada"})
    sim.settle()
    sim.intend(retry={"by": "ada"})
    sim.settle()
    sim.run(20)


def masked(sim: Simulation) -> list[Document]:
    """Give all objects without what may differ between two runs: identities and fences.

    A timeline may say that a weight was not in force while nobody was there to write it.
    """
    objects = copy.deepcopy(sorted(sim.objects.values(), key=_order))
    for one in objects:
        for key in ("uid", "resourceVersion", "ownerReferences"):
            one["metadata"].pop(key, None)
        one.get("status", {}).pop("timeline", None)
    return objects


def _order(document: Document) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def route_writes(sim: Simulation) -> list[Any]:
    written = (one for one in sim.written if isinstance(one, Create | Apply))
    routes = (one.manifest for one in written if one.manifest["kind"] == "HTTPRoute")
    return [one["spec"]["rules"][0]["backendRefs"] for one in routes]


@pytest.mark.parametrize("tale", [promotion, rollback, succession])
def test_a_kill_before_any_write_changes_nothing_in_the_end(
    tale: Callable[[Simulation], None],
) -> None:
    steps: list[Document] = [{"setWeight": 25}, {"pause": {"duration": "10s"}}]
    documents = everything(strategy=strategy(steps, scaleDownDelay="20s"))
    reference = Mortal(documents)
    tale(reference)
    for number in range(len(reference.written)):
        sim = Mortal(documents)
        sim.deaths = frozenset({number})
        tale(sim)
        assert not sim.deaths, f"nothing was killed before write {number}"
        assert masked(sim) == masked(reference), f"killed before write {number}"
        assert route_writes(sim) == route_writes(reference), f"killed before write {number}"


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories(12), st.sets(st.integers(0, 60), max_size=8))
def test_kills_anywhere_in_any_history_change_no_weight(history: History, deaths: set[int]) -> None:
    acts = tuple(one for one in history.acts if one[0] != "operator")
    quiet = History(**{**vars(history), "acts": acts})
    reference = live(quiet, Mortal)
    sim = live_with_deaths(quiet, frozenset(deaths))
    assert [weights for _, weights in sim.weights] == [weights for _, weights in reference.weights]
    assert route_writes(sim) == route_writes(reference)


def live_with_deaths(history: History, deaths: frozenset[int]) -> Mortal:
    class Doomed(Mortal):
        pass

    Doomed.deaths = deaths
    return live(history, Doomed)
