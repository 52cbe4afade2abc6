"""The kill switch on real pods: a tool is refused in a run that is under way."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.stage import Stage
from tests.e2e import copies, insistent
from tests.support.api import Document
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import GATE, kind, metric, prompt, strategy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MODEL = "insistent"
AGENT = "support"
LIMIT = 5.0
"""Seconds from the patch to the first refused call."""

THROWS = 3
"""Runs in which it is thrown, one after another."""

POLICIES = "agentpolicies.turnout.dev"
LIMITS = {"maxSteps": 2000, "maxToolCalls": 2000, "timeout": "2m"}


@pytest.fixture
def admin(stage: Stage) -> Iterator[Kubectl]:
    """A namespace with an agent whose model never wants anything but one tool."""
    with copies.namespace(stage, "kill") as made:
        made.apply(
            *copies.program(MODEL, "-c", Path(insistent.__file__).read_text()),
            prompt(),
            metric(),
            copies.tools(MODEL),
            kind("AgentPolicy", "support-policy", {"mode": "Enforce", "limits": LIMITS}),
            copies.agent(AGENT, MODEL, strategy=strategy([{"setWeight": 50}]), gate=GATE),
        )
        copies.await_program(made, MODEL)
        made.await_phase("Healthy", AGENT, 90)
        yield made


def test_a_killed_tool_is_refused_in_a_run_under_way_and_no_pod_is_touched(
    admin: Kubectl, stage: Stage, measured: list[str]
) -> None:
    pod = copies.await_ready(admin, AGENT)
    before = copies.identities(admin, AGENT)
    took = []
    for _ in range(THROWS):
        took.append(_throw_in_a_run(admin, pod))
        _switch(admin, None)
        eventually("it is released", lambda: "orders.lookup" not in _own_order(admin, pod))
    words = ", ".join(f"{one:.2f}" for one in took)
    measured.append(f"kill switch: {words} s from the patch to the first refused call of a run")
    assert max(took) < LIMIT
    assert copies.identities(admin, AGENT) == before
    rollouts = admin.list("agentrollouts.turnout.dev")
    assert [one["metadata"]["name"] for one in rollouts] == [f"{AGENT}-r1"]
    told = [one["reason"] for one in rollouts[0]["status"]["timeline"]]
    assert told[-2 * THROWS :] == ["Thrown", "Clear"] * THROWS
    _throw_in_a_run(admin, pod)
    _a_new_pod_refuses_without_the_operator(admin, stage, pod)


def _throw_in_a_run(admin: Kubectl, pod: Document) -> float:
    """Throw the switch in the middle of a run; returns the seconds until it was refused."""
    seen = len(_said(admin, "served"))
    with ThreadPoolExecutor(1) as customer:
        run = customer.submit(copies.ask, copies.address(pod), "What became of it?")
        eventually("a run is under way", lambda: len(_said(admin, "served")) > seen + 5)
        began = time.time()
        _switch(admin, {"tools": ["orders.lookup"]})
        task = run.result(60)
    assert task["toolCalls"] > 5
    return _said(admin, "refused")[-1] - began


def _switch(admin: Kubectl, switch: Document | None) -> None:
    admin.patch(POLICIES, "support-policy", {"spec": {"killSwitch": switch}})


def _said(admin: Kubectl, what: str) -> list[float]:
    """Return when the model and its shop saw something."""
    lines = map(json.loads, admin.run("logs", MODEL).splitlines())
    return [one["at"] for one in lines if one["what"] == what]


def _own_order(admin: Kubectl, pod: Document) -> str:
    return str(_orders(admin, pod)["order.json"])


def _orders(admin: Kubectl, pod: Document) -> Document:
    """Read the orders that a pod sees."""
    script = (
        "import json, pathlib; print(json.dumps({one.name: one.read_text() "
        "for one in pathlib.Path('/etc/turnout-kill').glob('*.json')}))"
    )
    name = pod["metadata"]["name"]
    found: Document = json.loads(admin.run("exec", name, "--", "python3", "-c", script))
    return found


def _a_new_pod_refuses_without_the_operator(admin: Kubectl, stage: Stage, pod: Document) -> None:
    """End the pod while no operator runs: its successor refuses from its first call on."""
    operators = copies.operators(stage)
    operators.run("scale", "deployment", "turnout", "--replicas=0")
    eventually("no operator", lambda: not operators.list("pods"))
    name = pod["metadata"]["name"]
    try:
        admin.run("delete", "pod", name, "--wait=false")
        young = copies.await_ready(admin, AGENT, but=frozenset({name}))
        assert "turnout.dev/kill" not in young["metadata"]["annotations"]
        assert '"orders.lookup"' in _orders(admin, young)["standing-order.json"]
        assert copies.ask(copies.address(young), "What became of it?")["toolCalls"] == 1
    finally:
        operators.run("scale", "deployment", "turnout", "--replicas=2")
        operators.run("rollout", "status", "deployment", "turnout", "--timeout=180s")
