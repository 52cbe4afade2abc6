"""What a rollout says of its cause: the parts that changed, the program that wrote, and why."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.manifests import everything, prompt
from tests.support.simulation import Simulation
from turnout.api.base import VersionRef
from turnout.api.rollout import Cause
from turnout.core.cause import cause_of
from turnout.core.intake import Wanted, take_in
from turnout.core.stable import stable_of

LONG_AGO = "2020-06-01T00:00:00Z"


def written(
    document: dict[str, Any], manager: str, time: str = LONG_AGO, why: str | None = None
) -> dict[str, Any]:
    """Let a program write a document, and a person say why."""
    book = [
        {"manager": "turnout", "operation": "Apply", "time": "2099-01-01T00:00:00Z"}
        | {"subresource": "status"},
        {"manager": "helm", "operation": "Apply", "time": "2020-01-01T00:00:00Z"},
        {"manager": manager, "operation": "Update", "time": time},
    ]
    notes = {} if why is None else {"kubernetes.io/change-cause": why}
    noted = {"managedFields": book, "annotations": notes}
    return document | {"metadata": document["metadata"] | noted}


def later(sim: Simulation, seconds: int) -> str:
    """Name a moment after the present, and let it come."""
    sim.run(seconds)
    return f"{sim.now:%Y-%m-%dT%H:%M:%SZ}"


def cause(sim: Simulation) -> dict[str, Any]:
    found: dict[str, Any] = sim.rollout["spec"]["cause"]
    return found


@pytest.fixture
def sim() -> Simulation:
    sim = Simulation([written(one, "kubectl-create", why="first") for one in everything()])
    sim.settle()
    return sim


def _edited(sim: Simulation, **spec: Any) -> dict[str, Any]:
    agent = sim.get("Agent", "support")
    return agent | {"spec": agent["spec"] | spec}


def test_a_first_version_has_all_parts(sim: Simulation) -> None:
    assert cause(sim) == {
        "planes": ["Runtime", "Prompt"],
        "changeCause": "first",
        "changedBy": {"manager": "kubectl-create"},
    }


def test_a_changed_prompt_tells_its_own_cause_and_manager(sim: Simulation) -> None:
    now = later(sim, 30)
    sim.store(written(prompt("shorter"), "argocd-controller", now, "shorter refunds"))
    sim.settle()
    assert cause(sim) == {
        "planes": ["Prompt"],
        "changeCause": "shorter refunds",
        "changedBy": {"manager": "argocd-controller"},
    }


def test_a_stale_cause_of_another_object_is_not_told(sim: Simulation) -> None:
    scaled, now = later(sim, 30), later(sim, 30)
    sim.store(written(_edited(sim, replicas=3), "kubectl-edit", scaled, "more pods"))
    sim.settle()
    sim.store(written(prompt("shorter"), "kubectl-edit", now))
    sim.settle()
    assert cause(sim) == {"planes": ["Prompt"], "changedBy": {"manager": "kubectl-edit"}}


def test_a_changed_model_is_the_agents(sim: Simulation) -> None:
    now = later(sim, 30)
    model = {"provider": "openai", "name": "small"}
    sim.store(written(_edited(sim, model=model), "flux", now, "cheaper"))
    sim.settle()
    assert cause(sim) == {
        "planes": ["Model"],
        "changeCause": "cheaper",
        "changedBy": {"manager": "flux"},
    }


def test_another_reference_is_the_agents_change(sim: Simulation) -> None:
    sim.store(written(prompt("other", "other"), "helm"))
    now = later(sim, 30)
    refs = [{"name": "other"}]
    sim.store(written(_edited(sim, promptRefs=refs), "kubectl-patch", now, "other prompt"))
    sim.settle()
    assert cause(sim)["planes"] == ["Prompt"]
    assert cause(sim)["changedBy"] == {"manager": "kubectl-patch"}


def test_objects_that_one_command_applied_speak_together(sim: Simulation) -> None:
    now = later(sim, 30)
    model = {"provider": "openai", "name": "small"}
    sim.store(written(_edited(sim, model=model), "kubectl", now))
    sim.store(written(prompt("shorter"), "kubectl", now, "both at once"))
    sim.settle()
    assert cause(sim)["planes"] == ["Prompt", "Model"]
    assert cause(sim)["changeCause"] == "both at once"


def test_a_pin_is_a_change_of_the_agent(sim: Simulation) -> None:
    sim.store(written(prompt("shorter"), "kubectl", later(sim, 30)))
    sim.settle()
    sim.intend(promote={"mode": "Full", "by": "ada"})
    now = later(sim, 60)
    pinned = _edited(sim, pinnedVersion=sim.version_names[0])
    sim.store(written(pinned, "turnout-person", now))
    sim.settle()
    assert cause(sim) == {"planes": ["Prompt"], "changedBy": {"manager": "turnout-person"}}


def test_nobody_is_named_where_no_object_tells(sim: Simulation) -> None:
    silent = prompt("shorter")
    silent["metadata"] |= {"managedFields": [], "annotations": {}}
    later(sim, 30)
    sim.store(silent)
    sim.settle()
    assert cause(sim) == {"planes": ["Prompt"]}


def test_without_the_version_before_no_part_is_named(sim: Simulation) -> None:
    sim.store(written(prompt("shorter"), "kubectl", later(sim, 30), "why not"))
    world = sim.world()
    wanted = take_in(world)
    assert isinstance(wanted, Wanted)
    found = cause_of(replace(world, versions={}), wanted, stable_of(world))
    assert found == Cause()


def test_a_pinned_version_without_its_index_entry_tells_no_part(sim: Simulation) -> None:
    world = sim.world()
    stable = stable_of(world)
    wanted = take_in(world)
    assert stable is not None
    assert isinstance(wanted, Wanted)
    gone = VersionRef(version="support-0123456789", digest=stable.digest)
    found = cause_of(world, replace(wanted, ref=gone, content=None), stable)
    assert found.planes == ()


def test_marks_that_steer_a_terminal_are_escaped(sim: Simulation) -> None:
    now = later(sim, 30)
    sim.store(written(prompt("shorter"), "kubectl", now, "a\x1b[31mb\u202e" + "x" * 999))
    sim.settle()
    told = cause(sim)["changeCause"]
    assert told.startswith("a\\x1b[31mb\\u202e")
    assert len(told) == 256
