"""What stands under a version's name is taken up only where it is proved to be that version."""

import copy
from typing import Any

import pytest

from tests.support.manifests import everything
from tests.support.simulation import Simulation
from turnout.api.base import VersionRef
from turnout.core import naming
from turnout.core.adoption import (
    content_problem,
    deployment_problem,
    in_question,
    rendered_for,
    service_problem,
    versions_that_matter,
)
from turnout.core.intake import Wanted, take_in
from turnout.core.world import Child, Stored, Unread, World

NEVER: frozenset[str] = frozenset()


@pytest.fixture
def sim() -> Simulation:
    made = Simulation(everything())
    made.settle()
    return made


def stable(sim: Simulation) -> VersionRef:
    status = sim.status["stable"]
    return VersionRef(version=status["version"], digest=status["digest"])


def content(world: World, ref: VersionRef) -> Stored:
    found = world.stored[ref.version]
    assert isinstance(found, Stored)
    return found


def deployment(world: World, ref: VersionRef) -> Child:
    found = world.ours("Deployment", ref.version)
    assert found is not None
    return found


def changed(sim: Simulation, kind: str, ref: VersionRef, change: Any) -> World:
    document = copy.deepcopy(sim.get(kind, ref.version))
    change(document)
    sim.objects[kind, ref.version] = document
    return sim.world()


def test_an_index_entry_vouches_for_what_bears_its_name(sim: Simulation) -> None:
    ref = stable(sim)
    assert not in_question(sim.world(), ref, NEVER)
    assert in_question(sim.world(), ref, {ref.version})
    del sim.objects["AgentVersion", ref.version]
    assert in_question(sim.world(), ref, NEVER)


def test_a_version_without_any_object_is_in_no_question(sim: Simulation) -> None:
    ref = VersionRef(version="support-0123456789", digest="sha256:" + "0123456789" * 6 + "0123")
    assert not in_question(sim.world(), ref, {ref.version})
    assert content_problem(sim.world(), ref, Unread("gone")) is None
    assert service_problem(sim.world(), ref) is None


def test_stable_the_candidate_and_what_is_wanted_matter_each_once(sim: Simulation) -> None:
    world, ref = sim.world(), stable(sim)
    wanted = take_in(world)
    assert isinstance(wanted, Wanted)
    assert list(versions_that_matter(world, wanted)) == [ref]
    assert list(versions_that_matter(world, None)) == [ref]


def test_what_the_operator_made_is_proved(sim: Simulation) -> None:
    world, ref = sim.world(), stable(sim)
    found = deployment(world, ref)
    rendered = rendered_for(world, ref, content(world, ref), found)
    assert rendered["metadata"]["uid"] == found.uid
    assert content_problem(world, ref, content(world, ref)) is None
    assert service_problem(world, ref) is None
    assert deployment_problem(found, rendered) is None


def test_an_edit_of_what_is_no_content_does_not_disprove_a_deployment(sim: Simulation) -> None:
    ref = stable(sim)
    sim.patch(
        "Agent",
        sim.agent_name,
        {
            "spec": {
                "deployment": {"minReadySeconds": 9, "progressDeadline": "7m", "maxSurge": 1},
                "traffic": {"drainTimeout": "5m"},
                "replicas": 7,
            }
        },
    )
    world = sim.world()
    found = deployment(world, ref)
    made = rendered_for(world, ref, content(world, ref), found)
    without_strategy = {key: value for key, value in made["spec"].items() if key != "strategy"}
    assert without_strategy == found.document["spec"]


def test_a_grace_period_that_is_content_is_rendered_and_not_taken_as_found(sim: Simulation) -> None:
    world, ref = sim.world(), stable(sim)
    known = content(world, ref)
    grace = {"spec": {**known.template["spec"], "terminationGracePeriodSeconds": 5}}
    made = rendered_for(world, ref, Stored(grace, known.files), deployment(world, ref))
    assert made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 5


def test_a_deployment_that_a_dry_run_would_change_is_not_ours(sim: Simulation) -> None:
    world, ref = sim.world(), stable(sim)
    found = deployment(world, ref)
    shown = copy.deepcopy(dict(found.document))
    shown["spec"]["template"]["spec"]["containers"][0]["image"] = "example/agent:other"
    problem = deployment_problem(found, shown)
    assert problem is not None
    assert problem.startswith(f"Deployment {ref.version} does not run")


def test_content_with_another_digest_is_not_ours(sim: Simulation) -> None:
    world, ref = sim.world(), stable(sim)
    known = content(world, ref)
    other = Stored(known.template, known.files, digest="sha256:" + "0" * 64)
    assert "does not hold the content" in (content_problem(world, ref, other) or "")
    assert "is damaged" in (content_problem(world, ref, Unread("it is damaged")) or "")


def test_content_under_a_name_that_its_digest_does_not_begin_with_is_not_ours(
    sim: Simulation,
) -> None:
    ref = stable(sim)
    other = VersionRef(version="support-0123456789", digest=ref.digest)
    found = copy.deepcopy(sim.get("ConfigMap", ref.version))
    found["metadata"]["name"] = other.version
    sim.objects["ConfigMap", other.version] = found
    world = sim.world()
    assert "does not hold the content" in (content_problem(world, other, content(world, ref)) or "")


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["spec"]["selector"].update({naming.VERSION_LABEL: "other"}),
        lambda one: one["spec"].update({"type": "ExternalName", "externalName": "elsewhere"}),
    ],
)
def test_a_service_that_leads_elsewhere_is_not_ours(sim: Simulation, change: Any) -> None:
    ref = stable(sim)
    assert "leads elsewhere" in (service_problem(changed(sim, "Service", ref, change), ref) or "")
