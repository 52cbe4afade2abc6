"""Verdicts from a real Prometheus: what is worse goes back by itself, what is better goes on.

The stories without an outage are told at the same time, each in a namespace of its own.
"""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from devcluster import processes, prometheus
from tests.operator.providers import FRAGILE, Providers
from tests.operator.stage import Stage
from tests.operator.team import QUICK_GATE, Team, new_team
from tests.support.api import Document
from tests.support.kubectl import eventually, throughout
from tests.support.manifests import metric, strategy
from tests.support.operator import OperatorProcess
from tests.support.traffic import RATE

pytestmark = pytest.mark.light

HALF: list[dict[str, Any]] = [{"setWeight": 50}]
STAIRS: list[dict[str, Any]] = [{"setWeight": 25}, {"setWeight": 50}]
MOST_EVENTS = 12
LATENCY: Document = metric("latency") | {
    "spec": {"type": "Histogram", "histogram": {"metric": "agent_task_seconds"}}
}
FAST_ENOUGH = {
    "name": "fast-enough",
    "type": "Latency",
    "templateRef": {"name": "latency"},
    "minimum": "90%",
    "slowerThan": "1s",
    "onRegression": "Rollback",
}


@dataclass(frozen=True)
class Story:
    """A change of a prompt that was begun."""

    team: Team
    stable: str
    rollout: str
    candidate: str


@dataclass(frozen=True)
class Plot:
    """What a story begins with."""

    text: str
    steps: list[dict[str, Any]]
    spec: dict[str, Any]

    def begin(self, team: Team) -> Story:
        stable = team.deploys(LATENCY, steps=self.steps, **self.spec)
        rollout = team.changes_prompt(self.text)
        return Story(team, stable, rollout, team.candidate_of(rollout))


BOTH_METRICS = {"gate": QUICK_GATE | {"metrics": [*QUICK_GATE["metrics"], FAST_ENOUGH]}}
RARE = {"gate": QUICK_GATE | {"minRequests": 100000}, "deployment": {"progressDeadline": "8s"}}
EVIDENCE: dict[str, Document] = {
    "gate": {
        "mode": "Statistical",
        "interval": "5s",
        "minDuration": "10s",
        "onInconclusive": "Hold",
        "metrics": [
            {
                "name": "task-success",
                "type": "SuccessRate",
                "templateRef": {"name": "tasks"},
                "maxRegression": "10%",
                "onRegression": "Rollback",
            }
        ],
    }
}
WATCHED = {"strategy": strategy(HALF, watch={"holdback": "20%", "bake": "15s"})}
PLOTS = {
    "worse": Plot("A worse prompt.", HALF, {}),
    "slower": Plot("A slow prompt.", HALF, BOTH_METRICS),
    "better": Plot("A better prompt.", STAIRS, {}),
    "proved worse": Plot("A worse prompt.", HALF, EVIDENCE),
    "proved safe": Plot("A better prompt.", STAIRS, EVIDENCE),
    "unasked": Plot("A better prompt.", HALF, RARE),
    "weak": Plot("A weak prompt.", HALF, WATCHED),
    "strong": Plot("A better prompt.", HALF, WATCHED),
}


@pytest.fixture(scope="module")
def stories(stage: Stage, operator: OperatorProcess) -> dict[str, Story]:
    """All stories without an outage."""
    return _begun(stage, PLOTS)


def _begun(stage: Stage, plots: Mapping[str, Plot]) -> dict[str, Story]:
    """Begin stories at the same time."""
    teams = {name: new_team(stage.cluster) for name in plots}
    with ThreadPoolExecutor(len(plots)) as pool:
        begun = {name: pool.submit(plot.begin, teams[name]) for name, plot in plots.items()}
        return {name: one.result() for name, one in begun.items()}


def test_a_template_says_that_a_gate_found_its_series_and_who_names_it(
    stories: dict[str, Story],
) -> None:
    team = stories["better"].team

    def found() -> bool:
        said = team.condition("SeriesFound", "metrictemplates.turnout.dev", "tasks")
        return (said.get("status"), said.get("reason")) == ("True", "Matched")

    eventually("the template says that its series are found", found)
    status = team.admin.status("metrictemplates.turnout.dev", "tasks")
    assert [one["agent"] for one in status["usedBy"]] == ["support"]
    assert status["lastMatch"]["series"] > 0


def test_a_worse_prompt_rolls_itself_back_and_describe_shows_why(
    stories: dict[str, Story],
) -> None:
    story = stories["worse"]
    team = story.team
    status = team.await_rollout(story.rollout, "RolledBack")
    team.await_weights({story.stable: 100})
    told = status["message"]
    for part in ("task-success", "candidate ", "stable 100.0%", "below 90% in "):
        assert part in told
    assert team.await_phase("RolledBack")["stable"]["version"] == story.stable
    assert team.version(story.candidate)["rejectedBy"]["metric"] == "task-success"
    eventually("an Event", lambda: any(told in one["note"] for one in team.events()))
    described = " ".join(team.ada.run("describe", "agents.turnout.dev", "support").split())
    assert told in described
    assert len(team.events()) <= MOST_EVENTS


def test_a_slower_prompt_rolls_itself_back_by_its_latency(stories: dict[str, Story]) -> None:
    story = stories["slower"]
    status = story.team.await_rollout(story.rollout, "RolledBack")
    assert status["message"].startswith("fast-enough: candidate 0.0%")
    story.team.await_weights({story.stable: 100})


def test_a_better_prompt_is_promoted_by_its_numbers(stories: dict[str, Story]) -> None:
    story = stories["better"]
    team = story.team
    status = team.await_rollout(story.rollout, "Promoted")
    assert status["gate"]["verdict"] == "Pass"
    assert "task-success" in status["message"]
    assert team.await_phase("Healthy")["stable"]["version"] == story.candidate
    team.await_weights({story.candidate: 100})
    of_old = f"turnout.dev/version={story.stable}"
    eventually("the old pods go", lambda: not team.admin.list("pods", of_old))
    assert len(team.events()) <= MOST_EVENTS


def test_by_evidence_a_worse_prompt_goes_back_and_an_equal_one_through_its_steps(
    stories: dict[str, Story],
) -> None:
    worse, safe = stories["proved worse"], stories["proved safe"]
    told = worse.team.await_rollout(worse.rollout, "RolledBack")["message"]
    for part in (
        "task-success: candidate ",
        "points worse (10 allowed); evidence ",
        "(20 decides)",
    ):
        assert part in told
    worse.team.await_weights({worse.stable: 100})
    (metric,) = safe.team.await_rollout(safe.rollout, "Promoted", timeout=180)["gate"]["metrics"]
    assert (metric["verdict"], metric["bar"]) == ("Pass", "stable - 10%")
    assert float(metric["evidenceWorse"]) < 3
    assert float(metric["evidenceSafe"]) >= 20
    assert len(metric["checkpoint"]) < 2048
    safe.team.await_weights({safe.candidate: 100})


def test_what_breaks_under_the_load_of_the_bake_goes_back_and_what_holds_is_promoted(
    stories: dict[str, Story],
) -> None:
    weak, strong = stories["weak"], stories["strong"]
    status = weak.team.await_rollout(weak.rollout, "RolledBack")
    assert (status["reason"], status["step"]["name"]) == ("Regressed", "bake")
    weak.team.await_weights({weak.stable: 100})
    status = strong.team.await_rollout(strong.rollout, "Promoted")
    assert "Baking" in {entry["reason"] for entry in status["timeline"]}
    strong.team.await_weights({strong.candidate: 100})


def test_a_candidate_that_nobody_asks_is_held_and_never_promoted(
    stories: dict[str, Story],
) -> None:
    story = stories["unasked"]
    status = story.team.await_rollout(story.rollout, "Held")
    assert status["reason"] == "NoTraffic"
    story.team.await_weights({story.stable: 50, story.candidate: 50})


AWAY = {"provider": FRAGILE}
IN_VAIN = {"minDuration": "30s", "maxDuration": "30s", "onInconclusive": "Rollback"}
LANDING: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}]
"""Stairs that nobody is past before a person says so."""

BLIND = {
    "by bars": Plot("A better prompt.", LANDING, {"gate": QUICK_GATE | AWAY}),
    "by evidence": Plot("A better prompt.", LANDING, {"gate": EVIDENCE["gate"] | AWAY}),
}
OUT_OF_TIME = Plot("A better prompt.", LANDING, {"gate": EVIDENCE["gate"] | AWAY | IN_VAIN})


@pytest.mark.parametrize(
    "seconds", [20, pytest.param(600, marks=[pytest.mark.long, pytest.mark.timeout(1200)])]
)
def test_without_metrics_a_rollout_holds_and_goes_on_when_they_are_back(
    stage: Stage, operator: OperatorProcess, providers: Providers, seconds: float
) -> None:
    stories = _begun(stage, BLIND)
    waiting = list(stories.values())
    for story in waiting:
        story.team.await_rollout(story.rollout, "Paused")
    eventually("a first look", lambda: _first_look(stories["by evidence"]))
    late = OUT_OF_TIME.begin(new_team(stage.cluster))
    late.team.await_weight(late.candidate, 25)
    with _outage(providers):
        for story in waiting:
            told = _goes_on(story)
            assert told["reason"] == "MetricsUnavailable"
        message = late.team.await_rollout(late.rollout, "RolledBack")["message"]
        assert message.startswith("no pass within maxDuration 30s for lack of data; task-success: ")
        seen = _standing(waiting)
        throughout(seconds, "all is as it was", lambda: _standing(waiting) == seen)
    for story in waiting:
        status = story.team.await_rollout(story.rollout, "Promoted", timeout=180)
        assert story.team.await_phase("Healthy")["stable"]["version"] == story.candidate
    _counted_once(stories["by evidence"], status, providers)


def _goes_on(story: Story) -> Document:
    """Let a rollout past its pause, which it may not do unseen; returns what it says of that."""
    team = story.team
    team.await_rollout(story.rollout, "Held")
    promote = {"mode": "Step", "throughStep": 2, "by": "bo"}
    team.changes_rollout(team.bo, story.rollout, promote=promote)

    def seen() -> Document | None:
        status = team.rollout(story.rollout)
        return status if status.get("intents") else None

    eventually("the intent is seen", seen)
    return team.await_rollout(story.rollout, "Held")


def _first_look(story: Story) -> bool:
    """Claim that the candidate's counters have a beginning: without one a gap cannot be counted."""
    metrics = story.team.rollout(story.rollout).get("gate", {}).get("metrics") or [{}]
    return int(metrics[0].get("candidateRequests", 0)) > 0


def _standing(stories: list[Story]) -> list[tuple[str, dict[str, int]]]:
    return [(one.team.rollout(one.rollout)["phase"], one.team.admin.weights()) for one in stories]


def _counted_once(story: Story, status: Document, providers: Providers) -> None:
    """Claim that what was counted is what a provider saw that was there all the time."""
    begin, end = status["weights"]["firstAt"], status["gate"]["lastLookAt"]
    [told] = status["gate"]["metrics"]
    counted = {
        story.candidate: told["candidateRequests"],
        story.stable: told["stableRequests"],
    }
    _await_scrape(providers.default.url, story.team.namespace, end)
    for version, requests in counted.items():
        series = f'agent_tasks_total{{namespace="{story.team.namespace}",pod=~"{version}-.*"}}'
        ends = [_asked(providers.default.url, f"sum({series})", at) for at in (begin, end)]
        assert requests == pytest.approx(ends[1] - ends[0], abs=3 * RATE)


def _await_scrape(url: str, namespace: str, moment: str) -> None:
    """Wait for a scrape that is later: before it nobody can tell what was counted until then."""
    late = datetime.fromisoformat(moment).timestamp()
    query = f'max(timestamp(agent_tasks_total{{namespace="{namespace}"}}))'
    eventually("they were scraped since", lambda: _asked(url, query) > late)


def _asked(url: str, query: str, at: str | None = None) -> float:
    """Ask a Prometheus for one number, as of now or a time; where there is no series it is 0."""
    words = urllib.parse.urlencode({"query": query} | ({"time": at} if at else {}))
    with urllib.request.urlopen(f"{url}/api/v1/query?{words}", timeout=20) as answer:
        found = json.load(answer)["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


@contextmanager
def _outage(providers: Providers) -> Iterator[None]:
    """End the fragile Prometheus, and start it again on the same data."""
    there = providers.fragile
    processes.suspend(there.state_dir, prometheus.NAME)
    yield
    daemon = processes.restart(there.state_dir, prometheus.NAME)
    prometheus.wait_ready(there.url.removeprefix("http://"), daemon)
