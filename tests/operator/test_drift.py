"""What somebody else changes or deletes is put right, fast, and what is theirs is left alone."""

import json
import time
from typing import Any

import pytest

from tests.operator.team import DEPLOYMENTS, NAME, ROUTES, Team
from tests.support.api import Document
from tests.support.kubectl import eventually

pytestmark = pytest.mark.light

SERVICES = "services"
CORRECTED_WITHIN = 10.0
ROUTE: dict[str, Any] = {
    "parentRefs": [{"name": "public", "namespace": "gateways"}],
    "hostnames": ["support.example.com"],
    "rules": [
        {
            "matches": [
                {
                    "path": {"type": "PathPrefix", "value": "/v1"},
                    "headers": [{"type": "Exact", "name": "x", "value": "1"}],
                }
            ],
            "filters": [
                {
                    "type": "RequestHeaderModifier",
                    "requestHeaderModifier": {"set": [{"name": "x-agent", "value": "support"}]},
                }
            ],
            "timeouts": {"request": "30s", "backendRequest": "20s"},
        },
        {"matches": [{"path": {"type": "Exact", "value": "/health"}}]},
    ],
}
TRAFFIC = {"mode": "HTTPRoute", "service": {"port": 8080}, "httpRoute": ROUTE}


def _route(team: Team) -> Document:
    found = team.admin.get(ROUTES, NAME)
    assert found is not None
    return found


def _as_written(part: Any) -> Any:
    """Leave out what is not a person's: the backends, and lists that are empty."""
    if isinstance(part, list):
        return [_as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {k: _as_written(v) for k, v in part.items() if k != "backendRefs" and v != []}


def _weights(team: Team, weight: int) -> str:
    """Write the JSON patch of somebody who gives the first backend of each rule a weight."""
    path = "/spec/rules/{}/backendRefs/0/weight"
    rules = range(len(_route(team)["spec"]["rules"]))
    return json.dumps(
        [{"op": "replace", "path": path.format(one), "value": weight} for one in rules]
    )


def _canary(team: Team, **spec: Any) -> tuple[str, str]:
    stable = team.deploys(**spec)
    rollout = team.changes_prompt("A better prompt.")
    candidate = team.candidate_of(rollout)
    team.await_weight(candidate, 25)
    return stable, candidate


def test_foreign_weights_are_corrected_within_ten_seconds(team: Team, measured: list[str]) -> None:
    stable, candidate = _canary(team)
    began = time.monotonic()
    team.admin.run("patch", ROUTES, NAME, "--type=json", "-p", _weights(team, 3))
    assert eventually(
        "the weights are right again",
        lambda: team.admin.weights() == {stable: 75, candidate: 25},
        CORRECTED_WITHIN,
    )
    took = time.monotonic() - began
    measured.append(f"foreign weights corrected {took:.2f} s after kubectl began to write them")


def test_a_persons_matches_filters_and_timeouts_survive_every_change_of_weight(team: Team) -> None:
    stable, candidate = _canary(team, traffic=TRAFFIC)
    rules = _route(team)["spec"]["rules"]
    assert [sum(one["weight"] for one in rule["backendRefs"]) for rule in rules] == [100, 100]
    team.admin.run("patch", ROUTES, NAME, "--type=json", "-p", _weights(team, 7))
    eventually(
        "the weights are right again",
        lambda: team.admin.weights() == {stable: 75, candidate: 25},
    )
    route = _route(team)["spec"]
    assert _as_written(route["rules"]) == ROUTE["rules"]
    assert route["hostnames"] == ROUTE["hostnames"]


def test_a_deleted_route_comes_back_with_the_weights_of_now(team: Team) -> None:
    stable, candidate = _canary(team)
    before = _route(team)["metadata"]["uid"]
    team.admin.run("delete", ROUTES, NAME)
    eventually("the route", lambda: team.admin.get(ROUTES, NAME), CORRECTED_WITHIN)
    assert _route(team)["metadata"]["uid"] != before
    team.await_weights({stable: 75, candidate: 25})


def test_a_deployment_that_somebody_scaled_down_is_restored(team: Team) -> None:
    stable = team.deploys()
    team.admin.run("scale", "deployment", stable, "--replicas=0")

    def restored() -> bool:
        found = team.admin.get(DEPLOYMENTS, stable)
        return found is not None and found["status"].get("readyReplicas") == 2

    assert eventually("two ready pods", restored, CORRECTED_WITHIN)


def test_an_arm_that_lost_its_pods_loses_its_weight_while_it_has_none(team: Team) -> None:
    stable, candidate = _canary(team)
    for pod in team.admin.list("pods", f"turnout.dev/version={candidate}"):
        unready = "devcluster.turnout.dev/ready=false"
        team.admin.run("annotate", "pod", pod["metadata"]["name"], unready)
    team.await_weight(candidate, 0)
    team.await_weights({stable: 100})
    assert team.await_phase("Held")["stable"]["version"] == stable
    for pod in team.admin.list("pods", f"turnout.dev/version={candidate}"):
        team.admin.run("annotate", "pod", pod["metadata"]["name"], "devcluster.turnout.dev/ready-")
    team.await_weight(candidate, 25)


@pytest.mark.parametrize("whose", ["agent", "version"])
def test_a_deleted_service_is_restored_and_still_tells_who_is_stable(
    team: Team, whose: str
) -> None:
    stable = team.deploys()
    name = NAME if whose == "agent" else stable
    before = team.admin.get(SERVICES, name)
    assert before is not None
    team.admin.run("delete", "service", name)
    after = eventually("the Service", lambda: team.admin.get(SERVICES, name), CORRECTED_WITHIN)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert after["spec"]["selector"] == before["spec"]["selector"]
    assert team.newest_rollout() == f"{NAME}-r1"


def test_a_service_that_somebody_repointed_is_put_right(team: Team) -> None:
    stable = team.deploys()
    before = team.admin.get(SERVICES, NAME)
    assert before is not None
    team.admin.patch("service", NAME, {"spec": {"selector": {"turnout.dev/version": "nobody"}}})

    def right() -> bool:
        found = team.admin.get(SERVICES, NAME)
        return found is not None and found["spec"]["selector"] == before["spec"]["selector"]

    eventually("the selector", right, CORRECTED_WITHIN)
    assert before["spec"]["selector"]["turnout.dev/version"] == stable
