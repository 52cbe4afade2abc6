"""Each command for real: beside an API server with the operator running."""

import json
from typing import Any

import pytest

from tests.cli.contents import registry, tool
from tests.cli.scene import Scene
from tests.operator.stage import Stage
from tests.support.kubectl import eventually
from turnout.cli.exits import Exit
from turnout.cli.lint.command import look
from turnout.cli.lint.manifests import read_manifests

pytestmark = pytest.mark.light


def test_a_diff_shows_the_planes_that_changed_and_ends_with_one(scene: Scene) -> None:
    answer = scene.turnout("diff", "support", "-o", "json")
    assert answer.code == Exit.FOUND, answer.err
    found = answer.document
    assert (found["before"], found["after"]) == (scene.stable, scene.candidate)
    fields = {
        one["plane"]: [field["path"] for part in one["parts"] for field in part["fields"]]
        for one in found["planes"]
        if not one["same"]
    }
    assert fields["Tools"] == ["inputSchema.properties.reason"]
    assert fields["Policy"] == ["limits.maxSteps"]
    assert set(fields) == {"Prompt", "Tools", "Policy"}
    assert scene.turnout("diff", "support", "stable", scene.stable).code == Exit.DONE
    refused = scene.turnout("diff", "support", "nothing")
    assert refused.code == Exit.FAILED
    assert "has no version nothing" in refused.err


def test_a_status_shows_both_versions_the_steps_and_why(scene: Scene) -> None:
    eventually("it is paused", lambda: scene.team.agent()["phase"] == "Paused")
    answer = scene.turnout("status", "support")
    assert answer.code == Exit.DONE, answer.err
    assert f"{scene.stable}  stable      75 %" in answer.out
    assert f"{scene.candidate}  candidate   25 %" in answer.out
    assert "changed: prompt, tools, policy" in answer.out
    assert "STEPS ✔ 25 % ─ ◐ pause ─ ○ promote" in answer.out
    assert "WHY   Paused: paused until a person promotes past step 2" in answer.out
    assert "\x1b" not in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100


def test_a_status_shows_what_the_kill_switch_stops(scene: Scene) -> None:
    assert "STOPPED" not in scene.turnout("status", "support").out
    thrown: dict[str, Any] = {"spec": {"killSwitch": {"tools": ["refunds.create"]}}}
    scene.team.ada.patch("agentpolicies.turnout.dev", "support-policy", thrown)
    line = "✖ STOPPED  tool refunds.create"
    eventually("it is shown", lambda: line in scene.turnout("status", "support").out)
    assert "by AgentPolicy support-policy" in scene.turnout("status", "support").out
    killed = scene.turnout("status", "support", "-o", "json").document["killed"]
    assert (killed["agent"], killed["tools"]) == ("Allow", ["refunds.create"])
    thrown["spec"]["killSwitch"] = {"agent": "Stop"}
    scene.team.ada.patch("agentpolicies.turnout.dev", "support-policy", thrown)
    line = "✖ STOPPED  the agent"
    eventually("that is shown too", lambda: line in scene.turnout("status", "support").out)


def test_the_fleet_shows_who_needs_a_look(scene: Scene) -> None:
    eventually("it is paused", lambda: scene.team.agent()["phase"] == "Paused")
    answer = scene.turnout("status")
    assert answer.out.splitlines()[1].split()[:3] == ["support", "◐", "Paused"]
    (agent,) = scene.turnout("status", "-o", "json").document["agents"]
    assert (agent["name"], agent["candidate"]) == ("support", scene.candidate)


def test_reading_needs_no_more_than_the_role_view(scene: Scene) -> None:
    admin = scene.team.admin
    admin.run("create", "rolebinding", "vic", "--clusterrole=view", "--user=vic")
    words = (("status", "support"), ("status",), ("history", "support"), ("diff", "support"))
    eventually("vic may read", lambda: scene.turnout("status", user="vic").code == Exit.DONE)
    for word in words:
        assert scene.turnout(*word, user="vic").code != Exit.FAILED, word
    refused = scene.turnout("pause", "support", user="vic")
    assert refused.code == Exit.FAILED
    assert "you are not allowed to patch agentrollouts.turnout.dev" in refused.err


def test_looks_of_a_rollout_are_counted_again_from_the_real_provider(
    scene: Scene, stage: Stage
) -> None:
    url = stage.settings["metrics"]["default"]["url"]
    words = ("gate", "replay", "support", "--from-prometheus", url, "--scrape-interval", "1s")

    def second() -> dict[str, Any]:
        answer = scene.turnout(*words, "--print-looks")
        assert answer.code == Exit.DONE, answer.err
        lines = answer.out.splitlines()
        return json.loads(lines[1]) if len(lines) > 1 else {}

    found = eventually("a second look", second)
    assert (found["stream"], found["metric"]) == (scene.rollout, "task-success")
    stable, candidate = found["stable"]["total"], found["candidate"]["total"]
    assert candidate > 0
    assert stable / candidate == pytest.approx(3, rel=0.3)
    assert "give the gate to judge by" in scene.turnout(*words).err


def test_kubectl_runs_it_as_a_plugin_and_an_abort_is_in_the_history(scene: Scene) -> None:
    refused = scene.plugin("abort", "support")
    assert (refused.code, scene.spec().get("abort")) == (Exit.FAILED, None)
    assert "--yes" in refused.err
    dry = scene.plugin("abort", "support", "--dry-run")
    assert (dry.code, scene.spec().get("abort")) == (Exit.DONE, None)
    answer = scene.plugin("abort", "support", "--yes", "--reason", "wrong refunds")
    assert answer.code == Exit.DONE, answer.err
    assert scene.spec()["abort"] == {"by": "ada", "reason": "wrong refunds"}
    assert "turnout-person" in scene.writers()
    assert "kubectl --as=ada patch agentrollouts.turnout.dev" in answer.out
    scene.team.await_rollout(scene.rollout, "Aborted")
    newest = scene.turnout("history", "support", "-o", "json").document["rollouts"][0]
    expected = {
        "name": scene.rollout,
        "phase": "Aborted",
        "changed": ["prompt", "tools", "policy"],
        "by": "ada",
        "reason": "wrong refunds",
        "changeCause": "shorter refunds",
        "changedBy": "kubectl-client-side-apply",
    }
    assert newest.items() >= {**expected, "changed": newest["changed"]}.items()
    assert sorted(newest["changed"]) == sorted(expected["changed"])
    shown = scene.turnout("history", "support").out
    assert 'changed by kubectl-client-side-apply: "shorter refunds"' in shown
    again = scene.turnout("abort", "support", "--yes")
    assert "has no running rollout to abort" in again.err


def test_a_pause_is_taken_off_by_a_resume(scene: Scene) -> None:
    assert scene.turnout("pause", "support", "-r", "lunch").code == Exit.DONE
    assert scene.spec()["pause"] == {"by": "ada", "reason": "lunch"}
    assert "turnout resume support" in scene.turnout("status", "support").out
    assert scene.turnout("resume", "support").code == Exit.DONE
    assert "pause" not in scene.spec()
    assert "is not paused by anybody" in scene.turnout("resume", "support").err


def test_a_promoted_version_is_gone_back_from_and_the_pin_is_taken_off(scene: Scene) -> None:
    promoted = scene.turnout("promote", "support", "--full", "--yes", user="bo")
    assert promoted.code == Exit.DONE, promoted.err
    scene.team.await_rollout(scene.rollout, "Promoted")
    eventually("it is stable", lambda: scene.team.agent()["stable"]["version"] == scene.candidate)
    undone = scene.turnout("undo", "support", "--yes")
    assert undone.code == Exit.DONE, undone.err
    assert scene.pinned() == scene.stable
    assert scene.turnout("unpin", "support", "--yes").code == Exit.DONE
    assert scene.pinned() is None


def test_a_right_that_is_missing_is_named(scene: Scene) -> None:
    answer = scene.turnout("promote", "support")
    assert answer.code == Exit.FAILED
    assert "need the right to update agentrollouts/approval" in answer.err
    assert "Traceback" not in answer.err


def test_kubectl_completes_commands_agents_and_versions(scene: Scene) -> None:
    def offers(*words: str) -> list[str]:
        kubectl = scene.team.admin.cluster.kubectl
        answer = scene.run(kubectl, "__complete", "turnout", *words)
        return answer.out.split()

    space = ("-n", scene.team.namespace)
    assert "history" in offers("hi")
    assert "support" in offers("status", *space, "sup")
    assert scene.candidate in offers("diff", *space, "support", "support-")
    assert ":4" in offers("status", *space, "sup")


def test_a_kubeconfig_that_leads_nowhere_is_an_answer(scene: Scene) -> None:
    answer = scene.turnout("status", "--kubeconfig", "/nowhere/config")
    assert answer.code == Exit.FAILED
    assert answer.err == "error: NoAccess: /nowhere/config does not exist: give --kubeconfig\n"


def test_lint_says_of_a_file_what_the_operator_says_of_the_object(scene: Scene) -> None:
    broken = registry(tool(schema={"type": "objekt"}))
    scene.team.ada.apply(broken)

    def refused() -> str | None:
        found = scene.team.condition("Accepted", "toolregistries.turnout.dev", "support-tools")
        return str(found["message"]) if found.get("status") == "False" else None

    told = eventually("it is refused", refused)
    outcome = look(list(read_manifests("one.json", json.dumps(broken))))
    (finding,) = outcome.findings
    assert str(told).endswith(finding.problem.message)
