"""What is made for a version stands only on content that is that version's."""

import copy

import pytest

from tests.support.manifests import everything
from tests.support.simulation import Simulation
from turnout.core import naming
from turnout.core.decide import decide
from turnout.core.plan import Create


def made(sim: Simulation) -> list[tuple[str, str]]:
    actions = decide(sim.world()).decision.actions
    created = (one.manifest for one in actions if isinstance(one, Create))
    return [(one["kind"], one["metadata"]["name"]) for one in created]


@pytest.fixture
def bereft() -> Simulation:
    """An agent at rest whose stable Deployment somebody deleted."""
    sim = Simulation(everything())
    sim.settle()
    del sim.objects["Deployment", sim.status["stable"]["version"]]
    return sim


def test_pods_are_made_again_over_the_config_map_of_their_version(bereft: Simulation) -> None:
    assert ("Deployment", bereft.status["stable"]["version"]) in made(bereft)


def test_no_pods_are_made_over_a_config_map_that_notes_another_digest(bereft: Simulation) -> None:
    stable = bereft.status["stable"]["version"]
    content = copy.deepcopy(bereft.get("ConfigMap", stable))
    content["metadata"]["annotations"][naming.DIGEST] = "sha256:" + "0" * 64
    bereft.objects["ConfigMap", stable] = content
    assert ("Deployment", stable) not in made(bereft)
