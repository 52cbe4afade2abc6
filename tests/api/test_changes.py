"""What may change in a stored object, and what never may: people's intent, frozen fields, scale."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.documents import DIGEST, OTHER_DIGEST, changed, good
from tests.api.server import ApiServer

pytestmark = pytest.mark.light

ROLLOUT = "support-r14"
VERSION = "support-9c41e07b2d"
ADA = {"by": "ada"}


@pytest.fixture
def rollout(server: ApiServer) -> Iterator[ApiServer]:
    with server.holding(good("AgentRollout")):
        yield server


@pytest.fixture
def version(server: ApiServer) -> Iterator[ApiServer]:
    with server.holding(good("AgentVersion")):
        yield server


@pytest.fixture
def agent(server: ApiServer) -> Iterator[ApiServer]:
    with server.holding(good("Agent")):
        yield server


def want(server: ApiServer, **intent: Any) -> str:
    """Patch intent as `kubectl patch --type=merge` does; empty where it was taken."""
    answer = server.patch("AgentRollout", ROLLOUT, {"spec": intent})
    return "" if answer.accepted else answer.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("agent", "other"),
        ("number", 15),
        ("trigger", "Retry"),
        ("from", {"version": "support-0000000000", "digest": DIGEST}),
        ("from", None),
        ("cause", {"planes": ["Model"]}),
        ("cause", None),
        ("to", {"version": "support-0000000000", "digest": OTHER_DIGEST}),
        ("strategy", {"scaleDownDelay": "1s"}),
        ("gate", {"minRequests": 1}),
    ],
)
def test_a_transition_is_fixed_when_it_begins(rollout: ApiServer, path: str, value: Any) -> None:
    assert "is fixed when the rollout is created" in want(rollout, **{path: value})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("digest", OTHER_DIGEST),
        ("render", 2),
        ("images", None),
        ("planes", []),
        ("contentRef", {"bytes": 1}),
    ],
)
def test_a_version_is_immutable(version: ApiServer, path: str, value: Any) -> None:
    answer = version.patch("AgentVersion", VERSION, {"spec": {path: value}})
    assert not answer.accepted
    assert "immutable" in answer.message or "at least 1 items" in answer.message


def test_a_versions_status_may_change(version: ApiServer) -> None:
    answer = version.patch_status("AgentVersion", VERSION, {"state": "Stable"})
    assert answer.document["status"]["state"] == "Stable"


def test_a_pause_comes_and_goes(rollout: ApiServer) -> None:
    assert want(rollout, pause=ADA) == ""
    assert want(rollout, pause=None) == ""
    assert "pause" not in rollout.get("AgentRollout", ROLLOUT)["spec"]


@pytest.mark.parametrize("name", ["abort", "retry", "acknowledge"])
def test_a_latch_cannot_be_taken_back(rollout: ApiServer, name: str) -> None:
    assert want(rollout, **{name: ADA}) == ""
    assert f"{name} cannot be taken back" in want(rollout, **{name: None})


def test_saying_it_twice_is_no_error(rollout: ApiServer) -> None:
    assert want(rollout, abort=ADA) == ""
    assert want(rollout, abort={"by": "bob"}) == ""


def test_promotion_only_grows(rollout: ApiServer) -> None:
    assert want(rollout, promote={"mode": "Step", "throughStep": 2, **ADA}) == ""
    assert want(rollout, promote={"throughStep": 2}) == ""
    assert want(rollout, promote={"throughStep": 4}) == ""
    assert "never falls back" in want(rollout, promote={"throughStep": 3})
    assert want(rollout, promote={"mode": "Full", "throughStep": None}) == ""
    assert "never falls back" in want(rollout, promote={"mode": "Step", "throughStep": 5})
    assert "cannot be taken back" in want(rollout, promote=None)


def test_abort_is_taken_after_a_full_promotion_in_a_paused_rollout(rollout: ApiServer) -> None:
    assert want(rollout, pause=ADA) == ""
    assert want(rollout, promote={"mode": "Full", **ADA}) == ""
    assert want(rollout, abort=ADA) == ""


def approve(server: ApiServer, by: str) -> str:
    """Add an approval as `kubectl patch --type=json` does; empty where it was taken."""
    approval = {"op": "add", "path": "/spec/approvals/-", "value": {"step": "ship", "by": by}}
    answer = server.patch("AgentRollout", ROLLOUT, [approval])
    return "" if answer.accepted else answer.message


def approvers(server: ApiServer) -> set[str]:
    return {one["by"] for one in server.get("AgentRollout", ROLLOUT)["spec"]["approvals"]}


def test_approvals_at_once_all_arrive(rollout: ApiServer) -> None:
    people = [f"person-{number}" for number in range(12)]
    with ThreadPoolExecutor(len(people)) as pool:
        assert set(pool.map(lambda by: approve(rollout, by), people)) == {""}
    assert approvers(rollout) == set(people)


def test_approvals_are_only_added(rollout: ApiServer) -> None:
    assert approve(rollout, "ada") == ""
    assert "never changed" in want(rollout, approvals=[{"step": "ship", "by": "bob"}])
    assert "never changed" in want(rollout, approvals=[])
    assert "cannot be taken back" in want(rollout, approvals=None)
    assert "never changed" in want(
        rollout, approvals=[{"step": "ship", "by": "ada", "reason": "on second thought"}]
    )
    assert approvers(rollout) == {"ada"}


def test_one_person_approves_a_step_once(rollout: ApiServer) -> None:
    assert approve(rollout, "ada") == ""
    assert "Duplicate value" in approve(rollout, "ada")


def test_an_autoscaler_drives_the_replicas(agent: ApiServer) -> None:
    assert agent.scale("support", 7).accepted
    assert agent.get("Agent", "support")["spec"]["replicas"] == 7


def test_an_autoscaler_reads_the_stable_arm(agent: ApiServer) -> None:
    selector = "turnout.dev/agent=support,turnout.dev/version=support-9c41e07b2d"
    agent.patch_status("Agent", "support", {"replicas": 3, "selector": selector})
    scale = agent.scale("support", 3).document
    assert scale["status"] == {"replicas": 3, "selector": selector}


def test_an_autoscaler_cannot_leave_the_bounds(agent: ApiServer) -> None:
    assert not agent.scale("support", 10_001).accepted


def test_agents_are_found_by_phase_and_stable_version(agent: ApiServer) -> None:
    stable = {"version": VERSION, "digest": DIGEST}
    agent.patch_status("Agent", "support", {"phase": "Healthy", "stable": stable})
    assert agent.select("Agent", "status.phase=Healthy") == ["support"]
    assert agent.select("Agent", f"status.stable.version={VERSION}") == ["support"]
    assert agent.select("Agent", "status.phase=Held") == []


def test_rollouts_are_found_by_agent_and_phase(rollout: ApiServer) -> None:
    rollout.patch_status("AgentRollout", ROLLOUT, {"phase": "Held"})
    assert rollout.select("AgentRollout", "spec.agent=support,status.phase=Held") == [ROLLOUT]


def test_a_change_of_status_is_no_change_of_spec(agent: ApiServer) -> None:
    before = agent.get("Agent", "support")["metadata"]["generation"]
    agent.patch_status("Agent", "support", {"phase": "Healthy"})
    assert agent.get("Agent", "support")["metadata"]["generation"] == before


def test_a_sync_that_leaves_fields_out_is_refused_where_it_matters(rollout: ApiServer) -> None:
    """A whole-object replace by an old client cannot drop an abort either."""
    assert want(rollout, abort=ADA) == ""
    stale = changed(good("AgentRollout"), "spec.pause", ADA)["spec"]
    assert "cannot be taken back" in want(rollout, **stale, abort=None)
