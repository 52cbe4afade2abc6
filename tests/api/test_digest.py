"""The digest: stable under what does not matter, moved by everything that does."""

import copy
import hashlib
import json
import random
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.documents import AGENT, SPECS, changed
from turnout.api.agent import Model
from turnout.api.base import Content
from turnout.api.digest import SCHEME, Digests, digest_of, spec_digest
from turnout.api.policy import AgentPolicySpec
from turnout.api.prompt import PromptSpec
from turnout.api.tools import ToolRegistrySpec
from turnout.api.version import Plane

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))
CONTENT: dict[str, Any] = {
    "template": AGENT["template"],
    "prompts": [SPECS["Prompt"], {"role": "Fragment", "text": "Be brief.", "format": "Plain"}],
    "tools": SPECS["ToolRegistry"],
    "policy": SPECS["AgentPolicy"],
    "model": AGENT["model"],
}
Part = TypeVar("Part", bound=Content)
AGENT_CONTAINER = "template.spec.containers.0"


def part(model: type[Part], document: dict[str, Any] | None) -> Part | None:
    """A part of the content, where there is one."""
    return None if document is None else model.model_validate(document)


def digests(content: dict[str, Any]) -> Digests:
    """The digests of a content as it stands in documents."""
    return digest_of(
        template=content["template"],
        prompts=[PromptSpec.model_validate(prompt) for prompt in content["prompts"]],
        container=content.get("container"),
        tools=part(ToolRegistrySpec, content.get("tools")),
        policy=part(AgentPolicySpec, content.get("policy")),
        model=part(Model, content.get("model")),
    )


def same(path: str, value: object) -> bool:
    """Whether a change of the content leaves the digest as it is."""
    return digests(changed(CONTENT, path, value)).whole == digests(CONTENT).whole


@pytest.mark.parametrize("file", VECTORS, ids=lambda file: file.stem)
def test_a_digest_is_for_ever(file: Path) -> None:
    """Never edit a vector: another way of computing is another scheme."""
    vector = json.loads(file.read_text(encoding="utf-8"))
    found = digests(vector["content"])
    assert vector["scheme"] == SCHEME
    assert {plane.value: digest for plane, digest in found.planes.items()} == vector["planes"]
    assert found.whole == vector["digest"]


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 6


def test_the_whole_follows_from_the_planes() -> None:
    """Readable without our code: canonical JSON of the planes' digests."""
    found = digests(CONTENT)
    planes = {plane.value: digest for plane, digest in found.planes.items()}
    text = json.dumps({"scheme": 1, "planes": planes}, sort_keys=True, separators=(",", ":"))
    assert found.whole == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_only_what_is_there_has_a_plane() -> None:
    bare = digests({"template": AGENT["template"], "prompts": CONTENT["prompts"]})
    assert set(bare.planes) == {Plane.RUNTIME, Plane.PROMPT}
    assert set(digests(CONTENT).planes) == set(Plane)


@pytest.mark.parametrize(
    ("path", "value", "plane"),
    [
        (f"{AGENT_CONTAINER}.image", "registry.example.com/support:1.5", Plane.RUNTIME),
        (f"{AGENT_CONTAINER}.env.0.value", "debug", Plane.RUNTIME),
        (f"{AGENT_CONTAINER}.resources.requests.cpu", "0.1", Plane.RUNTIME),
        (f"{AGENT_CONTAINER}.ports.0.protocol", "UDP", Plane.RUNTIME),
        ("template.spec.volumes.0.emptyDir.medium", "Memory", Plane.RUNTIME),
        ("template.metadata.labels.team", "other", Plane.RUNTIME),
        ("container", "sidecar", Plane.RUNTIME),
        ("prompts.0.text", "You answer questions about orders of {{customer_name}}.", Plane.PROMPT),
        ("prompts.0.role", "Developer", Plane.PROMPT),
        ("prompts.0.format", "Plain", Plane.PROMPT),
        ("prompts.0.variables.0.required", False, Plane.PROMPT),
        ("prompts", CONTENT["prompts"][::-1], Plane.PROMPT),
        ("tools.tools.0.description", "Refund an order in full.", Plane.TOOLS),
        ("tools.tools.0.inputSchema", '{"type": "object"}', Plane.TOOLS),
        ("tools.tools.0.sideEffect", "Read", Plane.TOOLS),
        ("tools.tools.0.approval", "NotRequired", Plane.TOOLS),
        ("tools.tools.0.shadow", {"mode": "Block"}, Plane.TOOLS),
        ("tools.servers.0.url", "https://crm.example.com/v2", Plane.TOOLS),
        (
            "tools.servers.0.headersFrom",
            [{"name": "Authorization", "secretKeyRef": {"name": "crm", "key": "token"}}],
            Plane.TOOLS,
        ),
        ("policy.mode", "Audit", Plane.POLICY),
        ("policy.limits.maxCostPerTaskUSD", "0.51", Plane.POLICY),
        ("policy.tools.deny", ["admin.*"], Plane.POLICY),
        ("policy.rules.0.expression", "true", Plane.POLICY),
        ("policy.contacts.0.contact", "#other", Plane.POLICY),
        ("model.temperature", "0.20", Plane.MODEL),
        ("model.name", "gpt-5", Plane.MODEL),
    ],
)
def test_every_part_moves_the_digest_and_its_own_plane(
    path: str, value: object, plane: Plane
) -> None:
    before, after = digests(CONTENT), digests(changed(CONTENT, path, value))
    assert before.whole != after.whole
    moved = {name for name in Plane if before.planes[name] != after.planes[name]}
    assert moved == {plane}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{AGENT_CONTAINER}.ports.0.protocol", "TCP"),
        (f"{AGENT_CONTAINER}.ports.0.name", None),
        (f"{AGENT_CONTAINER}.command", None),
        ("template.metadata.labels", {"team": "support", "helm.sh/chart": "support-1.2.3"}),
        ("template.metadata.labels", {"team": "support", "app.kubernetes.io/version": "9"}),
        ("template.metadata.labels", {"team": "support", "app.kubernetes.io/managed-by": "Helm"}),
        ("template.metadata.annotations", {"kubectl.kubernetes.io/restartedAt": "2026-01-02"}),
        ("template.metadata.annotations", {"argocd.argoproj.io/tracking-id": "x"}),
        ("template.metadata.annotations", {"kustomize.toolkit.fluxcd.io/checksum": "x"}),
        ("template.metadata.annotations", {"turnout.dev/kill": "x"}),
        ("template.metadata.annotations", {}),
        ("template.metadata.name", "support"),
        ("template.metadata.namespace", "other"),
        ("template.metadata.creationTimestamp", None),
        ("container", None),
        ("container", "agent"),
        ("prompts.1.variables", []),
        ("prompts.0.variables.0.default", ""),
        ("tools.servers.0.headersFrom", []),
        ("policy.limits.fieldOfTomorrow", None),
        ("model.maxTokens", 2000),
    ],
)
def test_what_is_null_default_or_foreign_does_not_count(path: str, value: object) -> None:
    assert same(path, value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("template.metadata.labels", {"team": "support", "app.kubernetes.io/name": "support"}),
        ("template.metadata.labels", {"team": "support", "helm.sh/chartist": "x"}),
        ("template.metadata.annotations", {"prometheus.io/scrape": "true"}),
    ],
)
def test_other_labels_and_annotations_are_content(path: str, value: object) -> None:
    assert not same(path, value)


def test_the_template_itself_is_left_alone() -> None:
    template = copy.deepcopy(CONTENT["template"])
    digests({**CONTENT, "template": template})
    assert template == CONTENT["template"]


def shuffled(document: Any, chance: random.Random) -> Any:
    """The same document with its fields in another order."""
    if isinstance(document, dict):
        pairs = list(document.items())
        chance.shuffle(pairs)
        return {key: shuffled(value, chance) for key, value in pairs}
    if isinstance(document, list):
        return [shuffled(item, chance) for item in document]
    return document


def with_nulls(document: Any, chance: random.Random) -> Any:
    """The same document with absent fields written as null here and there."""
    if isinstance(document, dict):
        filled = {key: with_nulls(value, chance) for key, value in document.items()}
        return filled | ({f"absent{chance.randrange(9)}": None} if chance.random() < 0.5 else {})
    if isinstance(document, list):
        return [with_nulls(item, chance) for item in document]
    return document


@given(st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_count(chance: random.Random) -> None:
    assert digests(shuffled(CONTENT, chance)) == digests(CONTENT)


@given(st.randoms(use_true_random=False))
def test_nulls_do_not_count(chance: random.Random) -> None:
    content = CONTENT | {"template": copy.deepcopy(CONTENT["template"])}
    content["template"]["spec"] = with_nulls(content["template"]["spec"], chance)
    assert digests(content) == digests(CONTENT)


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_texts_have_one_digest_only_if_they_are_the_same(one: str, other: str) -> None:
    first = digests(changed(CONTENT, "prompts.0.text", one))
    second = digests(changed(CONTENT, "prompts.0.text", other))
    assert (first.whole == second.whole) == (one == other)


@given(st.text(min_size=1))
def test_our_own_defaults_do_not_count(text: str) -> None:
    prompt = {"role": "System", "text": text, "format": "Plain"}
    explicit = {**prompt, "variables": []}
    assert spec_digest(PromptSpec.model_validate(prompt)) == spec_digest(
        PromptSpec.model_validate(explicit)
    )


def test_an_objects_digest_is_canonical_json_of_what_was_written() -> None:
    prompt = {"role": "System", "text": "é\n", "format": "Plain"}
    text = json.dumps(prompt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert spec_digest(PromptSpec.model_validate(prompt)) == expected
