"""An agent in the middle of a rollout, and the command line beside it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.contents import MODEL, SCHEMA, TEXT, policy, registry, tool
from tests.operator.stage import EDITOR
from tests.operator.team import AGENTS, ROLLOUTS, Team
from tests.support.kubectl import eventually

SCRIPTS = Path(sys.executable).parent
"""Where the programs of the package are installed."""


@dataclass(frozen=True)
class Answer:
    """What a program printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What was printed, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Scene:
    """The team, the name of its running rollout, and its two versions."""

    team: Team
    rollout: str
    stable: str
    candidate: str

    def turnout(self, *words: str, user: str = EDITOR) -> Answer:
        """Run `turnout` as one of the team."""
        return self.run("turnout", *words, "-n", self.team.namespace, "--as", user)

    def plugin(self, *words: str, user: str = EDITOR) -> Answer:
        """Run `kubectl turnout`."""
        kubectl = self.team.admin.cluster.kubectl
        return self.run(kubectl, "turnout", *words, "-n", self.team.namespace, "--as", user)

    @contextmanager
    def begins(self, out: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run `turnout` beside the test, its output in a file."""
        told = ("turnout", *words, "-n", self.team.namespace, "--as", EDITOR)
        environment = self.environment()
        found = shutil.which(told[0], path=environment["PATH"])
        assert found is not None
        with (
            out.open("wb") as file,
            subprocess.Popen(
                [found, *told[1:]], env=environment, stdin=subprocess.DEVNULL, stdout=file
            ) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()

    def environment(self) -> dict[str, str]:
        """Say what a program of the team is told of its surroundings."""
        return {
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(self.team.admin.cluster.kubeconfig),
            "PYTHONUTF8": "1",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": "/nowhere",
        }

    def run(self, *words: str) -> Answer:
        done = subprocess.run(
            words,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def spec(self) -> Any:
        """Read the rollout's spec."""
        found = self.team.admin.get(ROLLOUTS, self.rollout)
        assert found is not None
        return found["spec"]

    def writers(self) -> set[str]:
        """Name who wrote fields of the rollout."""
        found = self.team.admin.get(ROLLOUTS, self.rollout)
        assert found is not None
        return {one["manager"] for one in found["metadata"]["managedFields"]}

    def pinned(self) -> str | None:
        """Read the version that the agent is pinned to."""
        found = self.team.admin.get(AGENTS, "support")
        assert found is not None
        pinned: str | None = found["spec"].get("pinnedVersion")
        return pinned


def play(team: Team) -> Scene:
    """Bring a version that differs in one word, one schema field and one limit half way."""
    refs = {
        "toolRegistryRef": {"name": "support-tools"},
        "policyRef": {"name": "support-policy"},
    }
    stable = team.deploys(registry(), policy(), model=MODEL, **refs)
    seen = team.newest_rollout()
    required = SCHEMA | {"required": ["order", "reason"]}
    text = TEXT.replace("Offer a refund", "Give a refund")
    prompt = team.admin.get("prompts.turnout.dev", "support-system")
    assert prompt is not None
    changed = {
        "apiVersion": prompt["apiVersion"],
        "kind": "Prompt",
        "metadata": {
            "name": "support-system",
            "annotations": {"kubernetes.io/change-cause": "shorter refunds"},
        },
        "spec": prompt["spec"] | {"text": text},
    }
    team.ada.apply(changed, registry(tool(schema=required)), policy(maxSteps=10))
    rollout = eventually("a rollout of all three", lambda: _of_all(team, seen))
    candidate = team.candidate_of(rollout)
    team.await_weight(candidate, 25)
    return Scene(team, rollout, stable, candidate)


def _of_all(team: Team, seen: str | None) -> str | None:
    """Name the rollout of all changes; where kubectl takes its time, some begin one alone."""
    newest = team.newest_rollout()
    if newest is None or newest == seen:
        return None
    found = team.admin.get(ROLLOUTS, newest)
    planes = ((found or {}).get("spec", {}).get("cause") or {}).get("planes", [])
    return newest if set(planes) == {"Prompt", "Tools", "Policy"} else None
