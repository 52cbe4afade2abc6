"""The error budget of a whole service, as a real Prometheus counts it."""

from typing import Any

import pytest

from tests.operator.team import NAME, QUICK_GATE, Team
from tests.support.kubectl import eventually

pytestmark = pytest.mark.light

TOLERANT: dict[str, Any] = {
    **QUICK_GATE,
    "metrics": [QUICK_GATE["metrics"][0] | {"minimum": "10%"}],
    "errorBudget": {"pauseOnBurn": [{"rate": "2", "over": ["30s", "10s"]}]},
}
OBJECTIVE = {"name": "answers", "metric": "tasks", "target": "99%", "window": "1h"}


def test_a_rollout_is_held_while_the_service_burns_and_goes_out_by_a_persons_word(
    team: Team,
) -> None:
    team.deploys(steps=[{"setWeight": 50}, {"pause": {}}], gate=TOLERANT)
    rollout = team.changes_prompt("A worse prompt.")
    version = team.candidate_of(rollout)
    team.await_weight(version, 50)
    eventually("a pause", lambda: team.rollout(rollout).get("phase") == "Paused")
    eventually("a window", lambda: team.rollout(rollout).get("gate", {}).get("verdict") == "Pass")
    team.changes_agent(objectives=[OBJECTIVE])
    held = team.await_rollout(rollout, "Held")
    assert held["reason"] == "ErrorBudgetBurning"
    assert "answers: failures use up the error budget (99% in 1h) too fast" in held["message"]
    eventually(
        "the condition",
        lambda: team.condition("ErrorBudget").get("reason") == "ErrorBudgetBurning",
    )
    (told,) = team.agent()["objectives"]
    assert (told["name"], told["state"]) == ("answers", "Burning")
    assert {one["over"] for one in told["burnRates"]} == {"1h", "30s", "10s"}
    (spent,) = eventually("a spending", lambda: team.rollout(rollout)["gate"].get("budget"))
    assert (spent["objective"], spent["metric"]) == ("answers", QUICK_GATE["metrics"][0]["name"])
    assert float(spent["allowed"]) > 0
    assert team.admin.weights(NAME)[version] == 50
    word = {"version": version, "by": "ada", "reason": "it mends the failures"}
    team.changes_agent(budgetOverride=word)
    team.await_rollout(rollout, "Paused")
    assert ("Override", "ada", "Applied") in team.intents(rollout)
