"""The step evaluate: EvalRuns of a rollout's own, and no request before they passed."""

from typing import Any

import pytest

from tests.support.manifests import everything, prompt, strategy
from tests.support.watched import Watched
from turnout.api.evalrun import EvalRun
from turnout.api.rollout import AgentRollout
from turnout.core.evaluating import is_for, run_name, run_names

STEPS: list[dict[str, Any]] = [
    {"evaluate": {"suites": ["core", "tone"]}},
    {"setWeight": 50},
    {"pause": {}},
]
RATIO = {"mode": "ReplicaRatio", "service": {"port": 8080}}


def evaluating(**spec: Any) -> Watched:
    """An agent whose second version is tried with the suite core, without an end."""
    sim = Watched(everything(strategy=strategy(STEPS), **spec))
    sim.settle()
    sim.suites["core"] = "Running"
    sim.store(prompt("another"))
    sim.settle()
    return sim


def rollout(sim: Watched) -> AgentRollout:
    return AgentRollout.model_validate(sim.rollout)


def runs(sim: Watched) -> list[str]:
    return [one["metadata"]["name"] for one in sim.all("EvalRun")]


def said(sim: Watched) -> tuple[str, str]:
    return sim.rollout["status"]["phase"], sim.rollout["status"]["reason"]


def test_a_run_is_of_the_rollout_and_names_all_that_it_compares() -> None:
    sim = evaluating()
    (made,) = sim.all("EvalRun")
    assert made["metadata"]["name"] == run_name(rollout(sim), "core")
    assert made["metadata"]["labels"]["turnout.dev/agent"] == "support"
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("AgentRollout", "support-r2")
    run = EvalRun.model_validate(made)
    assert run.spec.version.digest == rollout(sim).spec.to.digest
    assert run.spec.baseline is not None
    assert run.spec.baseline.name == sim.stable
    assert is_for(run, rollout(sim), "core")
    assert not is_for(run, rollout(sim), "tone")


def test_names_of_runs_fit_a_job() -> None:
    sim = evaluating()
    names = [*run_names(rollout(sim))]
    assert len({*names}) == 2
    assert max(map(len, names)) <= 40 + 1 + 10 + 1 + 8


def test_suites_are_tried_one_after_another() -> None:
    sim = evaluating()
    assert said(sim) == ("Progressing", "Evaluating")
    assert len(runs(sim)) == 1
    sim.suites["core"] = "Passed"
    sim.settle()
    sim.settle()
    assert len(runs(sim)) == 2


@pytest.mark.parametrize("traffic", [None, RATIO], ids=["route", "ratio"])
def test_no_request_reaches_what_has_a_suite_before_it(traffic: dict[str, Any] | None) -> None:
    sim = evaluating(**({} if traffic is None else {"traffic": traffic}))
    sim.run(60)
    sim.ready_at_most[sim.stable] = 0
    sim.run(600)
    assert sim.candidate not in {name for name, share in sim.shares().items() if share}
    assert said(sim) == ("Progressing", "Evaluating")


def test_a_run_that_was_not_made_for_the_rollout_holds_it() -> None:
    sim = evaluating()
    (name,) = runs(sim)
    sim.patch("EvalRun", name, {"spec": {"purpose": "Manual"}})
    sim.settle()
    assert said(sim) == ("Held", "NameConflict")
    del sim.objects["EvalRun", name]
    sim.settle()
    assert said(sim) == ("Progressing", "Evaluating")


@pytest.mark.parametrize("foreign", [False, True])
def test_what_nobody_waits_for_any_more_is_taken_away(*, foreign: bool) -> None:
    sim = evaluating()
    (name,) = runs(sim)
    if foreign:
        sim.patch("EvalRun", name, {"spec": {"purpose": "Manual"}})
    sim.intend(abort={"by": "ada"})
    sim.settle()
    assert runs(sim) == ([name] if foreign else [])


def test_a_run_that_has_ended_stays_with_its_rollout() -> None:
    sim = evaluating()
    sim.suites["core"] = "Failed"
    sim.settle()
    assert said(sim) == ("RolledBack", "EvalFailed")
    assert "no request reached" in sim.rollout["status"]["message"]
    assert len(runs(sim)) == 1
    assert all(share == 0 for name, share in sim.shares().items() if name == sim.candidate)


def test_newer_content_is_tried_with_runs_of_its_own() -> None:
    sim = evaluating()
    first = runs(sim)
    sim.store(prompt("newer still"))
    sim.settle()
    sim.settle()
    assert runs(sim) == [run_name(rollout(sim), "core")]
    assert runs(sim) != first
