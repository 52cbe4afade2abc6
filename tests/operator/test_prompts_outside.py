"""Prompts in Langfuse: read by a Job with the team's Secret, pinned; what a moved label does."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.operator.kubelet import TaskKubelet
from tests.operator.team import PROMPTS, Team
from tests.support.api import Document
from tests.support.kubectl import eventually
from tests.support.manifests import kind
from tests.support.operator import OperatorProcess, free_port
from tests.support.prompt_servers import PUBLIC, SECRET, Registry, serve_langfuse

pytestmark = pytest.mark.light

NAME = "support-system"
FILE = f"prompt.{NAME}.txt"
ONE_LOOK = 45.0
"""Seconds: what a Job takes to start, ask and report, once more after a failure too."""


@pytest.fixture(scope="module")
def reports() -> int:
    return free_port()


@pytest.fixture
def langfuse(team: Team) -> Iterator[Registry]:
    keys = (f"--from-literal=public-key={PUBLIC}", f"--from-literal=secret-key={SECRET}")
    for name in ("langfuse", "rotated"):
        team.admin.run("create", "secret", "generic", name, *keys)
    with serve_langfuse() as made:
        made.add("system", 1, "You answer questions about orders.", pointer="production")
        yield made


def prompt(langfuse: Registry, policy: str = "Pin", **which: Any) -> Document:
    source = {"endpoint": langfuse.url, "name": "system", "secretRef": {"name": "langfuse"}}
    asked = which or {"label": "production"}
    moved = {"refPolicy": policy, "checkInterval": "1m"} if "label" in asked else {}
    spec = {"role": "System", "format": "Plain", "langfuse": source | asked}
    return kind("Prompt", NAME, spec | moved)


def resolved(team: Team) -> str:
    found = team.condition("Resolved", PROMPTS, NAME)
    return f"{found.get('status')} {found.get('reason')}"


def text_of(team: Team, version: str) -> str:
    found = team.admin.get("configmaps", version)
    assert found is not None
    return str(found["data"][FILE])


def deploy(team: Team, manifest: Document) -> str:
    """Deploy the agent with its prompt from outside."""
    team.ada.apply(manifest)
    eventually("the text is read", lambda: resolved(team) == "True Resolved")
    return team.deploys(manifest)


def test_a_moved_label_is_reported_where_it_is_pinned_and_rolled_out_where_it_is_tracked(
    team: Team, langfuse: Registry, kubelet: TaskKubelet, operator: OperatorProcess
) -> None:
    stable = deploy(team, prompt(langfuse))
    assert text_of(team, stable) == "You answer questions about orders."
    seen = team.newest_rollout()
    langfuse.add("system", 2, "You answer questions about orders, kindly.", pointer="production")
    look_again(team, "rotated")
    eventually("it is seen", lambda: resolved(team) == "True LabelMoved", ONE_LOOK)
    assert team.newest_rollout() == seen
    assert team.agent()["desired"]["version"] == stable

    look_again(team, "langfuse", refPolicy="Track")
    rollout = team.await_rollout_after(seen, ONE_LOOK)
    text = text_of(team, team.candidate_of(rollout))
    assert text == "You answer questions about orders, kindly."
    assert team.admin.status(PROMPTS, NAME)["resolved"]["version"] == "2"
    everything = team.admin.run("get", "prompts,configmaps,jobs,pods,events", "-o", "json")
    assert SECRET not in everything
    assert SECRET not in operator.log.read_text()


def look_again(team: Team, secret: str, **spec: Any) -> None:
    """Give it other credentials: they are tried at once, so nobody waits for the interval."""
    team.ada.patch(PROMPTS, NAME, {"spec": {"langfuse": {"secretRef": {"name": secret}}} | spec})


def test_a_version_that_is_not_there_is_named_and_goes_out_when_it_comes(
    team: Team, langfuse: Registry, kubelet: TaskKubelet
) -> None:
    team.ada.apply(prompt(langfuse, version=2))
    eventually("it is named", lambda: resolved(team) == "False SourceUnavailable")
    said = team.condition("Resolved", PROMPTS, NAME)["message"]
    assert "Langfuse prompt system (version 2): there is no such prompt" in said
    langfuse.add("system", 2, "It came.")
    eventually("it is read", lambda: resolved(team) == "True Resolved", ONE_LOOK)
    assert text_of(team, team.deploys(prompt(langfuse, version=2))) == "It came."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": "Two texts."}, "exactly one of text, configMapKeyRef, langfuse and mlflow"),
        ({"refPolicy": None, "checkInterval": None}, "refPolicy goes with a label or an alias"),
        ({"checkInterval": "5s"}, "the interval is from 1m to 24h"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_mend(
    team: Team, langfuse: Registry, change: dict[str, Any], said: str
) -> None:
    manifest = prompt(langfuse)
    spec = {key: value for key, value in (manifest["spec"] | change).items() if value is not None}
    with pytest.raises(AssertionError, match=said):
        team.ada.apply(manifest | {"spec": spec})
