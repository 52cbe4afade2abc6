"""The kill switch: what pods are told, in which order, and who else hears of it."""

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.manifests import everything, kind
from tests.support.simulation import Simulation
from tests.support.watched import Watched
from turnout.api.agent import Agent
from turnout.api.policy import AgentPolicy
from turnout.core import naming, pods, render
from turnout.core.kill import order_of
from turnout.core.orders import REPEAT
from turnout.core.plan import Annotate, Apply, Create, Remove
from turnout.core.policies import report_policy
from turnout.simulation.cluster import Document

REFUNDS = {"tools": ["refunds.create"]}
TOLD = '{"agent":"Allow","tools":["refunds.create"],"traffic":"Serving"}'
RELEASED = '{"agent":"Allow","tools":[],"traffic":"Serving"}'
STANDING = ("ConfigMap", "support-kill")


def policy(switch: Document | None = None) -> Document:
    thrown = {} if switch is None else {"killSwitch": switch}
    return kind("AgentPolicy", "policy", {"mode": "Enforce"} | thrown)


@pytest.fixture
def sim() -> Simulation:
    """An agent at rest, under a policy that stops nothing."""
    return settled()


def settled() -> Simulation:
    made = Watched([*everything(policyRef={"name": "policy"}), policy()])
    made.settle()
    made.written.clear()
    return made


def throw(sim: Simulation, switch: Document | None) -> None:
    sim.store(policy(switch))
    sim.settle()


def told(sim: Simulation) -> list[str | None]:
    return [pod.order for pod in sim.pods.values()]


def entries(sim: Simulation) -> list[tuple[str, str]]:
    """Give what the newest rollout's timeline says of the switch."""
    lines = sim.rollout["status"]["timeline"]
    return [(one["reason"], one["message"]) for one in lines if one["rule"] == "kill_switch"]


def switch_events(sim: Simulation) -> list[tuple[str, str]]:
    return [one for one in sim.events.values() if one[0].startswith("KillSwitch")]


def reported(sim: Simulation) -> Document:
    document = copy.deepcopy(sim.get("AgentPolicy", "policy"))
    source = AgentPolicy.model_validate(document)
    agent = Agent.model_validate(sim.get("Agent", "support"))
    known = {"support": sim.world().pods}
    status = report_policy(source, {"support": agent}, sim.now, known).to_wire()
    sim.store(document | {"status": status})
    return status


def said(status: Document) -> tuple[str, str, str]:
    found = next(one for one in status["conditions"] if one["type"] == "KillSwitch")
    return found["status"], found["reason"], found["message"]


# thrown, changed, cleared


def test_a_thrown_switch_reaches_every_pod_and_begins_nothing(sim: Simulation) -> None:
    before = copy.deepcopy(
        {key: one for key, one in sim.objects.items() if key[0] != "AgentPolicy"}
    )
    throw(sim, REFUNDS)
    assert told(sim) == [TOLD, TOLD]
    changed = {key for key, one in sim.objects.items() if before.get(key) != one}
    assert changed - {("AgentPolicy", "policy")} == {
        STANDING, ("AgentRollout", "support-r1"), ("Agent", "support"),
    }  # fmt: skip
    assert sim.get("Agent", "support")["status"]["phase"] == "Healthy"


def test_the_standing_order_comes_before_the_pods_are_told_and_goes_after(sim: Simulation) -> None:
    throw(sim, REFUNDS)
    assert json.loads(sim.get(*STANDING)["data"]["order.json"])["tools"] == ["refunds.create"]
    throw(sim, None)
    assert told(sim) == [RELEASED, RELEASED]
    assert STANDING not in sim.objects
    orders = [one for one in sim.written if is_order(one)]
    kinds = [type(one) for one in orders]
    assert kinds == [Create, Annotate, Annotate, Annotate, Annotate, Remove]


def is_order(action: object) -> bool:
    match action:
        case Annotate():
            return True
        case Create(manifest) | Apply(manifest):
            return str(manifest["metadata"]["name"]) == "support-kill"
        case Remove(target):
            return target.name == "support-kill"
        case _:
            return False


def test_a_changed_switch_changes_the_standing_order_in_place(sim: Simulation) -> None:
    throw(sim, REFUNDS)
    uid = sim.get(*STANDING)["metadata"]["uid"]
    throw(sim, {"tools": ["tickets.*", "refunds.create"]})
    order = '{"agent":"Allow","tools":["refunds.create","tickets.*"],"traffic":"Serving"}'
    assert told(sim) == [order, order]
    standing = sim.get(*STANDING)
    assert (standing["metadata"]["uid"], standing["data"]) == (uid, {"order.json": order})
    assert entries(sim) == [
        ("Thrown", "tools refunds.create stopped"),
        ("Thrown", "tools refunds.create, tickets.* stopped"),
    ]


def test_a_pod_that_starts_while_it_is_thrown_is_told_and_one_that_starts_after_is_not(
    sim: Simulation,
) -> None:
    throw(sim, REFUNDS)
    sim.patch("Agent", "support", {"spec": {"replicas": 3}})
    sim.settle()
    assert told(sim) == [TOLD] * 3
    throw(sim, None)
    sim.patch("Agent", "support", {"spec": {"replicas": 4}})
    sim.settle()
    assert told(sim) == [RELEASED] * 3 + [None]


def test_a_pod_that_only_the_standing_order_told_is_released_too(sim: Simulation) -> None:
    throw(sim, REFUNDS)
    name = next(iter(sim.pods))
    sim.pods[name].order = None
    throw(sim, None)
    assert told(sim) == [RELEASED, RELEASED]


def test_each_pod_is_told_once_more_two_seconds_later(sim: Simulation) -> None:
    throw(sim, REFUNDS)
    assert sim.again_in == REPEAT
    sim.written.clear()
    sim.serve(2)
    sim.settle()
    repeats = [one for one in sim.written if isinstance(one, Annotate)]
    assert [one.annotations for one in repeats] == [{naming.KILL_REPEAT_AT: None}] * 2
    assert told(sim) == [TOLD, TOLD]
    assert sim.reconcile().decision.again_in is None


@pytest.mark.parametrize("written", ["soon", "2026-01-01T00:00:00"])
def test_a_time_that_makes_no_sense_is_now(sim: Simulation, written: str) -> None:
    throw(sim, REFUNDS)
    for pod in sim.pods.values():
        pod.repeat_at = written
    sim.settle()
    assert [pod.repeat_at for pod in sim.pods.values()] == [None, None]


def test_while_nothing_is_stopped_nothing_is_written(sim: Simulation) -> None:
    throw(sim, {"agent": "Allow", "tools": []})
    assert [one for one in sim.written if is_order(one)] == []
    assert (told(sim), entries(sim), switch_events(sim)) == ([None, None], [], [])


# what does not release


@pytest.mark.parametrize("loss", ["deleted", "unreadable"])
def test_a_policy_that_is_lost_releases_nothing(sim: Simulation, loss: str) -> None:
    throw(sim, REFUNDS)
    if loss == "deleted":
        del sim.objects["AgentPolicy", "policy"]
    else:
        sim.unreadable["AgentPolicy", "policy"] = "spec.mode: unknown"
    sim.patch("Agent", "support", {"spec": {"replicas": 3}})
    sim.settle()
    assert STANDING in sim.objects
    assert told(sim) == [TOLD] * 3
    del sim.objects[STANDING]
    sim.settle()
    assert json.loads(sim.get(*STANDING)["data"]["order.json"])["tools"] == ["refunds.create"]


def test_a_reference_that_is_taken_away_releases(sim: Simulation) -> None:
    throw(sim, REFUNDS)
    sim.patch("Agent", "support", {"spec": {"policyRef": None}})
    sim.settle()
    assert order_of(sim.world()).is_clear
    assert (STANDING in sim.objects, set(told(sim))) == (False, {RELEASED, None})
    assert [pod.order for pod in sim.pods.values() if pod.version == sim.stable] == [RELEASED] * 2


def test_traffic_comes_and_goes_while_the_policy_is_lost(sim: Simulation) -> None:
    throw(sim, REFUNDS)
    del sim.objects["AgentPolicy", "policy"]
    for state in ("Stopped", "Serving"):
        sim.patch("Agent", "support", {"spec": {"traffic": {"state": state}}})
        sim.settle()
        assert set(told(sim)) == {TOLD.replace("Serving", state)}


def test_a_record_that_makes_no_sense_stops_the_agent_while_its_policy_is_lost(
    sim: Simulation,
) -> None:
    throw(sim, REFUNDS)
    sim.patch(*STANDING, {"metadata": {"annotations": {naming.KILL: '{"agent": "Perhaps"}'}}})
    del sim.objects["AgentPolicy", "policy"]
    sim.settle()
    assert {json.loads(order or "")["agent"] for order in told(sim)} == {"Stop"}
    assert sim.status["phase"] == "Suspended"


# what somebody else keeps, and pods that cannot be told


def test_a_foreign_config_map_of_that_name_is_left_alone_and_pods_are_told(
    sim: Simulation,
) -> None:
    theirs = {"kind": "ConfigMap", "metadata": {"name": "support-kill"}, "data": {"a": "b"}}
    sim.store(theirs)
    throw(sim, REFUNDS)
    assert set(told(sim)) == {TOLD}
    assert sim.get(*STANDING)["data"] == {"a": "b"}
    assert sim.again_in is not None
    assert sim.again_in.total_seconds() <= 15
    del sim.objects[STANDING]
    sim.settle()
    assert sim.get(*STANDING)["data"] == {"order.json": TOLD}
    throw(sim, None)
    assert len(entries(sim)) == len(switch_events(sim)) == 2


def test_pods_of_an_older_rendering_are_never_told_and_never_rendered_anew() -> None:
    sim = settled()
    del sim.get("Deployment", sim.stable)["spec"]["template"]["metadata"]["annotations"]
    for held in ("Deployment", "ConfigMap", "Service"):
        sim.patch(held, sim.stable, {"metadata": {"annotations": {naming.RENDER: "1"}}})
    sim.patch("AgentVersion", sim.stable, {"spec": {"render": 1}})
    for pod in sim.pods.values():
        pod.hears = False
    before = copy.deepcopy(sim.get("Deployment", sim.stable))
    throw(sim, REFUNDS)
    assert told(sim) == [None, None]
    assert sim.get("Deployment", sim.stable) == before
    assert not [one for one in sim.written if isinstance(one, Apply)]
    status, reason, message = said(reported(sim))
    assert (status, reason) == ("True", "Thrown")
    assert message.startswith("0/2 pods were told; ")
    assert message.endswith("cannot be told: ending, or made before there were kill switches")
    sim.objects.pop(("Deployment", sim.stable))
    sim.settle()
    made = sim.get("Deployment", sim.stable)["spec"]["template"]
    assert [one["name"] for one in made["spec"]["volumes"]] == ["turnout-content"]
    assert "annotations" not in made["metadata"]


def test_a_version_keeps_its_rendering_though_its_records_are_lost(sim: Simulation) -> None:
    for held in ("Deployment", "ConfigMap", "Service"):
        sim.patch(held, sim.stable, {"metadata": {"annotations": {naming.RENDER: "1"}}})
    del sim.objects["AgentVersion", sim.stable]
    sim.settle()
    assert sim.get("AgentVersion", sim.stable)["spec"]["render"] == 1
    del sim.objects["AgentVersion", sim.stable], sim.objects["ConfigMap", sim.stable]
    assert render.generation(sim.world(), sim.stable) == 1
    assert render.generation(sim.world(), "support-new") == pods.GENERATION


# the whole agent


@pytest.mark.parametrize(
    ("stop", "why"),
    [
        (policy({"agent": "Stop"}), "AgentPolicy policy stops the agent by its kill switch"),
        ({"traffic": {"state": "Stopped"}}, "traffic.state is Stopped"),
    ],
    ids=["kill switch", "traffic.state"],
)
def test_an_agent_that_is_stopped_gets_no_traffic_and_its_pods_are_told(
    sim: Simulation, stop: Document, why: str
) -> None:
    sim.patch("Prompt", "support-system", {"spec": {"text": "Better."}})
    sim.settle()
    if "kind" in stop:
        sim.store(stop)
    else:
        sim.patch("Agent", "support", {"spec": stop})
    sim.settle()
    assert sim.status["phase"] == "Suspended"
    assert sim.condition("Available")["message"] == why
    assert (sim.rollout["status"]["phase"], sim.rollout["status"]["message"]) == ("Paused", why)
    assert sim.route() == {"support": 100}
    assert sim.shares() == {"support": 1.0}
    orders = {order for order in told(sim) if order}
    assert len(orders) == 1
    assert "Stop" in orders.pop()
    throw(sim, None)
    sim.patch("Agent", "support", {"spec": {"traffic": {"state": "Serving"}}})
    sim.settle()
    assert sim.status["phase"] == "Progressing"
    assert set(told(sim)) == {RELEASED}


def test_traffic_that_a_person_stops_is_no_news_of_a_kill_switch(sim: Simulation) -> None:
    sim.patch("Agent", "support", {"spec": {"traffic": {"state": "Stopped"}}})
    sim.settle()
    assert set(told(sim)) == {TOLD.replace("Serving", "Stopped").replace('"refunds.create"', "")}
    assert (entries(sim), switch_events(sim)) == ([], [])


# who hears of it


def test_a_switch_is_announced_on_agent_and_policy_and_stands_in_history_once(
    sim: Simulation,
) -> None:
    sim.store(policy(REFUNDS))
    outcome = sim.reconcile()
    targets = [(one.regarding.kind, one.warning) for one in outcome.decision.announcements]
    assert targets == [("Agent", True), ("AgentPolicy", True)]
    assert len({one.key for one in outcome.decision.announcements}) == 1
    sim.settle()
    throw(sim, None)
    throw(sim, REFUNDS)
    thrown = ("Thrown", "tools refunds.create stopped")
    assert entries(sim) == [thrown, ("Clear", "nothing is stopped"), thrown]
    assert len(switch_events(sim)) == 3


def test_a_switch_that_was_written_down_before_the_operator_died_stands_in_history_once(
    sim: Simulation,
) -> None:
    sim.store(policy(REFUNDS))
    sim.reconcile(stop_after=1)
    assert (len(entries(sim)), told(sim)) == (1, [None, None])
    sim.settle()
    assert (len(entries(sim)), told(sim)) == (1, [TOLD, TOLD])
    assert len(switch_events(sim)) == 1


def test_a_switch_in_a_running_rollout_is_no_second_line_of_its_rule(sim: Simulation) -> None:
    sim.patch("Prompt", "support-system", {"spec": {"text": "Better."}})
    sim.run(10)
    before = [one["rule"] for one in sim.rollout["status"]["timeline"]]
    throw(sim, REFUNDS)
    sim.settle()
    after = [one["rule"] for one in sim.rollout["status"]["timeline"]]
    assert after == [*before, "kill_switch"]


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ({"agent": "Stop"}, "the agent stopped"),
        ({"agent": "Stop", "tools": ["b", "a"]}, "the agent and tools a, b stopped"),
        ({"tools": [f"t{n}" for n in range(10)]}, "t0, t1, t2, t3, t4, t5, t6, t7 and 2 more"),
    ],
)
def test_a_sentence_names_what_is_stopped(sim: Simulation, switch: Document, words: str) -> None:
    throw(sim, switch)
    assert words in entries(sim)[-1][1]


def test_a_policy_says_since_when_and_how_many_pods_know(sim: Simulation) -> None:
    sim.store(policy(REFUNDS))
    status = reported(sim)
    began = status["killed"]["since"]
    assert status["killed"]["pods"] == "0/2"
    assert said(status)[2].startswith("0/2 pods were told; on its way to ")
    sim.settle()
    sim.let_pass(5)
    status = reported(sim)
    assert status["killed"] == {"agent": "Allow", **REFUNDS, "since": began, "pods": "2/2"}
    assert said(status) == ("True", "Thrown", "2/2 pods were told")
    sim.patch("AgentPolicy", "policy", {"spec": {"killSwitch": {"agent": "Stop"}}})
    assert reported(sim)["killed"]["since"] > began
    throw(sim, None)
    status = reported(sim)
    assert ("killed" in status, said(status)) == (False, ("False", "Clear", "nothing is stopped"))


def test_a_message_names_few_pods(sim: Simulation) -> None:
    sim.patch("Agent", "support", {"spec": {"replicas": 6}})
    sim.settle()
    sim.store(policy(REFUNDS))
    assert said(reported(sim))[2].endswith(" and 2 more")


# whatever happens

SWITCHES: list[Document | None] = [None, REFUNDS, {"agent": "Stop"}, {"tools": ["a", "b.*"]}]
STEPS = st.one_of(
    st.tuples(st.just("switch"), st.sampled_from(SWITCHES)),
    st.tuples(st.just("traffic"), st.sampled_from(["Serving", "Stopped"])),
    st.tuples(st.just("killed"), st.integers(0, 4)),
    st.tuples(st.just("replicas"), st.integers(1, 3)),
    st.tuples(st.just("policy lost"), st.none()),
    st.tuples(st.just("standing order lost"), st.none()),
)


def play(sim: Simulation, step: tuple[str, Any]) -> None:
    match step:
        case ("switch", switch):
            sim.store(policy(switch))
        case ("traffic", state):
            sim.patch("Agent", "support", {"spec": {"traffic": {"state": state}}})
        case ("killed", writes):
            sim.reconcile(stop_after=writes)
        case ("replicas", number):
            sim.patch("Agent", "support", {"spec": {"replicas": number}})
        case ("policy lost", _):
            sim.objects.pop(("AgentPolicy", "policy"), None)
        case _:
            sim.objects.pop(STANDING, None)


@given(steps=st.lists(STEPS, max_size=12))
def test_in_the_end_all_pods_know_and_a_standing_order_stands_while_anything_is_stopped(
    steps: list[tuple[str, Any]],
) -> None:
    sim = settled()
    for step in steps:
        play(sim, step)
    sim.settle()
    order = order_of(sim.world())
    assert (STANDING in sim.objects) is not order.is_clear
    for text in told(sim):
        assert text == order.text or (order.is_clear and text is None)
    assert len(sim.all("AgentRollout")) == 1
    said = entries(sim)
    assert all(one != other for one, other in itertools.pairwise(said))
