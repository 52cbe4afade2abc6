"""The whole product on real parts: pods, a gateway, Prometheus, the operator under its account.

The tests of this file are acts of one play and run in their order: bringing a rollout to its end
takes minutes, and what one act leaves behind is what the next one begins with.
"""

import asyncio
import json
import re
import time
import urllib.error
import urllib.request

import pytest

import devcluster
from demo import example
from demo.play import play
from demo.screen import Screen
from demo.stage import OPERATOR_NAMESPACE, Stage
from tests.support.kubectl import Kubectl, Refused, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

RATE = 8.0
"""Requests a second."""


def ask(stage: Stage, path: str = "/v1/models") -> int:
    """Ask the gateway for the agent and return the status."""
    request = urllib.request.Request(f"{stage.gateway_url}{path}", headers={"Host": example.HOST})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


class TestStory:
    """In this order."""

    def test_1_a_better_prompt_is_promoted_and_a_worse_one_takes_itself_back(
        self, stage: Stage
    ) -> None:
        assert asyncio.run(play(stage, Screen(), RATE))

    def test_2_kubectl_alone_tells_the_whole_story(self, admin: Kubectl) -> None:
        row = admin.run("get", "agents.turnout.dev", "support")
        assert "RolledBack" in row
        assert "task-success" in row
        described = admin.run("describe", "agents.turnout.dev", "support")
        assert re.search(
            r"task-success: candidate \d+\.\d% .*stable \d+\.\d% .*below \d+%", described
        )
        told = admin.run("events", "--for", "agents.turnout.dev/support")
        for reason in ("RolloutStarted", "WeightChanged", "Promoted", "RolledBack"):
            assert reason in told
        versions = admin.list("agentversions.turnout.dev")
        states = sorted(one["status"]["state"] for one in versions)
        assert states.count("Stable") == 1
        assert states.count("Rejected") == 1

    def test_3_the_pods_got_the_content_and_say_who_they_are(self, admin: Kubectl) -> None:
        stable = admin.status("agents.turnout.dev", "support")["stable"]
        pods = admin.list("pods", f"turnout.dev/version={stable['version']}")
        assert len(pods) == example.replicas()
        environment = {
            one["name"]: one.get("value") for one in pods[0]["spec"]["containers"][0]["env"]
        }
        assert environment["TURNOUT_VERSION"] == stable["version"]
        assert environment["TURNOUT_DIGEST"] == stable["digest"]
        attributes = environment["OTEL_RESOURCE_ATTRIBUTES"] or ""
        assert f"service.version={stable['version']}" in attributes
        script = "import json; print(open('/etc/turnout/agent.json').read())"
        read = admin.run("exec", pods[0]["metadata"]["name"], "--", "python3", "-c", script)
        assert json.loads(read)["digest"] == stable["digest"]

    def test_4_the_images_have_no_shell_and_no_root(self, admin: Kubectl, stage: Stage) -> None:
        operator = Kubectl(stage.cluster, OPERATOR_NAMESPACE)
        for kubectl, pods in ((admin, admin.list("pods")), (operator, operator.list("pods"))):
            name = pods[0]["metadata"]["name"]
            with pytest.raises(Refused, match=r"no such file|not found"):
                kubectl.run("exec", name, "--", "/bin/sh", "-c", "true")
            whoami = "import os; print(os.getuid())"
            assert kubectl.run("exec", name, "--", "python3", "-c", whoami).strip() == "65532"
            with pytest.raises(Refused, match="Read-only"):
                kubectl.run("exec", name, "--", "python3", "-c", "open('/x', 'w')")

    def test_5_stopped_answers_503_and_serving_brings_it_back(
        self, admin: Kubectl, stage: Stage
    ) -> None:
        pods = {one["metadata"]["uid"] for one in admin.list("pods", "turnout.dev/agent=support")}
        admin.patch("agents.turnout.dev", "support", {"spec": {"traffic": {"state": "Stopped"}}})
        eventually("the gateway answers 503", lambda: ask(stage) == 503)
        admin.await_phase("Suspended")
        after = {one["metadata"]["uid"] for one in admin.list("pods", "turnout.dev/agent=support")}
        assert pods & after
        admin.patch("agents.turnout.dev", "support", {"spec": {"traffic": {"state": "Serving"}}})
        eventually("the gateway answers again", lambda: ask(stage) not in {500, 503})

    def test_6_a_rollout_holds_while_prometheus_is_away_and_then_goes_on(
        self, admin: Kubectl, stage: Stage, outage: float
    ) -> None:
        better = (example.MANIFESTS / "prompt-better.yaml").read_text()
        admin.run("apply", "-f", "-", stdin=better.replace("text: |", "text: |\n    Be kind.", 1))
        eventually("traffic", lambda: 25 in admin.weights().values())
        devcluster.stop_prometheus(stage.cluster)
        try:
            admin.await_phase("Held")
            reason = admin.status("agentrollouts.turnout.dev", newest(admin))["reason"]
            assert reason == "MetricsUnavailable"
            held_with = admin.weights()
            until = time.monotonic() + outage
            while time.monotonic() < until:
                assert admin.weights() == held_with
                time.sleep(2)
        finally:
            devcluster.start_prometheus(stage.cluster)
        admin.await_phase("Healthy", timeout=420)

    def test_7_a_killed_leader_is_replaced_in_the_middle_of_a_rollout(
        self, admin: Kubectl, stage: Stage
    ) -> None:
        operator = Kubectl(stage.cluster, OPERATOR_NAMESPACE)
        worse = (example.MANIFESTS / "prompt-worse.yaml").read_text()
        admin.run("apply", "-f", "-", stdin=worse.replace("text: |", "text: |\n    Be brief.", 1))
        eventually("traffic", lambda: 25 in admin.weights().values())
        lease = operator.get("leases.coordination.k8s.io", "turnout-operator")
        assert lease is not None
        leader = lease["spec"]["holderIdentity"]
        operator.run("delete", "pod", leader, "--force", "--grace-period=0", "--wait=false")
        admin.await_phase("RolledBack", timeout=240)
        routes = [weight for weight in admin.weights().values() if weight]
        assert routes == [100]

    def test_8_stable_serves_on_without_operator_chart_and_kinds(
        self, admin: Kubectl, stage: Stage
    ) -> None:
        pods = {one["metadata"]["uid"] for one in admin.list("pods", "turnout.dev/agent=support")}
        stage.tools.helm("uninstall", "turnout", "--namespace", OPERATOR_NAMESPACE, "--wait")
        crds = admin.run("get", "crd", "-o", "name")
        assert "agents.turnout.dev" in crds
        names = [one for one in crds.split() if one.endswith(".turnout.dev")]
        admin.run("delete", *names, "--timeout=120s")
        for _ in range(20):
            assert ask(stage) not in {500, 503}
            time.sleep(0.5)
        after = {one["metadata"]["uid"] for one in admin.list("pods", "turnout.dev/agent=support")}
        assert after <= pods
        assert after


def newest(admin: Kubectl) -> str:
    """Name the newest rollout."""
    rollouts = admin.list("agentrollouts.turnout.dev")
    return str(max(rollouts, key=lambda one: one["spec"]["number"])["metadata"]["name"])


@pytest.fixture
def outage(request: pytest.FixtureRequest) -> float:
    """Seconds that Prometheus is away once the rollout is held: 20, or 120 in a long run."""
    return 120.0 if "not long" not in request.config.getoption("-m") else 20.0
