"""Objects that were stored under another schema: before an upgrade, or by kinds that are newer.

The API server held them to that schema, so the operator may find words that it does not know. It
says so on the object by field, value and mend, and on whoever refers to it; nothing else moves.
"""

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.operator.stage import Stage
from tests.operator.team import AGENTS, DEPLOYMENTS, NAME, PROMPTS, Team
from tests.support.api import Document
from tests.support.kubectl import Kubectl, Refused, eventually
from tests.support.manifests import GATE, agent, kind, metric, prompt, strategy

pytestmark = pytest.mark.light

TOOL: Final = {"name": "refund", "sideEffect": "Unknown", "inputSchema": "{}"}
WORDS: Final = {
    "agents": ("deletionPolicy", "Archive", agent(deletionPolicy="Archive")),
    "prompts": ("role", "Muse", kind("Prompt", "odd", prompt()["spec"] | {"role": "Muse"})),
    "agentpolicies": ("mode", "Dream", kind("AgentPolicy", "odd", {"mode": "Dream"})),
    "toolregistries": (
        "tools.0.sideEffect",
        "Unknown",
        kind("ToolRegistry", "odd", {"tools": [TOOL]}),
    ),
    "rolloutstrategies": (
        "gate.mode",
        "Guess",
        kind("RolloutStrategy", "odd", {"strategy": strategy(), "gate": GATE | {"mode": "Guess"}}),
    ),
    "metrictemplates": ("type", "Gauge", kind("MetricTemplate", "odd", {"type": "Gauge"})),
}
"""By kind a field, a word that only another schema has for it, and an object with that word."""


@contextmanager
def _other_schemas(admin: Kubectl) -> Iterator[None]:
    """Let the API server take any word there for a while, as older or newer kinds might."""

    def change(plural: str, operation: Document) -> None:
        place = WORDS[plural][0].replace(".0.", "/items/properties/").replace(".", "/properties/")
        path = f"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/{place}/enum"
        patch = json.dumps([operation | {"path": path}])
        admin.run("patch", "crd", f"{plural}.turnout.dev", "--type=json", "-p", patch)

    for plural in WORDS:
        change(plural, {"op": "remove"})
    try:
        yield
    finally:
        for plural in WORDS:
            change(plural, {"op": "add", "value": _enum(plural)})


def _enum(plural: str) -> list[str]:
    """Read the words that a field has by our own schema."""
    text = (Path(__file__).parents[2] / "crds" / f"{plural}.yaml").read_text()
    [version] = yaml.load(text, yaml.CSafeLoader)["spec"]["versions"]
    place: Any = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for part in WORDS[plural][0].split("."):
        place = place["items"] if part == "0" else place["properties"][part]
    words: list[str] = place["enum"]
    return words


def _is_taken(team: Team, document: Document) -> bool:
    try:
        team.ada.apply(document)
    except Refused:
        return False
    return True


def _message(team: Team, resource: str, name: str) -> str:
    """Wait until an object says that it cannot be read; returns why."""

    def told() -> str | None:
        found = team.condition("Accepted", resource, name)
        is_so = (found.get("status"), found.get("reason")) == ("False", "InvalidSpec")
        return str(found["message"]) if is_so else None

    return str(eventually(f"{resource} {name} says what is wrong", told))


def test_what_was_stored_under_another_schema_is_named_by_field_value_and_mend(
    team: Team, stage: Stage
) -> None:
    team.ada.apply(prompt(), metric())
    with _other_schemas(stage.admin):
        for plural, (place, word, document) in WORDS.items():
            eventually(f"{word} is taken", functools.partial(_is_taken, team, document))
            message = _message(team, f"{plural}.turnout.dev", document["metadata"]["name"])
            assert message.startswith(f"spec.{place} is {word}: "), message
            assert message.endswith("change it, or run the operator that its CRDs came with")
        eventually(
            "the prompt waits for an Agent that cannot be read",
            lambda: (
                team.condition("RolledOut", PROMPTS, "support-system").get("status") == "Unknown"
            ),
        )
        team.changes_agent(deletionPolicy="Delete")
        stable = team.await_phase("Healthy")["stable"]["version"]
        assert not team.condition("Stalled")
        team.changes_agent(policyRef={"name": "odd"})
        assert _message(team, AGENTS, NAME).startswith("AgentPolicy odd: spec.mode is Dream: ")
        team.await_weights({stable: 100})
        assert [one["metadata"]["name"] for one in team.admin.list(DEPLOYMENTS)] == [stable]
