"""Whose turn it is where only so many rollouts may run, and what an Agent says meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.manifests import everything, prompt
from tests.support.simulation import Simulation
from turnout.api.rollout import AgentRollout
from turnout.core.lineup import Limits, Place, Turn, Waiting, called, counts, in_order, place_of
from turnout.core.plan import Create

START = datetime(2026, 1, 1, tzinfo=UTC)
PLACE = Place(3, 7, "3 of 3 rollouts run")


def waiting(*names: str) -> list[Waiting]:
    """Let Agents come one after another, each named as namespace/name."""
    return [
        Waiting(START + timedelta(seconds=second), *name.split("/"))
        for second, name in enumerate(names)
    ]


def names(queue: list[Waiting]) -> list[str]:
    return [f"{one.namespace}/{one.name}" for one in queue]


@pytest.mark.parametrize(
    "came, running, order",
    [
        (["a/1", "a/2", "a/3"], {}, ["a/1", "a/2", "a/3"]),
        (["a/1", "a/2", "b/1", "b/2"], {}, ["a/1", "b/1", "a/2", "b/2"]),
        (["a/1", "b/1"], {"a": 1}, ["b/1", "a/1"]),
        (["a/1", "a/2", "b/1"], {"b": 2}, ["a/1", "a/2", "b/1"]),
        (["a/1", "b/1", "c/1"], {"a": 2, "b": 1}, ["c/1", "b/1", "a/1"]),
    ],
)
def test_who_has_less_comes_first_and_then_who_waits_longest(
    came: list[str], running: dict[str, int], order: list[str]
) -> None:
    assert names(in_order(waiting(*came)[::-1], running)) == order


@pytest.mark.parametrize(
    "came, running, limits, turns",
    [
        (["a/1", "a/2"], {}, Limits(operator=1), ["a/1"]),
        (["a/1", "a/2"], {"c": 1}, Limits(operator=1), []),
        (["a/1", "a/2"], {"c": 5}, Limits(operator=3), []),
        (["a/1", "a/2", "b/1"], {}, Limits(namespace=1), ["a/1", "b/1"]),
        (["a/1", "a/2", "b/1"], {"a": 1}, Limits(namespace=1), ["b/1"]),
        (["a/1", "a/2", "b/1"], {}, Limits(operator=3, namespace=1), ["a/1", "b/1"]),
        (["a/1", "a/2", "b/1"], {"a": 1}, Limits(operator=2, namespace=2), ["b/1"]),
        (["a/1"], {"a": 1, "b": 1}, Limits(operator=9, namespace=2), ["a/1"]),
    ],
)
def test_the_first_ones_whose_namespace_has_room_are_called(
    came: list[str], running: dict[str, int], limits: Limits, turns: list[str]
) -> None:
    ordered = in_order(waiting(*came), running)
    assert names(list(called(ordered, running, limits))) == turns


@pytest.mark.parametrize(
    "running, limits, place",
    [
        ({"a": 1, "b": 2}, Limits(operator=3), Place(2, 3, "3 of 3 rollouts run")),
        ({"a": 1}, Limits(namespace=1), Place(2, 2, "1 of 1 rollouts of this namespace run")),
        (
            {"a": 1},
            Limits(operator=9, namespace=1),
            Place(2, 2, "1 of 1 rollouts of this namespace run"),
        ),
        ({"b": 9}, Limits(operator=9, namespace=2), Place(2, 3, "9 of 9 rollouts run")),
    ],
)
def test_a_place_is_told_where_it_is_full(
    running: dict[str, int], limits: Limits, place: Place
) -> None:
    came = waiting("a/1", "a/2", "b/1")
    assert place_of(came[1], in_order(came, running), running, limits) == place


@pytest.mark.parametrize(
    "trigger, phase, expected",
    [
        ("ContentChanged", "Held", True),
        ("Retry", "Paused", True),
        ("Pinned", "RolledBack", False),
        ("Initial", "Progressing", False),
        ("Return", "Progressing", False),
        ("Recover", "Held", False),
    ],
)
def test_what_counts_runs_and_is_no_way_back(trigger: str, phase: str, *, expected: bool) -> None:
    sim = changed()
    sim.settle()
    spec = sim.rollout["spec"] | {"trigger": trigger}
    status = {"phase": phase}
    assert counts(AgentRollout.model_validate(sim.rollout | {"spec": spec, "status": status})) is (
        expected
    )


def test_there_is_a_limit_where_either_is_set() -> None:
    assert not Limits()
    assert Limits(operator=1)
    assert Limits(namespace=1)


# what becomes of an Agent


def queued(sim: Simulation, place: Place | None = PLACE) -> Simulation:
    again = sim.now + timedelta(seconds=30)
    sim.turn = Turn(may_begin=False, since=START, place=place, again_at=again)
    return sim


def changed() -> Simulation:
    """An agent with a stable version whose prompt has changed."""
    sim = Simulation(everything())
    sim.settle()
    sim.run(30)
    sim.store(prompt("another text"))
    return sim


def test_a_rollout_that_must_wait_says_its_place_in_status_and_condition() -> None:
    sim = queued(changed())
    outcome = sim.settle()
    assert (outcome.decision.rule, sim.status["phase"]) == ("queued", "Queued")
    assert sim.status["summary"] == "place 3 of 7"
    assert sim.status["rollout"]["queue"] == {
        "position": 3,
        "of": 7,
        "since": "2026-01-01T00:00:00.000000Z",
        "reason": "3 of 3 rollouts run",
    }
    condition = sim.condition("Progressing")
    assert (condition["status"], condition["reason"]) == ("Unknown", "Queued")
    assert condition["message"].endswith("waits: place 3 of 7, 3 of 3 rollouts run")
    assert sim.condition("Ready")["status"] == "True"
    assert sim.condition("Reconciling")["reason"] == "Queued"
    assert outcome.decision.again_in == timedelta(seconds=30)
    assert len(sim.all("AgentRollout")) == 1
    assert sim.told().count("Queued") == 1


def test_a_wait_ends_with_the_turn() -> None:
    sim = queued(changed())
    sim.settle()
    sim.turn = Turn(may_begin=True, since=START)
    sim.settle()
    assert sim.rollout["spec"]["trigger"] == "ContentChanged"
    assert "queue" not in sim.status["rollout"]
    assert sim.status["phase"] == "Progressing"


def test_a_place_that_is_not_known_yet_is_not_told() -> None:
    sim = queued(changed(), place=None)
    before = sim.status
    outcome = sim.settle()
    assert outcome.decision.rule == "settling"
    assert sim.status == before
    assert "Queued" not in sim.told()


def test_a_place_that_moved_up_is_written_and_no_event() -> None:
    sim = queued(changed())
    sim.settle()
    queued(sim, Place(2, 6, "3 of 3 rollouts run")).settle()
    assert sim.status["rollout"]["queue"]["position"] == 2
    assert sim.told().count("Queued") == 1


def test_a_first_version_and_a_way_back_do_not_wait() -> None:
    first = queued(Simulation(everything()))
    first.settle()
    assert first.rollout["spec"]["trigger"] == "Initial"
    sim = changed()
    sim.settle()
    sim.intend(promote={"mode": "Full", "by": "ada"})
    sim.run(60)
    sim.patch("Agent", "support", {"spec": {"pinnedVersion": sim.version_names[0]}})
    queued(sim).settle()
    assert sim.rollout["spec"]["trigger"] == "Return"


def test_what_comes_for_a_dead_stable_does_not_wait() -> None:
    sim = changed()
    sim.ready_at_most[sim.stable] = 0
    sim.kubelet()
    queued(sim).settle()
    assert sim.rollout["spec"]["trigger"] == "Recover"


def test_content_that_goes_back_leaves_the_queue_silently() -> None:
    sim = queued(changed())
    sim.settle()
    sim.store(prompt())
    sim.turn = None
    sim.settle()
    assert sim.status["phase"] == "Healthy"
    assert "queue" not in sim.status["rollout"]
    assert len(sim.all("AgentRollout")) == 1


def test_what_supersedes_a_way_back_waits_and_stable_has_all_traffic() -> None:
    sim = changed()
    sim.settle()
    sim.intend(promote={"mode": "Full", "by": "ada"})
    sim.run(60)
    sim.patch("Agent", "support", {"spec": {"pinnedVersion": sim.version_names[0]}})
    sim.ready_at_most[sim.version_names[0]] = 0
    sim.settle()
    assert sim.rollout["spec"]["trigger"] == "Return"
    sim.patch("Agent", "support", {"spec": {"pinnedVersion": None}})
    sim.store(prompt("a third text"))
    written = len(sim.written)
    queued(sim).settle()
    assert sim.rollout["status"]["phase"] == "Superseded"
    assert sim.status["phase"] == "Queued"
    assert not [
        one
        for one in sim.written[written:]
        if isinstance(one, Create) and one.manifest["kind"] == "AgentRollout"
    ]


def test_who_waits_without_any_record_left_tells_of_the_next_rollout() -> None:
    sim = changed()
    for rollout in sim.all("AgentRollout"):
        del sim.objects["AgentRollout", rollout["metadata"]["name"]]
    queued(sim).settle()
    assert sim.status["rollout"]["name"] == "support-r2"
    assert sim.status["rollout"]["queue"]["position"] == 3
    sim.turn = None
    sim.settle()
    assert sim.rollout["metadata"]["name"] == "support-r2"


def test_a_frozen_agent_does_not_wait() -> None:
    sim = changed()
    sim.patch("Agent", "support", {"spec": {"paused": True}})
    queued(sim).settle()
    assert sim.status["phase"] == "Paused"
