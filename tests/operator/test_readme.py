"""What README.md shows a newcomer is typed here as it stands, and does what it says."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.operator.team import PROMPTS, ROLLOUTS, Team
from tests.support.kubectl import eventually

pytestmark = pytest.mark.light

README: Final = (Path(__file__).parents[2] / "README.md").read_text()
NAME: Final = "helpdesk"
SHOWN_NAMESPACE: Final = "team-a"
EDITOR: Final = "ada"


def _block(opening: str, language: str) -> str:
    """Find the only fenced block of a language that begins so."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (found,) = (text for name, text in blocks if name == language and text.startswith(opening))
    return str(found)


def _shown_to(team: Team, text: str) -> str:
    return text.replace(SHOWN_NAMESPACE, team.namespace).replace("ada@example.com", EDITOR)


def _typed(team: Team, text: str) -> list[list[str]]:
    """Split a block of kubectl lines into the words that a shell would pass on."""
    lines = _shown_to(team, text).replace("\\\n", " ").splitlines()
    commands = (shlex.split(line, comments=True) for line in lines)
    return [words[1:] for words in commands if words]


def _deploy(team: Team) -> None:
    manifests = _shown_to(team, _block("apiVersion: turnout.dev/v1alpha1\nkind: Prompt", "yaml"))
    team.ada.apply(*yaml.safe_load_all(manifests))
    team.admin.await_phase("Healthy", NAME)


def test_the_first_agent_of_the_readme_becomes_healthy_and_can_be_looked_at(team: Team) -> None:
    _deploy(team)
    watched, *others = _typed(team, _block("kubectl -n team-a get agents", ""))
    assert watched[-1] == "-w"
    assert "Healthy" in team.ada.run(*watched[:-1])
    described, listed, waited = (team.ada.run(*words) for words in others)
    assert "Promoted" in described
    assert f"{NAME}-r1" in listed
    assert "condition met" in waited


def test_the_patches_of_the_readme_approve_and_abort_a_rollout(team: Team) -> None:
    _deploy(team)
    team.ada.patch(PROMPTS, f"{NAME}-system", {"spec": {"text": "Another text."}})
    second = f"{NAME}-r2"
    eventually("the second rollout", lambda: team.admin.get(ROLLOUTS, second))
    abort, approve = _typed(team, _block("kubectl -n team-a patch", ""))
    team.bo.run(*[word.replace(EDITOR, "bo") for word in approve])
    team.ada.run(*abort)
    status = team.await_rollout(second, "Aborted")
    assert {one["action"] for one in status["intents"]} == {"Approve", "Abort"}
    assert team.admin.await_phase("RolledBack", NAME)["desired"]["rejected"]
