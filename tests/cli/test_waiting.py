"""Commands that go on for a while, and those that tell how something ended: beside an operator."""

from pathlib import Path

import pytest

from tests.cli.scene import Scene
from tests.operator.stage import Stage
from tests.operator.team import Team, new_team
from tests.support.kubectl import eventually
from turnout.cli.exits import Exit

pytestmark = pytest.mark.light

APPROVED = [{"setWeight": 25}, {"name": "ship", "approve": {}}, {"pause": {}}]


def test_a_watch_and_a_wait_see_a_promotion(scene: Scene, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with (
        scene.begins(seen, "status", "support", "-w"),
        scene.begins(tmp_path / "waited", "wait", "support", "--timeout", "60s") as waiting,
    ):
        eventually("the watch shows the pause", lambda: "Paused" in seen.read_text())
        promoted = scene.turnout("promote", "support", "--full", "--yes", user="bo")
        assert promoted.code == Exit.DONE, promoted.err
        assert waiting.wait(timeout=60) == Exit.DONE
        eventually("the watch shows the end", lambda: "Healthy" in seen.read_text())
    assert scene.turnout("wait", "support", "--version", scene.candidate).code == Exit.DONE
    assert scene.turnout("wait", "support", "--for", "settled").code == Exit.DONE


def test_what_is_held_and_what_was_refused_have_exit_codes_and_a_why(scene: Scene) -> None:
    eventually("it is paused", lambda: scene.team.agent()["phase"] == "Paused")
    held = scene.turnout("wait", "support", "--timeout", "1s")
    assert held.code == Exit.HELD
    assert "paused until a person promotes past step 2" in held.err
    late = scene.turnout("wait", "support", "--version", "nothing", "--timeout", "0s", "-o", "json")
    assert (late.code, late.document["outcome"]) == (Exit.HELD, "held")
    assert scene.turnout("wait", "support", "--timeout", "soon").code == Exit.FAILED
    scene.turnout("abort", "support", "--yes", "--reason", "wrong refunds")
    scene.team.await_rollout(scene.rollout, "Aborted")
    refused = scene.turnout("wait", "support", "--timeout", "30s", "-o", "json")
    assert refused.code == Exit.ROLLED_BACK
    assert refused.document["version"] == scene.candidate
    assert "wrong refunds" in refused.document["message"]
    told = scene.turnout("why", "support")
    assert told.code == Exit.DONE, told.err
    assert f"{scene.candidate} was aborted at" in told.out
    assert f"all traffic is on {scene.stable}" in told.out
    assert "RULE     aborted: A person took it back" in told.out
    assert 'changed by kubectl-client-side-apply: "shorter refunds"' in told.out
    first = scene.turnout("why", "support", "r1", "-o", "json").document
    assert (first["rollout"]["to"], first["rollout"]["phase"]) == (scene.stable, "Promoted")
    assert "has no rollout r9; it has r1, r2" in scene.turnout("why", "support", "r9").err


def test_an_approval_is_one_more_line_of_the_rollout(stage: Stage) -> None:
    team: Team = new_team(stage.cluster, "cli")
    stable = team.deploys(steps=APPROVED)
    rollout = team.changes_prompt("Ask before you refund.")
    scene = Scene(team, rollout, stable, team.candidate_of(rollout))
    eventually("it waits", lambda: "step ship" in str(team.rollout(rollout).get("message")))
    assert "turnout approve support" in scene.turnout("status", "support").out
    forbidden = scene.turnout("approve", "support")
    assert forbidden.code == Exit.FAILED
    assert "agentrollouts/approval" in forbidden.err
    unknown = scene.turnout("approve", "support", "sail", user="bo")
    assert "has no approve step sail; it has ship" in unknown.err
    approved = scene.turnout("approve", "support", "-r", "evals are fine", user="bo")
    assert approved.code == Exit.DONE, approved.err
    assert scene.spec()["approvals"] == [{"step": "ship", "by": "bo", "reason": "evals are fine"}]
    again = scene.turnout("approve", "support", user="bo")
    assert "bo has approved every step" in again.err
    team.await_phase("Paused")
    team.admin.run("delete", "namespace", team.namespace, "--wait=false")
