"""Tools that servers tell: asked for once, pinned, watched; what people read of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.manifests import agent
from tests.support.registries import (
    BY_ID,
    FIND,
    HOLD,
    SERVER,
    RegistryLife,
    digest,
    offer,
    silence,
    told,
)
from turnout.api.agent import Agent
from turnout.api.tools import ToolRegistry
from turnout.api.tools_status import DriftChange
from turnout.core.pins import completed, drift_that_holds
from turnout.core.tasks import Problem
from turnout.core.world import Unread

REWORDED = told(description="Find an order and tell nobody.")
RETYPED = told(schema={"type": "object", "properties": {"id": {"type": "integer"}}})
UNREACHABLE = Problem("Unreachable", "server crm: the server did not answer")


def discovered(**spec: Any) -> RegistryLife:
    """A registry whose one tool was told and pinned."""
    life = RegistryLife(**spec)
    life.settle()
    life.report(offer(told()))
    return life


def filled(life: RegistryLife) -> ToolRegistry:
    whole = completed(life.registry, life.pinned)
    assert isinstance(whole, ToolRegistry)
    return whole


# discovery


def test_a_tool_without_schema_is_asked_for_and_pinned() -> None:
    life = RegistryLife()
    life.settle()
    assert life.said("Resolved") == "Unknown Pending"
    assert life.said("RolledOut") == "Unknown Pending"
    assert life.status.digest is None
    life.report(offer(told(), others={"orders.drop": "x"}))
    assert life.said("Resolved") == "True Discovered"
    assert life.status.digest is not None
    tool = filled(life).spec.tools[0]
    assert (tool.description, tool.input_schema) == ("Find an order.", told()["inputSchema"])
    assert [(one.name, one.reachable, one.tool_count) for one in life.status.servers] == [
        ("crm", True, 2)
    ]


def test_what_a_person_wrote_is_never_replaced_by_what_a_server_tells() -> None:
    life = discovered(tools=[FIND | {"description": "Ours."}])
    assert filled(life).spec.tools[0].description == "Ours."
    written = FIND | {"name": "mine", "inputSchema": '{"type":"object"}'}
    life = discovered(tools=[FIND, written])
    assert filled(life).spec.tools[1].input_schema == '{"type":"object"}'


def test_a_tool_is_asked_for_once_where_nobody_watches_its_server() -> None:
    life = discovered()
    assert life.due is None
    assert not life.asks
    assert life.said("InSync") == "Unknown NotWatched"
    life.let_pass(86_400)
    life.settle()
    assert not life.asks


def test_a_registry_that_needs_nothing_asks_nothing() -> None:
    written = FIND | {"inputSchema": '{"type":"object"}'}
    for spec in ({"tools": [written]}, {"tools": [], "servers": [], "drift": HOLD}):
        life = RegistryLife(**spec)
        life.settle()
        assert not life.all("Job")
        assert life.said("Resolved") == "True Resolved"
        assert life.status.digest is not None


def test_a_new_tool_is_asked_for_and_the_pinned_ones_stay() -> None:
    life = discovered()
    drop = FIND | {"name": "orders.drop", "sideEffect": "Write"}
    life.edit(tools=[FIND, drop])
    life.settle()
    whole = completed(life.registry, life.pinned)
    assert whole == Unread("not discovered yet: orders.drop")
    before = life.status.content_ref
    life.report(offer(REWORDED, told("orders.drop", "Drop an order.")))
    assert [one.description for one in filled(life).spec.tools] == [
        "Find an order.",
        "Drop an order.",
    ]
    assert before is not None
    assert ("ConfigMap", before.name) not in life.objects
    assert len(life.all("ConfigMap")) == 1


def test_many_tools_that_are_not_known_yet_are_named_in_part() -> None:
    life = RegistryLife(tools=[FIND | {"name": f"t{number}"} for number in range(5)])
    life.settle()
    assert life.condition("Resolved").message == "not discovered yet: t0, t1, t2, t3 and more"


def test_a_tool_that_moved_to_another_server_is_pinned_anew() -> None:
    other = SERVER | {"name": "shop"}
    life = discovered(servers=[SERVER, other])
    life.edit(tools=[FIND | {"server": "shop"}])
    life.settle()
    life.report(offer(), offer(REWORDED, name="shop"))
    assert filled(life).spec.tools[0].description == REWORDED["description"]


def test_a_server_is_asked_as_its_type_says() -> None:
    life = RegistryLife(servers=[SERVER, SERVER | {"name": "shop", "type": "OpenAPI"}], drift=HOLD)
    life.settle()
    (job,) = life.all("Job")
    variables = job["spec"]["template"]["spec"]["containers"][0]["env"]
    task = next(one["value"] for one in variables if one["name"] == "TURNOUT_TASK")
    servers = json.loads(task)["description"]["servers"]
    assert [(one["name"], one["type"]) for one in servers] == [("crm", "MCP"), ("shop", "OpenAPI")]
    life.report(offer(told()), offer(name="shop", others={"shops.list": "x"}))
    assert life.said("Resolved") == "True Discovered"
    assert [one.name for one in life.status.servers] == ["crm", "shop"]
    life.poll(offer(told()), offer(name="shop", others={"shops.list": "x", "shops.drop": "x"}))
    assert [(one.server, one.change) for one in life.status.drift] == [("shop", DriftChange.NEW)]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("HTTP", "there is nothing to ask; what has an OpenAPI document is of type OpenAPI"),
        ("A2A", "an agent card has none"),
    ],
)
def test_a_server_that_tells_no_schemas_gets_a_clear_answer(kind: str, why: str) -> None:
    life = RegistryLife(servers=[SERVER | {"type": kind}])
    life.settle()
    message = (
        f"tool orders.find: a server of type {kind} does not tell schemas ({why}): "
        "write its inputSchema"
    )
    assert life.condition("Accepted").message == message
    assert life.said("RolledOut") == "False InvalidSpec"
    assert not life.all("Job")
    whole = completed(life.registry, life.pinned)
    assert isinstance(whole, Unread)
    assert (whole.message, whole.reason) == (message, "InvalidSpec")


def test_a_server_that_is_not_listed_gets_a_clear_answer() -> None:
    life = RegistryLife(servers=[])
    life.settle()
    message = "tool orders.find: server crm is not in spec.servers: add it there or name another"
    assert life.condition("Accepted").message == message


def test_a_told_schema_that_is_none_is_named() -> None:
    life = RegistryLife()
    life.settle()
    life.report(offer(told(schema={"type": "nonsense"})))
    assert life.said("Accepted") == "False InvalidSpec"
    assert "orders.find: inputSchema is not JSON Schema" in life.condition("Accepted").message
    assert life.said("RolledOut") == "False InvalidSpec"


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("Unreachable", "ServerUnreachable"),
        ("TimedOut", "ServerUnreachable"),
        ("TooLarge", "DiscoveryFailed"),
        ("JobFailed", "DiscoveryFailed"),
    ],
)
def test_a_server_that_does_not_tell_is_named_and_asked_again(reason: str, word: str) -> None:
    life = RegistryLife()
    life.settle()
    life.report(silence(reason=reason), problem=Problem(reason, "server crm: it did not tell"))
    assert life.said("Resolved") == f"False {word}"
    assert life.condition("Resolved").message == (
        f"not discovered yet: orders.find; server crm: it did not tell ({reason})"
    )
    assert [(one.reachable, one.reason) for one in life.status.servers] == [(False, reason)]
    assert life.due == timedelta(seconds=10)
    life.let_pass(10)
    life.settle()
    assert life.asks
    life.report(offer(told()))
    assert life.said("Resolved") == "True Discovered"


def test_one_silent_server_does_not_keep_another_ones_tools() -> None:
    shop = SERVER | {"name": "shop"}
    buy = FIND | {"name": "buy", "server": "shop"}
    life = RegistryLife(servers=[SERVER, shop], tools=[FIND, buy])
    life.settle()
    life.report(offer(told()), silence("shop"), problem=UNREACHABLE)
    assert life.condition("Resolved").message.startswith("not discovered yet: buy; ")
    assert life.due == timedelta(seconds=10)


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"servers": 7},
        {"servers": [{"name": "crm"}]},
        {"servers": [offer({"name": "orders.find"})]},
        {"servers": [offer(told() | {"inputSchema": "[]"})]},
        {"servers": [{"name": "crm", "problem": 7}]},
    ],
)
def test_an_answer_of_another_shape_changes_nothing_and_is_said(result: dict[str, Any]) -> None:
    life = discovered(drift=HOLD)
    before = life.status.content_ref
    life.let_pass(60)
    life.settle()
    life.answer(result)
    assert life.status.content_ref == before
    assert life.status.task is not None
    assert life.said("Resolved") == "True Discovered"


def test_pins_that_were_taken_away_are_asked_for_again() -> None:
    life = discovered()
    before = life.status.content_ref
    assert before is not None
    del life.objects["ConfigMap", before.name]
    life.let_pass(1)
    life.settle()
    assert completed(life.registry, life.pinned) == Unread("not discovered yet: orders.find")
    assert life.asks
    life.report(offer(told()))
    assert life.status.content_ref == before


def test_pins_that_somebody_forged_are_not_believed() -> None:
    life = discovered()
    reference = life.status.content_ref
    assert reference is not None
    forged = life.get("ConfigMap", reference.name)
    forged["data"] = {"tools.json": "{}"}
    whole = completed(life.registry, life.pinned)
    assert whole == Unread(f"ConfigMap {reference.name} does not hold what was pinned")


# drift


@pytest.mark.parametrize(
    ("live", "change", "shown"),
    [
        (REWORDED, DriftChange.DESCRIPTION, "Find an [-order.-] {+order and tell nobody.+}"),
        (RETYPED, DriftChange.INPUT_SCHEMA, '/properties/id/type: "string" -> "integer"'),
        (None, DriftChange.GONE, "live nothing"),
    ],
)
def test_a_tool_that_changed_is_shown_with_both_digests_and_the_difference(
    live: dict[str, Any] | None, change: DriftChange, shown: str
) -> None:
    life = discovered(drift=HOLD)
    assert life.said("InSync") == "True InSync"
    life.poll(offer(live) if live else offer())
    (drift,) = life.status.drift
    assert (drift.tool, drift.server, drift.change) == ("orders.find", "crm", change)
    assert drift.pinned == digest(told())
    assert drift.live == (digest(live) if live else None)
    message = life.condition("InSync").message
    assert life.said("InSync") == "False Drifted"
    assert message.startswith(f"orders.find (crm): {change.value}, pinned {drift.pinned}, live ")
    assert message.endswith(shown)
    assert [(one.reason, one.warning) for one in life.events] == [("Drifted", True)]


def test_a_tool_that_changed_twice_over_is_told_in_both_ways() -> None:
    life = discovered(drift=HOLD)
    life.poll(offer(told(description="Other.", schema={"type": "object"})))
    assert [one.change for one in life.status.drift] == ["Description", "InputSchema"]
    assert "/properties: gone" in life.condition("InSync").message


def test_a_tool_that_appears_beside_those_listed_is_new_until_the_registry_is_edited() -> None:
    life = discovered(drift=HOLD)
    life.poll(offer(told(), others={"orders.burn": "x"}))
    (drift,) = life.status.drift
    assert (drift.tool, drift.change, drift.pinned) == ("orders.burn", "New", None)
    assert drift.live is not None
    assert "pinned nothing" in life.condition("InSync").message
    life.edit(tools=[FIND | {"sideEffect": "Write"}])
    life.settle()
    life.report(offer(told(), others={"orders.burn": "x"}))
    assert life.said("InSync") == "True InSync"


def test_what_is_reverted_is_in_step_again_and_told_once() -> None:
    life = discovered(drift=HOLD)
    for _ in range(2):
        life.poll(offer(REWORDED))
    life.poll(offer(told()))
    assert life.said("InSync") == "True InSync"
    assert life.status.drift == ()
    assert [one.reason for one in life.events] == ["Drifted", "InSync"]


def test_drift_wakes_the_agents_once_each_way() -> None:
    life = discovered(drift=HOLD)
    before = life.woken
    for live in (told(), REWORDED, REWORDED, told(), told()):
        life.poll(offer(live))
    assert life.woken == before + 2


def test_the_agents_keep_what_was_pinned_while_the_server_drifts() -> None:
    life = discovered(drift=HOLD)
    before = life.status.digest, filled(life)
    life.poll(offer(REWORDED))
    assert life.status.digest == before[0]
    assert filled(life).spec == before[1].spec


def test_a_person_accepts_what_a_server_tells_now_by_its_digest() -> None:
    life = discovered(drift=HOLD)
    before = life.status.digest
    life.poll(offer(REWORDED))
    live = life.status.drift[0].live
    life.edit(tools=[FIND | {"digest": live}])
    life.settle()
    assert life.asks
    life.report(offer(REWORDED))
    assert life.said("InSync") == "True InSync"
    assert filled(life).spec.tools[0].description == REWORDED["description"]
    assert life.status.digest not in {None, before}


def test_a_digest_that_no_server_offers_keeps_what_was_pinned() -> None:
    life = discovered()
    life.edit(tools=[FIND | {"digest": digest(REWORDED)}])
    life.settle()
    life.report(offer(RETYPED))
    assert filled(life).spec.tools[0].description == "Find an order."


def test_a_digest_that_was_never_offered_pins_nothing_else() -> None:
    life = RegistryLife(tools=[FIND | {"digest": digest(REWORDED)}])
    life.settle()
    life.report(offer(told()))
    assert life.said("Resolved") == "False DiscoveryFailed"
    assert life.status.digest is None


def test_a_tool_that_its_server_does_not_offer_yet_is_asked_for_until_it_does() -> None:
    life = RegistryLife()
    life.settle()
    life.report(offer())
    assert life.condition("Resolved").message == (
        "not discovered yet: orders.find; the servers do not offer what is asked for"
    )
    assert life.due == timedelta(minutes=1)
    life.poll(offer(told()))
    assert life.said("Resolved") == "True Discovered"


@pytest.mark.parametrize(("interval", "due"), [("10s", 10), ("1h", 60)])
def test_a_watched_server_is_asked_for_a_missing_tool_at_least_every_minute(
    interval: str, due: int
) -> None:
    life = RegistryLife(drift={"policy": "Alert", "interval": interval})
    life.settle()
    life.report(offer())
    assert life.due == timedelta(seconds=due)


def test_a_written_tool_is_watched_too() -> None:
    written = FIND | {"inputSchema": '{"type":"object"}', "description": "Ours."}
    life = discovered(tools=[written], drift=HOLD)
    assert life.said("Resolved") == "True Resolved"
    life.poll(offer(REWORDED))
    assert life.said("InSync") == "False Drifted"
    assert filled(life).spec.tools[0].description == "Ours."


def test_a_server_that_falls_silent_is_unknown_and_neither_in_step_nor_drifted() -> None:
    life = discovered(drift=HOLD)
    life.poll(silence(), problem=UNREACHABLE)
    assert life.said("InSync") == "Unknown ServerUnreachable"
    assert "did not answer" in life.condition("InSync").message
    assert life.said("Resolved") == "True Discovered"


def test_drift_outlasts_the_silence_of_its_server_and_another_ones_word() -> None:
    life = discovered(drift=HOLD, servers=[SERVER, SERVER | {"name": "shop"}])
    life.poll(offer(REWORDED), offer(name="shop"))
    before = life.condition("InSync").message
    life.poll(silence(), offer(name="shop"), problem=UNREACHABLE)
    assert life.said("InSync") == "False Drifted"
    assert life.condition("InSync").message == before
    life.poll(silence(), silence("shop"), problem=UNREACHABLE)
    assert life.condition("InSync").message == before


@pytest.mark.parametrize("drift", [None, {"policy": "Ignore", "interval": "1m"}])
def test_drift_is_forgotten_where_nobody_asks_for_it_any_more(drift: Any) -> None:
    life = discovered(drift=HOLD)
    life.poll(offer(REWORDED))
    life.edit(drift=drift)
    life.settle()
    assert life.status.drift == ()
    assert life.said("InSync") == "Unknown NotWatched"
    assert life.due is None


@pytest.mark.parametrize(("policy", "holds"), [("Alert", False), ("Hold", True)])
def test_only_the_policy_hold_holds_rollouts(policy: str, *, holds: bool) -> None:
    life = discovered(drift={"policy": policy, "interval": "1m"})
    assert drift_that_holds(life.registry) is None
    life.poll(offer(REWORDED))
    said = drift_that_holds(life.registry)
    assert (said is not None) is holds
    assert not holds or str(said).startswith("ToolRegistry tools: orders.find (crm): Description")


def test_a_watched_server_is_looked_at_an_interval_after_the_last_time() -> None:
    life = discovered(drift=HOLD)
    assert life.due == timedelta(minutes=1)
    life.let_pass(59)
    life.settle()
    assert not life.asks
    life.let_pass(1)
    life.settle()
    assert life.asks
    assert life.said("InSync") == "True InSync"


def test_servers_that_were_never_asked_are_not_in_step_yet() -> None:
    life = RegistryLife(drift=HOLD, tools=[FIND | {"inputSchema": '{"type":"object"}'}])
    life.settle()
    assert life.said("InSync") == "Unknown Pending"


def test_a_long_list_of_changes_is_bounded() -> None:
    tools = [FIND | {"name": f"t{number}"} for number in range(70)]
    life = RegistryLife(tools=tools, drift=HOLD)
    life.settle()
    life.report(offer(*(told(f"t{number}") for number in range(70))))
    life.poll(offer())
    assert len(life.status.drift) == 64
    assert len(life.condition("InSync").message) <= 1024


# hints


@pytest.mark.parametrize(
    ("declared", "hints", "said"),
    [
        ("Read", {"readOnly": True}, None),
        ("Read", {"readOnly": False}, "orders.find is Read here and not read-only to its server"),
        ("Read", {"destructive": True}, "orders.find is Read here and destructive to its server"),
        ("Read", {"readOnly": True, "destructive": True}, None),
        ("Read", {}, None),
        ("Write", {"readOnly": True}, "orders.find is Write here and read-only to its server"),
        ("IdempotentWrite", {"readOnly": False}, None),
    ],
)
def test_hints_are_shown_and_contradictions_warned_about(
    declared: str, hints: dict[str, bool], said: str | None
) -> None:
    life = RegistryLife(tools=[FIND | {"sideEffect": declared}])
    life.settle()
    assert life.said("HintsAgree") == "Unknown NotWatched"
    life.report(offer(told() | hints))
    assert life.condition("HintsAgree").message == (said or "")
    assert life.said("HintsAgree") == ("False Contradicted" if said else "True Agreed")
    assert filled(life).spec.tools[0].side_effect == declared
    shown = [(one.read_only, one.destructive) for one in life.status.hints]
    assert shown == ([(hints.get("readOnly"), hints.get("destructive"))] if hints else [])


# people


def test_the_agents_that_use_it_are_shown() -> None:
    life = discovered()
    life.users = {"support": Agent.model_validate(agent(toolRegistryRef={"name": "tools"}))}
    life.settle()
    assert [(one.agent, one.state) for one in life.status.used_by] == [("support", "Pending")]
    assert life.said("RolledOut") == "Unknown InProgress"


def test_columns_count_servers_tools_and_those_that_write() -> None:
    drop = FIND | {"name": "orders.drop", "sideEffect": "Write", "inputSchema": "{}"}
    life = RegistryLife(tools=[FIND, drop])
    life.settle()
    counts = life.status.counts
    assert counts is not None
    assert (counts.servers, counts.tools, counts.write) == (1, 2, 1)


def test_the_schema_told_is_pinned_in_canonical_form() -> None:
    life = RegistryLife()
    life.settle()
    spaced = told() | {
        "inputSchema": '{ "type": "object",\n "properties":{"id":{"type":"string"}}}'
    }
    life.report(offer(spaced))
    assert filled(life).spec.tools[0].input_schema == told(schema=BY_ID)["inputSchema"]
