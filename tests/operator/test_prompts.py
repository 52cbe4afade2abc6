"""Prompts whose text lies in a ConfigMap, and templates that do not parse, on a real API server."""

from typing import Any

import pytest

from tests.operator.team import PROMPTS, Team
from tests.support.api import Document
from tests.support.kubectl import eventually
from tests.support.manifests import kind

pytestmark = pytest.mark.light

FILE = "prompt.support-system.txt"


def texts(team: Team, **data: str) -> Document:
    metadata = {"name": "texts", "namespace": team.namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def from_config(**more: Any) -> Document:
    spec = {
        "role": "System",
        "format": "Plain",
        "configMapKeyRef": {"name": "texts", "key": "system.txt"},
    }
    return kind("Prompt", "support-system", spec | more)


def served(team: Team, version: str) -> str:
    found = team.admin.get("configmaps", version)
    assert found is not None
    text: str = found["data"][FILE]
    return text


def test_a_change_in_a_config_map_goes_out_and_is_seen_where_it_is_written(team: Team) -> None:
    stable = team.deploys()
    text = served(team, stable)
    team.ada.apply(texts(team, **{"system.txt": text, "other": "x"}))
    team.ada.run("delete", PROMPTS, "support-system")
    team.ada.apply(from_config())
    eventually(
        "the prompt is out",
        lambda: team.condition("RolledOut", PROMPTS, "support-system").get("status") == "True",
    )
    assert team.agent()["stable"]["version"] == stable
    seen = team.newest_rollout()
    team.ada.apply(texts(team, **{"system.txt": "From the ConfigMap.", "other": "x"}))
    rollout = team.await_rollout_after(seen)
    assert served(team, team.candidate_of(rollout)) == "From the ConfigMap."
    assert team.condition("RolledOut", PROMPTS, "support-system")["status"] == "Unknown"


def test_a_text_that_is_missing_is_named_and_goes_out_when_it_comes(team: Team) -> None:
    stable = team.deploys()
    team.ada.run("delete", PROMPTS, "support-system")
    team.ada.apply(from_config())
    said = "ConfigMap texts does not exist in this namespace"
    eventually(
        "the Agent names what is missing",
        lambda: said in team.condition("ResolvedRefs").get("message", ""),
    )
    resolved = team.condition("Resolved", PROMPTS, "support-system")
    assert (resolved["status"], resolved["reason"]) == ("False", "ReferenceNotFound")
    team.await_weights({stable: 100})
    seen = team.newest_rollout()
    team.ada.apply(texts(team, **{"system.txt": "It came."}))
    assert served(team, team.candidate_of(team.await_rollout_after(seen))) == "It came."


def test_a_template_that_does_not_parse_is_named_by_line_and_stable_stays(team: Team) -> None:
    stable = team.deploys()
    team.ada.patch(PROMPTS, "support-system", {"spec": {"format": "Jinja", "text": "Hi\n{{ name"}})
    said = "line 2: unexpected end of template"
    eventually(
        "the Prompt names the line",
        lambda: said in team.condition("Accepted", PROMPTS, "support-system").get("message", ""),
    )
    shown = eventually(
        "the Agent names the Prompt",
        lambda: (
            team.condition("ResolvedRefs").get("reason") == "InvalidTemplate"
            and team.condition("ResolvedRefs")["message"]
        ),
    )
    assert str(shown).startswith(f"Prompt support-system: {said}")
    team.await_weights({stable: 100})
