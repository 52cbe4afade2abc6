"""Whole rollouts in simulated time, by a stated truth."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.manifests import everything
from tests.support.simulation import Simulation
from turnout.api.rollout import RolloutPhase
from turnout.api.strategy import RolloutStrategySpec
from turnout.core.naming import MANAGED_BY
from turnout.core.plan import Annotate, Apply, Create, Release, Remove, Target
from turnout.errors import Invalid
from turnout.simulation import trial as trials
from turnout.simulation.chance import arrivals, spending, successes
from turnout.simulation.cluster import Conflict, Document, MemoryCluster
from turnout.simulation.life import Life
from turnout.simulation.subject import documents
from turnout.simulation.trial import Trial, try_out
from turnout.simulation.truth import Drop, Outage, Truth
from turnout.simulation.users import counted

METRIC: dict[str, Any] = {
    "name": "task-success",
    "type": "SuccessRate",
    "templateRef": {"name": "tasks"},
    "maxRegression": "5%",
    "onRegression": "Rollback",
}
LATENCY: dict[str, Any] = METRIC | {
    "name": "latency",
    "type": "Latency",
    "templateRef": {"name": "times"},
    "slowerThan": "2s",
}
COST: dict[str, Any] = {
    "name": "cost",
    "type": "CostPerSuccess",
    "templateRef": {"name": "costs"},
    "maxIncrease": "15%",
}
BUSY = Truth(rate=40)
HOUR = 3600.0


def spec(*steps: dict[str, Any], **gate: Any) -> RolloutStrategySpec:
    usual = {
        "mode": "Statistical",
        "minDuration": "2m",
        "maxDuration": "30m",
        "onInconclusive": "Hold",
        "metrics": [METRIC],
    }
    return RolloutStrategySpec.model_validate(
        {
            "strategy": {"steps": list(steps) or [{"setWeight": 25}, {"setWeight": 50}]},
            "gate": usual | gate,
        }
    )


def played(truth: Truth, *steps: dict[str, Any], seed: int = 1, **gate: Any) -> Trial:
    return try_out(spec(*steps, **gate), truth, seed, HOUR)


def reasons(trial: Trial) -> list[str]:
    """Give what became so, one after another, whoever made it so."""
    return [one.truth or one.reason for one in trial.moments]


def test_a_version_as_good_as_stable_is_promoted_and_costs_nobody_a_failure() -> None:
    trial = played(BUSY)
    assert trial.phase is RolloutPhase.PROMOTED
    assert trial.account.excess == 0
    assert trial.ended is not None
    assert trial.ended < 600
    assert [one.weight for one in trial.moments][-1] == 100
    assert trial.moments[0].at == 0


def test_what_a_profile_reads_needs_no_template() -> None:
    profiled = {key: value for key, value in METRIC.items() if key != "templateRef"}
    asked = spec({"setWeight": 50}, metrics=[profiled | {"profile": "Envoy"}])
    assert [one["kind"] for one in documents(asked)] == ["Prompt", "Agent"]
    assert try_out(asked, BUSY, 1, HOUR).phase is RolloutPhase.PROMOTED


def test_a_worse_version_is_taken_back_and_what_it_cost_is_told() -> None:
    trial = played(replace(BUSY, worse=(Drop(0.3),)))
    assert trial.phase is RolloutPhase.ROLLED_BACK
    assert trial.message.startswith("task-success: candidate ")
    assert trial.account.excess == pytest.approx(0.3 * trial.account.asked)
    assert trial.account.failed > trial.account.excess
    assert trial.moments[-1].weight == 0


def test_a_version_that_becomes_worse_is_found_after_that_and_not_before() -> None:
    trial = played(replace(BUSY, worse=(Drop(0.5, since=100),)), minDuration="10m")
    assert trial.ended is not None
    assert 100 < trial.ended < 200
    assert "the candidate is 50 points worse than stable" in reasons(trial)


def test_an_incident_of_both_arms_takes_nothing_back() -> None:
    trial = played(replace(BUSY, incidents=(Drop(0.2, 30, 90),)))
    assert trial.phase is RolloutPhase.PROMOTED
    assert reasons(trial).index("the incident is over") > reasons(trial).index(
        "an incident: both versions are 20 points worse than usual"
    )


def test_without_the_provider_the_rollout_is_held_and_goes_on_when_it_is_back() -> None:
    trial = played(replace(BUSY, outages=(Outage(30, 330),)))
    told = reasons(trial)
    away, back = (
        told.index("the metrics provider is away"),
        told.index("the metrics provider is back"),
    )
    assert told[away + 1] == "MetricsUnavailable"
    assert away < back
    assert trial.phase is RolloutPhase.PROMOTED
    assert trial.ended is not None
    assert trial.ended > 330


def test_an_outage_from_the_beginning_is_one() -> None:
    trial = played(replace(BUSY, outages=(Outage(0, 120),)))
    assert reasons(trial)[1] == "the metrics provider is away"
    assert trial.phase is RolloutPhase.PROMOTED


def test_where_nobody_asks_the_time_runs_out_and_the_rollout_is_not_over() -> None:
    trial = try_out(spec(maxDuration="10m"), replace(BUSY, rate=0.01), 1, 900)
    assert trial.phase is RolloutPhase.HELD
    assert trial.ended is None
    assert trial.moments[-1].at <= 900


def test_a_step_for_a_person_is_waited_at() -> None:
    trial = played(BUSY, {"setWeight": 25}, {"pause": {}}, seed=3)
    assert trial.phase is RolloutPhase.PAUSED
    assert trial.ended is None


def test_people_say_yes_after_as_long_as_they_take() -> None:
    steps: tuple[dict[str, Any], ...] = (
        {"setWeight": 25},
        {"pause": {}},
        {"name": "one", "approve": {}},
        {"name": "two", "approve": {"minApprovals": 2}},
    )
    trial = played(replace(BUSY, people=60.0), *steps)
    assert trial.phase is RolloutPhase.PROMOTED
    said = [one for one in trial.moments if one.truth]
    assert [one.truth for one in said] == [f"people say yes to step {step}" for step in (2, 3, 4)]
    assert said[1].at - said[0].at == pytest.approx(60, abs=10)


def test_the_same_seed_is_the_same_rollout_and_another_one_is_not() -> None:
    assert played(BUSY) == played(BUSY)
    assert played(BUSY).account != played(BUSY, seed=2).account


def test_looks_in_short_come_to_what_looks_at_length_do(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = replace(BUSY, worse=(Drop(0.04, 60),), outages=(Outage(100, 130),))
    steps = ({"setWeight": 10}, {"pause": {"duration": "1m"}}, {"setWeight": 50})
    short = played(truth, *steps)
    monkeypatch.setattr(Life, "_look_again", lambda _: None)
    assert played(truth, *steps) == short


def test_an_agent_that_cannot_begin_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(way: RolloutStrategySpec) -> list[Document]:
        *_, agent = documents(way)
        return [agent]

    monkeypatch.setattr(trials, "documents", alone)
    with pytest.raises(Invalid, match="MetricTemplate tasks does not exist"):
        played(BUSY)


def test_writes_are_fenced_as_the_api_server_fences_them() -> None:
    cluster = MemoryCluster()
    text = {"kind": "ConfigMap", "metadata": {"name": "a", "labels": {MANAGED_BY: "turnout"}}}
    cluster.apply(Create(text))
    at, passed = cluster.get("ConfigMap", "a")["metadata"], "0"
    target, absent = Target("ConfigMap", "demo", "a"), Target("Pod", "demo", "absent")
    for refused in (
        Create(text),
        Apply(text, passed),
        Remove(target, "another", at["resourceVersion"]),
        Remove(target, at["uid"], passed),
        Annotate(absent, {}, passed),
    ):
        with pytest.raises(Conflict):
            cluster.apply(refused)
    cluster.apply(Release(target, at["resourceVersion"]))
    released = cluster.get("ConfigMap", "a")["metadata"]
    assert released["labels"] == {}
    cluster.apply(Remove(target, released["uid"], released["resourceVersion"]))
    assert not cluster.objects


def test_a_decision_that_never_comes_to_rest_is_said_to_be_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim = Simulation(everything())
    outcome = sim.reconcile()
    assert outcome.decision.actions
    monkeypatch.setattr(sim, "reconcile", lambda: outcome)
    with pytest.raises(AssertionError, match="still acting after 40 looks"):
        sim.settle()
    sim.again_in = timedelta(0)
    with pytest.raises(AssertionError, match="wants to look again at once"):
        sim.step(10)


def test_each_metric_has_its_own_truth_and_failures_are_counted_by_success() -> None:
    gate = spec(metrics=[LATENCY, METRIC]).gate
    assert counted(gate.metrics) == "task-success"
    assert counted(gate.metrics[:1]) == "latency"
    slower = replace(BUSY, worse=(Drop(0.5, metric="latency"),))
    trial = played(slower, metrics=[LATENCY, METRIC])
    assert trial.phase is RolloutPhase.ROLLED_BACK
    assert trial.message.startswith("latency: ")
    assert trial.account.excess == 0


def test_a_dearer_version_is_held_and_hurts_no_user() -> None:
    dearer = replace(BUSY, worse=(Drop(0.6, metric="cost"),))
    trial = played(dearer, metrics=[METRIC, COST], maxDuration="1h")
    assert trial.phase is RolloutPhase.HELD
    assert trial.message.startswith("cost: cost per success ")
    assert trial.account.excess == 0
    alone = played(dearer, metrics=[COST], maxDuration="1h")
    assert (alone.phase, alone.account.failed) == (RolloutPhase.HELD, 0)
    assert counted(spec(metrics=[COST, LATENCY, METRIC]).gate.metrics) == "task-success"


def test_costs_move_with_incidents_and_never_below_nothing() -> None:
    truth = Truth(worse=(Drop(0.3, 10),), incidents=(Drop(0.5, 20, 30), Drop(-2, 40)))
    found = [
        (truth.stable_cost("cost", at), truth.candidate_cost("cost", at)) for at in (0, 10, 20, 40)
    ]
    assert found == [(1, 1), (1, 1.3), (1.5, pytest.approx(1.95)), (0, 0)]


def test_what_answers_cost_scatters_about_its_mean() -> None:
    random = Random(7)
    assert spending(random, 0, 1.0) == spending(random, 5, 0.0) == 0
    assert spending(random, 100_000, 2.0) == pytest.approx(200_000, rel=0.02)


def test_the_drop_that_began_last_holds_and_incidents_add_up() -> None:
    truth = Truth(
        stable={"latency": 0.9},
        worse=(Drop(0.05, 10), Drop(0.2, 20, 30), Drop(0.5, 0, metric="latency")),
        incidents=(Drop(0.1, 25, 40), Drop(0.3, 30, 40), Drop(-0.5, 50)),
    )
    shares = [round(truth.candidate_share("task-success", at), 6) for at in (0, 10, 25, 30, 60)]
    assert shares == [0.97, 0.92, 0.67, 0.52, 0.95]
    assert truth.stable_share("task-success", 60) == 1
    assert truth.candidate_share("latency", 0) == pytest.approx(0.4)
    assert Truth(worse=(Drop(1),)).candidate_share("any", 0) == 0


def test_what_changes_is_told_in_words() -> None:
    truth = Truth(worse=(Drop(-0.02, 60, 90, "latency"),), outages=(Outage(5, 9),))
    assert list(truth.marks()) == [
        (60, "the candidate is 2 points better than stable in latency"),
        (90, "the candidate is as before in latency"),
        (5, "the metrics provider is away"),
        (9, "the metrics provider is back"),
    ]


@given(st.integers(), st.integers(0, 2000), st.floats(0, 1))
def test_no_more_succeed_than_try(seed: int, tries: int, share: float) -> None:
    found = successes(Random(seed), tries, share)
    assert 0 <= found <= tries
    if share in {0, 1}:
        assert found == tries * share


@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_as_many_succeed_as_the_share_says(share: float) -> None:
    random = Random(7)
    found = [successes(random, 50, share) for _ in range(4000)]
    deviation = (50 * share * (1 - share) / 4000) ** 0.5
    assert sum(found) / 4000 == pytest.approx(50 * share, abs=4 * deviation)


@pytest.mark.parametrize("mean", [0.0, 0.4, 12.0, 800.0])
def test_as_many_come_as_the_mean_says(mean: float) -> None:
    random = Random(7)
    found = [arrivals(random, mean) for _ in range(2000)]
    assert sum(found) / 2000 == pytest.approx(mean, abs=4 * (mean / 2000) ** 0.5)
    assert min(found) >= 0
