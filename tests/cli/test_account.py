"""What `turnout why` tells of a rollout, and how `turnout wait` ends, from records alone."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.manifests import everything, prompt, strategy
from tests.support.simulation import Simulation
from turnout.api.agent import Agent
from turnout.api.rollout import AgentRollout
from turnout.api.version import AgentVersion
from turnout.cli.account import account_document, account_lines, account_of
from turnout.cli.agents import Record
from turnout.cli.exits import Exit
from turnout.cli.intents import promote
from turnout.cli.options import Goal
from turnout.cli.screen import Marks
from turnout.cli.sight import Sight
from turnout.cli.tree import tree_lines
from turnout.cli.wait import Patience, end_of, late_end
from turnout.core.lineup import Place, Turn
from turnout.errors import Invalid, NotFound

PROMOTED = Patience(Goal.PROMOTED, None, "1h")


def record_of(sim: Simulation) -> Record:
    versions = [AgentVersion.model_validate(one) for one in sim.all("AgentVersion")]
    rollouts = [AgentRollout.model_validate(one) for one in sim.all("AgentRollout")]
    return Record(
        Agent.model_validate(sim.get("Agent", "support")),
        {one.metadata.name: one for one in versions},
        tuple(sorted(rollouts, key=lambda one: one.spec.number)),
    )


def told(sim: Simulation, word: str | None = None) -> str:
    account = account_of(record_of(sim), word)
    return "\n".join(line.plain for line in account_lines(account, sim.now, Marks()))


def seen(sim: Simulation) -> str:
    sight = Sight(record_of(sim), None, sim.now)
    return "\n".join(line.plain for line in tree_lines(sight))


def ends(sim: Simulation, patience: Patience = PROMOTED) -> tuple[Exit, str] | None:
    end = end_of(record_of(sim), patience)
    return (end.exit, end.outcome) if end is not None else None


@pytest.fixture
def sim() -> Simulation:
    """An agent with a stable version whose prompt has just changed."""
    sim = Simulation(everything())
    sim.settle()
    sim.run(30)
    changed = prompt("another text")
    changed["metadata"]["annotations"] = {"kubernetes.io/change-cause": "shorter refunds"}
    sim.store(changed)
    return sim


def worse(sim: Simulation) -> Simulation:
    """Let the change be a bad one, which the gate takes back."""
    sim.traffic.quality["v2"] = 0.5
    sim.settle()
    sim.run(180)
    assert sim.rollout["status"]["phase"] == "RolledBack"
    return sim


def test_a_rollback_is_told_with_its_cause_rule_numbers_and_change(sim: Simulation) -> None:
    text = told(worse(sim))
    first, *rest = text.splitlines()
    assert f"{sim.candidate} was rolled back at" in first
    assert f"after its first traffic; all traffic is on {sim.stable}." in first
    assert rest[0].startswith("CAUSE    Regressed: ")
    assert (
        rest[1]
        == "RULE     regressed: The gate blames the candidate: all traffic goes back at once."
    )
    assert "task-success" in text
    assert f"CHANGED  prompt   turnout diff support {sim.stable} {sim.candidate}" in text
    assert 'changed: "shorter refunds"' in text
    assert "SEEN" in text
    assert "NEXT     other content is a new version" in text
    assert rest[-1].endswith(
        f"get agentrollouts.turnout.dev {sim.rollout['metadata']['name']} -o yaml"
    )


def test_programs_get_the_same_with_every_number(sim: Simulation) -> None:
    account = account_of(record_of(worse(sim)), None)
    document: dict[str, Any] = account_document(account, sim.now)
    assert (document["rule"], document["reason"]) == ("regressed", "Regressed")
    (metric,) = document["rollout"]["gate"]["metrics"]
    assert metric["candidate"] == "50.0%"
    assert metric["stable"] == "100.0%"
    assert document["rollout"]["cause"]["changeCause"] == "shorter refunds"


def test_a_rollout_of_the_past_is_told_by_its_number(sim: Simulation) -> None:
    worse(sim)
    text = told(sim, "r1")
    assert f"{sim.stable} was promoted at" in text
    assert "NEXT" not in text
    with pytest.raises(NotFound, match="has no rollout r7; it has r1, r2"):
        account_of(record_of(sim), "r7")


def test_a_rollout_under_way_and_one_that_waits_are_told_as_they_are(sim: Simulation) -> None:
    sim.turn = Turn(may_begin=False, since=sim.now, place=Place(3, 7, "3 of 3 rollouts run"))
    sim.settle()
    text = told(sim)
    assert text.startswith(f"support is Queued: {sim.stable} is stable.")
    assert "CAUSE    Queued: " in text
    assert "waits: place 3 of 7, 3 of 3 rollouts run" in text
    assert "agents.turnout.dev support -o yaml" in text
    sim.turn = None
    sim.settle()
    assert f"support is Progressing: {sim.stable} is stable, {sim.candidate} is tried." in told(sim)


def test_a_bake_is_shown_with_what_is_left_of_it_and_what_a_person_may_do_after_it() -> None:
    watched = strategy([{"setWeight": 50}], watch={"holdback": "10%", "bake": "5m"})
    sim = Simulation(everything(strategy=watched))
    sim.settle()
    sim.run(30)
    sim.store(prompt("another text"))
    sim.settle()
    sim.run(120)
    assert f"CAUSE    Baking: bakes at 90% until 00:06:02Z, {sim.stable} keeps 10%" in told(sim)
    tree = seen(sim)
    assert "bake, 1m28s, 3m32s left" in tree
    assert "STEPS ✔ 50 % ─ ✔ 90 % ─ ◐ bake 5m ─ ○ promote" in tree
    with pytest.raises(Invalid, match="has taken every step; to skip the rest: turnout promote"):
        promote(record_of(sim), "ada", None)
    sim.provider.stop()
    sim.run(300)
    assert "NEXT     turnout promote support --full   or   turnout abort support" in told(sim)


def test_an_agent_that_was_never_looked_at_is_told_too() -> None:
    text = told(Simulation(everything()))
    assert text.startswith("support is Pending: nothing is stable yet.")
    assert "the operator has not looked at it yet" in text


# wait


def test_a_wait_ends_well_once_what_is_wanted_is_stable(sim: Simulation) -> None:
    sim.settle()
    assert ends(sim) is None
    sim.intend(promote={"mode": "Full", "by": "ada"})
    sim.run(60)
    assert ends(sim) == (Exit.DONE, "promoted")


def test_a_wait_ends_with_three_where_it_was_taken_back_and_goes_on_after_a_retry(
    sim: Simulation,
) -> None:
    worse(sim)
    assert ends(sim) == (Exit.ROLLED_BACK, "refused")
    assert ends(sim, Patience(Goal.SETTLED, None, "1h")) == (Exit.DONE, "refused")
    sim.intend(retry={"by": "ada"})
    assert ends(sim) is None


def test_a_refusal_outlives_the_record_of_its_rollout(sim: Simulation) -> None:
    worse(sim)
    del sim.objects["AgentRollout", sim.rollout["metadata"]["name"]]
    assert ends(sim) == (Exit.ROLLED_BACK, "refused")


def test_a_version_that_was_named_is_refused_by_what_superseded_it(sim: Simulation) -> None:
    sim.settle()
    first = Patience(Goal.PROMOTED, sim.candidate, "1h")
    sim.store(prompt("a third text"))
    sim.settle()
    assert ends(sim, first) == (Exit.ROLLED_BACK, "refused")
    assert ends(sim) is None
    assert ends(sim, Patience(Goal.PROMOTED, "not-there", "1h")) is None


def test_a_wait_that_takes_too_long_tells_who_is_waited_for(sim: Simulation) -> None:
    sim.settle()
    assert late_end(record_of(sim)).exit is Exit.TIMED_OUT
    sim.intend(pause={"by": "ada", "reason": "lunch"})
    sim.settle()
    late = late_end(record_of(sim))
    assert late.exit is Exit.HELD
    assert late.message.startswith("Paused: paused by ada: lunch")


@pytest.mark.parametrize("text, seconds", [("90s", 90), ("1h30m", 5400), ("0s", 0)])
def test_patience_is_written_as_kubernetes_users_write_it(text: str, seconds: float) -> None:
    assert Patience(Goal.PROMOTED, None, text).seconds == timedelta(seconds=seconds).total_seconds()


@pytest.mark.parametrize("text", ["", "soon", "10", "1 h", "-1s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no length of time"):
        assert Patience(Goal.PROMOTED, None, text).seconds


def test_a_stable_version_that_does_worse_without_a_change_explains_itself() -> None:
    sim = Simulation(everything(strategy=strategy(watch={})))
    sim.settle()
    sim.run(2400)
    sim.traffic.quality[sim.stable] = 0.5
    sim.run(300)
    lines = told(sim)
    assert lines.startswith(f"support is Degraded: {sim.stable} is stable.")
    assert "does worse without a change: task-success " in lines
    assert "recorded 100.0%; no other watched agent asks the same provider" in lines
    assert "NEXT     a version that served before: turnout undo support" in lines
    assert "WHY   Degraded: " in seen(sim)
    assert "does worse" in seen(sim)
