"""Golden tasks on real parts: a lost rule is found before any traffic, other words are let pass."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from demo.stage import Stage
from tests.e2e import copies
from tests.examples.mounted import EXAMPLE, manifests, prompt_text
from tests.support.api import Document
from tests.support.kubectl import Kubectl, Refused, eventually
from tests.support.manifests import GATE, kind, metric, strategy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MODEL = "standin"
AGENT = "support"
AGENTS = "agents.turnout.dev"
PROMPTS = "prompts.turnout.dev"
RUNS = "evalruns.turnout.dev"
SUITE = "support-golden"
OVER = {"Passed", "Failed", "Inconclusive", "Error"}
WAITING = strategy([{"pause": {"duration": "1h"}}, {"setWeight": 50}], scaleDownDelay="1s")
"""Nobody is answered by the candidate as long as this test takes."""


@pytest.fixture
def admin(stage: Stage) -> Iterator[Kubectl]:
    """A namespace with the example agent and its golden tasks."""
    golden = {"golden.yaml": (EXAMPLE / "evals" / "golden.yaml").read_text()}
    holder = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SUITE}, "data": golden}
    with copies.namespace(stage, "evals") as made:
        made.apply(
            *copies.program(MODEL, "-m", "standin", "--latency", "0.02"),
            *manifests("prompt"),
            *manifests("policy"),
            copies.tools(MODEL),
            metric(),
            copies.agent(AGENT, MODEL, strategy=WAITING, gate=GATE),
            holder,
            *manifests("../evals/suite"),
        )
        copies.await_program(made, MODEL)
        made.await_phase("Healthy", AGENT, 120)
        yield made


def test_a_lost_rule_fails_by_the_calls_of_tools_and_other_words_pass(admin: Kubectl) -> None:
    lost = _run(admin, "lost-rule", prompt_text("prompt-worse"))
    stubs = _stubbed(admin, lost)
    failed = _ended(admin, "lost-rule")
    assert (failed["phase"], failed["reason"]) == ("Failed", "Regressed")
    assert {"refund", "replace", "final-sale"} <= {_topic(one) for one in failed["regressed"]}
    assert not any(one.startswith("question") for one in failed["regressed"])
    assert '"event": "stubbed"' in stubs
    _run(admin, "reworded", prompt_text("prompt-reworded"))
    passed = _ended(admin, "reworded")
    assert (passed["phase"], passed["reason"]) == ("Passed", "Safe")
    assert passed["passRate"]["value"] == "100.00%"
    eventually("no pod is left", lambda: not admin.list("pods", "turnout.dev/mode=eval"))


def _run(admin: Kubectl, name: str, text: str) -> str:
    """Begin a run of the version that this prompt makes; returns the version's name."""
    stable = admin.status(AGENTS, AGENT)["stable"]["version"]
    before = {one["metadata"]["name"] for one in admin.list("agentversions.turnout.dev")}
    admin.patch(PROMPTS, "support-system", {"spec": {"text": text}})

    def made() -> str | None:
        found = {one["metadata"]["name"] for one in admin.list("agentversions.turnout.dev")}
        return next(iter(found - before - {stable}), None)

    version = eventually("there is a version", made)
    spec = {"suite": {"name": SUITE}, "version": {"name": version}, "purpose": "Manual"}
    admin.apply(kind("EvalRun", name, spec))
    return version


def _stubbed(admin: Kubectl, version: str) -> str:
    """Give the stub server's log once a tool was called."""

    def log() -> str | None:
        for pod in admin.list("pods", f"turnout.dev/mode=eval,turnout.dev/version={version}"):
            with suppress(Refused):
                text = admin.run("logs", pod["metadata"]["name"], "-c", "turnout-stubs")
                return text if "stubbed" in text else None
        return None

    return eventually("a tool that writes was called", log, 180)


def _ended(admin: Kubectl, name: str) -> Document:
    """Wait for the end of a run."""

    def over() -> Document | None:
        status = admin.status(RUNS, name)
        return status if status.get("phase") in OVER else None

    return eventually(f"run {name} is over", over, 300)


def _topic(task: str) -> str:
    return task.rpartition("-")[0]
