"""Two agents that share a prompt part ways, each on its own bytes, as their pods tell."""

from collections.abc import Iterator
from typing import Any

import pytest

from demo.stage import Stage
from tests.e2e import copies
from tests.examples.mounted import manifests, prompt_text
from tests.support.api import Document
from tests.support.kubectl import Kubectl, eventually
from tests.support.manifests import GATE, metric, strategy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MODEL = "standin"
LENIENT, STRICT = "support", "travel"
BARS = {LENIENT: "0%", STRICT: "50%"}
"""The share of good answers that each agent's gate asks for."""

FLAW = "Never answer in JSON.\n"
"""What the new prompt says besides: no answer is good any more."""

PROMPTS = "prompts.turnout.dev"
AGENTS = "agents.turnout.dev"


def _agent(name: str) -> Document:
    metrics = [GATE["metrics"][0] | {"minimum": BARS[name]}]
    gate: dict[str, Any] = {
        "interval": "5s",
        "failures": {"count": 2, "of": 3},
        "successes": 1,
        "minRequests": 3,
        "metrics": metrics,
    }
    steps = strategy([{"setWeight": 50}], scaleDownDelay="1s")
    return copies.agent(name, MODEL, strategy=steps, gate=GATE | gate)


@pytest.fixture
def admin(stage: Stage) -> Iterator[Kubectl]:
    """A namespace with two agents that differ in nothing but how strictly they are judged."""
    with copies.namespace(stage, "shared") as made:
        made.apply(
            *copies.program(MODEL, "-m", "standin"),
            *manifests("prompt"),
            *manifests("policy"),
            metric(),
            copies.tools(MODEL),
            *map(_agent, BARS),
        )
        copies.await_program(made, MODEL)
        for name in BARS:
            made.await_phase("Healthy", name, 90)
        yield made


def _bytes(admin: Kubectl, pod: Document) -> str:
    """Read the prompt that a pod was given."""
    script = "print(open('/etc/turnout/prompt.support-system.txt').read(), end='')"
    return admin.run("exec", pod["metadata"]["name"], "--", "python3", "-c", script)


def _served(admin: Kubectl, name: str) -> set[str]:
    """Return the prompts that the pods of an agent were given."""
    return {_bytes(admin, pod) for pod in copies.pods(admin, name)}


def test_one_promotes_and_one_takes_itself_back_and_each_keeps_its_bytes(
    admin: Kubectl, stage: Stage
) -> None:
    old = prompt_text("prompt")
    new = old + FLAW
    assert {name: _served(admin, name) for name in BARS} == {LENIENT: {old}, STRICT: {old}}
    stable = admin.status(AGENTS, STRICT)["stable"]
    with copies.customers(admin, BARS):
        admin.patch(PROMPTS, "support-system", {"spec": {"text": new}})
        admin.await_phase("RolledBack", STRICT, 120)
        eventually("the other promotes it", lambda: _is_promoted(admin, LENIENT), 120)
    assert admin.status(AGENTS, STRICT)["stable"] == stable
    _await_one_version(admin)
    expected = {LENIENT: {new}, STRICT: {old}}
    assert {name: _served(admin, name) for name in BARS} == expected
    pods = {name: copies.identities(admin, name) for name in BARS}
    operators = copies.operators(stage)
    operators.run("rollout", "restart", "deployment", "turnout")
    operators.run("rollout", "status", "deployment", "turnout", "--timeout=180s")
    admin.await_phase("RolledBack", STRICT)
    assert {name: copies.identities(admin, name) for name in BARS} == pods
    assert {name: _served(admin, name) for name in BARS} == expected
    _successor_keeps(admin, old)


def _is_promoted(admin: Kubectl, name: str) -> bool:
    rollout = admin.status("agentrollouts.turnout.dev", f"{name}-r2")
    return bool(rollout.get("phase") == "Promoted")


def _await_one_version(admin: Kubectl) -> None:
    """Wait until the versions that lost have no pod any more."""
    for name in BARS:
        stable = admin.status(AGENTS, name)["stable"]["version"]
        copies.await_only(admin, name, stable)


def _successor_keeps(admin: Kubectl, old: str) -> None:
    """End the pod of the agent that took itself back: the next one gets the old bytes too."""
    (pod,) = copies.pods(admin, STRICT)
    name = pod["metadata"]["name"]
    admin.run("delete", "pod", name, "--wait=false")
    young = copies.await_ready(admin, STRICT, but=frozenset({name}))
    assert _bytes(admin, young) == old
