"""Suites on a real API server: unwired pods, a Job's report, a verdict, nothing left."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.operator.kubelet import TaskKubelet
from tests.operator.team import Team
from tests.support.kubectl import eventually
from tests.support.manifests import kind
from tests.support.operator import free_port
from turnout.jobs.report import Desk, deliver

pytestmark = pytest.mark.light

RUNS = "evalruns.turnout.dev"
SUITES = "evalsuites.turnout.dev"
REPORTS = free_port()
TASKS = [f"task-{number}" for number in range(12)]


@pytest.fixture(scope="module")
def reports() -> int:
    return REPORTS


def suite(**spec: Any) -> dict[str, Any]:
    says = [{"name": "says", "contains": {"allOf": ["yes"]}}]
    tasks = [{"id": name, "input": "Well?", "graders": says} for name in TASKS]
    return kind("EvalSuite", "core", {"tasks": tasks, "runner": {"builtin": {}}} | spec)


def tell(environment: dict[str, str], text: str) -> None:
    """Leave an answer as the Job's program would."""
    token = Path(environment["TURNOUT_TOKEN_FILE"])
    url, word = environment["TURNOUT_REPORTS_URL"], environment["TURNOUT_NONCE"]
    asyncio.run(deliver(Desk(url, token, environment["TURNOUT_JOB_UID"], word), text, 60.0))


def test_what_breaks_golden_tasks_is_taken_back_before_any_traffic(
    team: Team, tmp_path: Path
) -> None:
    stable = team.deploys(suite(), steps=[{"evaluate": {"suites": ["core"]}}, {"setWeight": 25}])
    rollout = team.changes_prompt("You help nobody.")
    candidate = team.candidate_of(rollout)
    served = team.endpoints("support")
    player = TaskKubelet(team.admin, tmp_path)
    (pod,) = eventually("the Job runs", player.pods)
    (name,) = (one["metadata"]["name"] for one in team.admin.list(RUNS))
    names = {f"{stable}-eval", f"{candidate}-eval"}
    for what in ("deployments.apps", "services"):
        found = {one["metadata"]["name"] for one in team.admin.list(what, "turnout.dev/eval-run")}
        assert found == names
    assert team.endpoints("support") == served
    environment = player.environment(pod)
    tell(environment, '{"progress": {"done": 3, "total": 24, "secondsLeft": 9}}')
    assert team.admin.status(RUNS, name)["progress"]["share"] == "12%"
    rounds = [{"candidate": "ffffff" + "p" * 6, "baseline": "p" * 12}] * 10
    told = str({"result": {"tasks": TASKS, "rounds": rounds}}).replace("'", '"')
    tell(environment, told)
    status = team.admin.status(RUNS, name)
    assert (status["phase"], status["reason"]) == ("Failed", "Regressed")
    assert {*status["regressed"]} == {*TASKS[:6]}
    columns = team.ada.run("get", RUNS, name, "--no-headers").split()
    assert columns[:6] == [name, "core", candidate, "Failed", "50.00%", "6"]
    back = team.await_rollout(rollout, "RolledBack")
    assert (back["reason"], back["weights"]["desired"]) == ("EvalFailed", 0)
    assert all(one in back["message"] for one in (*TASKS[:6], "no request reached"))
    assert "firstAt" not in back["weights"]
    eventually(
        "the pods' objects are gone",
        lambda: not team.admin.list("deployments.apps", "turnout.dev/eval-run"),
    )
    last = eventually("the suite tells", lambda: team.admin.status(SUITES, "core").get("lastRun"))
    assert (last["name"], last["verdict"]) == (name, "Failed")


def test_tasks_in_a_config_map_are_read_anew_when_it_changes(team: Team) -> None:
    def said(word: str) -> bool:
        return bool(team.condition("Accepted", SUITES, "core").get("reason") == word)

    source = {"configMapKeyRef": {"name": "golden", "key": "g.jsonl"}, "format": "JSONL"}
    team.ada.apply(suite(tasksFrom=[source]))
    eventually("the ConfigMap is missed", lambda: said("ReferenceNotFound"))
    row = '{"id": "more", "input": "And?", "graders": [{"name": "a", "exact": {"text": "b"}}]}'
    holder = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "golden"}}
    team.ada.apply(holder | {"data": {"g.jsonl": row}})
    eventually("it is read", lambda: said("Valid"))
    assert team.admin.status(SUITES, "core")["taskCount"] == 13
    team.ada.apply(holder | {"data": {"g.jsonl": row[:-1]}})
    eventually("its mistake is told", lambda: said("InvalidSpec"))
    message = team.condition("Accepted", SUITES, "core")["message"]
    assert "key g.jsonl of ConfigMap golden: line 1" in message
