"""A stable version that does worse without a change, as a real Prometheus counts it."""

import pytest

from tests.operator.team import NAME, Team
from tests.support.kubectl import eventually
from tests.support.manifests import strategy

pytestmark = [pytest.mark.light, pytest.mark.long]

MINUTES = 300.0
"""It is looked at once a minute."""


def test_what_does_worse_after_its_promotion_is_degraded_and_stays_where_it_is(
    team: Team,
) -> None:
    way = strategy([{"setWeight": 25}], watch={"holdback": "50%", "bake": "15s"})
    team.deploys(strategy=way)
    rollout = team.changes_prompt("A weak prompt: all the load is too much for it.")
    version = team.candidate_of(rollout)
    team.await_rollout(rollout, "Promoted", MINUTES)
    (baseline,) = eventually("a record", lambda: team.version(version).get("baseline"))
    assert (baseline["name"], baseline["reads"]) == ("task-success", "tasks")
    status = team.await_phase("Degraded", MINUTES)
    assert (status["drift"]["state"], status["drift"]["version"]) == ("Degraded", version)
    (metric,) = status["drift"]["metrics"]
    assert float(metric["measured"].removesuffix("%")) < 90.0
    assert f"{version} does worse without a change: task-success " in status["drift"]["message"]
    assert team.condition("Steady")["reason"] == "Degraded"
    assert team.admin.weights(NAME) == {version: 100}
    eventually("an Event", lambda: any(one["reason"] == "Degraded" for one in team.events()))
