"""Verdicts by evidence on real pods: worse goes back, equal goes on, an incident is nobody's."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from demo.stage import Stage
from tests.e2e import copies, moody
from tests.support.kubectl import Kubectl, eventually, throughout
from tests.support.manifests import kind, metric, prompt, strategy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MODEL: Final = "moody"
WORSE, EQUAL, SHAKEN = AGENTS = ("worse", "equal", "shaken")
ROLLOUTS: Final = "agentrollouts.turnout.dev"
GATE: Final[dict[str, Any]] = {
    "mode": "Statistical",
    "interval": "5s",
    "minDuration": "45s",
    "maxDuration": "10m",
    "onInconclusive": "Hold",
    "metrics": [
        {
            "name": "task-success",
            "type": "SuccessRate",
            "templateRef": {"name": "tasks"},
            "maxRegression": "7%",
            "onRegression": "Rollback",
        }
    ],
}
INCIDENT: Final = 30.0
"""Seconds in which a third of the right answers to one agent are wrong."""


@pytest.fixture
def admin(stage: Stage) -> Iterator[Kubectl]:
    """A namespace with three agents, each of which answers 97 of 100 tasks well."""
    with copies.namespace(stage, "evidence") as made:
        way = {"strategy": strategy([{"setWeight": 50}], scaleDownDelay="1s"), "gate": GATE}
        made.apply(
            *copies.program(MODEL, "-c", Path(moody.__file__).read_text()),
            metric(),
            copies.tools(MODEL),
            kind("AgentPolicy", "support-policy", {"mode": "Enforce"}),
            *(prompt(answers(name, 97), name) for name in AGENTS),
            *(copies.agent(name, MODEL, promptRefs=[{"name": name}], **way) for name in AGENTS),
        )
        copies.await_program(made, MODEL)
        for name in AGENTS:
            made.await_phase("Healthy", name, 120)
        yield made


def answers(name: str, well: int, edition: str = "first") -> str:
    return f"{name} answers {well} of 100 well. This is the {edition} edition."


def test_worse_goes_back_equal_goes_on_and_an_incident_takes_nothing_back(
    admin: Kubectl, stage: Stage, measured: list[str]
) -> None:
    stable = {
        name: str(admin.status("agents.turnout.dev", name)["stable"]["version"]) for name in AGENTS
    }
    with copies.customers(admin, AGENTS, number=1, text="How do I return a lamp?"):
        for name, well in ((WORSE, 87), (EQUAL, 97), (SHAKEN, 97)):
            text = answers(name, well, "second")
            admin.patch("prompts.turnout.dev", name, {"spec": {"text": text}})
        began = time.monotonic()
        for name in AGENTS:
            eventually(f"{name} is tried", partial(is_tried, admin, name), 90)
        feel(admin, 0.67)
        throughout(
            INCIDENT, "it is tried on", lambda: phase(admin, SHAKEN) in {"Progressing", "Held"}
        )
        feel(admin, 1.0)
        eventually("worse goes back", lambda: phase(admin, WORSE) == "RolledBack", 120)
        measured.append(f"10 points worse went back within {time.monotonic() - began:.0f} s")
        for name in (EQUAL, SHAKEN):
            eventually(f"{name} goes on", partial(is_promoted, admin, name), 180)
        measured.append(f"equal ones were promoted within {time.monotonic() - began:.0f} s")
    assert admin.status("agents.turnout.dev", WORSE)["stable"]["version"] == stable[WORSE]
    told = {name: why(stage, admin, name) for name in AGENTS}
    for part in ("task-success", "points worse (7 allowed)", "evidence"):
        assert part in told[WORSE]
    for name in (EQUAL, SHAKEN):
        assert "Pass: task-success" in told[name]
        assert admin.status("agents.turnout.dev", name)["stable"]["version"] != stable[name]


def phase(admin: Kubectl, name: str) -> str:
    return str(admin.status(ROLLOUTS, f"{name}-r2").get("phase"))


def is_promoted(admin: Kubectl, name: str) -> bool:
    return phase(admin, name) == "Promoted"


def is_tried(admin: Kubectl, name: str) -> bool:
    """Claim that a rollout has half of the traffic."""
    if admin.get(ROLLOUTS, f"{name}-r2") is None:
        return False
    return (admin.status(ROLLOUTS, f"{name}-r2").get("weights") or {}).get("desired") == 50


def feel(admin: Kubectl, part: float) -> None:
    """Let the provider be unwell for one agent, whatever its version."""
    host = (admin.get("services", MODEL) or {})["spec"]["clusterIP"]
    body = json.dumps({SHAKEN: part}).encode()
    request = urllib.request.Request(f"http://{host}:{copies.PORT}/mood", body)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


def why(stage: Stage, admin: Kubectl, name: str) -> str:
    """Ask `turnout why`, as a person would."""
    done = subprocess.run(
        [Path(sys.executable).parent / "turnout", "why", name, "-n", admin.namespace],
        env=os.environ | {"KUBECONFIG": str(stage.cluster.kubeconfig), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return " ".join(done.stdout.split())
