"""The identity of a version: one digest over all that makes an agent behave as it does.

Scheme 1 is SHA-256 over RFC 8785 canonical JSON of `{"scheme": 1, "planes": {name: digest}}`, where
each plane's digest is SHA-256 over canonical JSON of its content. What is null or equal to one of
our own defaults is left out, so a field that is added later changes no old digest. The scheme is
frozen: committed vectors guard it, and another way of computing is another scheme.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from turnout.api.agent import Model
from turnout.api.base import Content
from turnout.api.policy import AgentPolicySpec
from turnout.api.prompt import PromptSpec
from turnout.api.tools import ToolRegistrySpec
from turnout.api.version import Plane

SCHEME = 1

FOREIGN_KEYS = frozenset(
    {
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/version",
        "helm.sh/chart",
    }
)
FOREIGN_PREFIXES = (
    "argocd.argoproj.io/",
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "turnout.dev/",
)
_CONTAINERS = ("containers", "initContainers")


@dataclass(frozen=True)
class Digests:
    """The identity of one content.

    Attributes:
        whole: Digest of the version, as `sha256:` and 64 hex digits.
        planes: Digest of each part that the content has, to say in what two versions differ.
    """

    whole: str
    planes: Mapping[Plane, str]


def digest_of(
    *,
    template: Mapping[str, Any],
    prompts: Sequence[PromptSpec],
    tools: ToolRegistrySpec | None = None,
    policy: AgentPolicySpec | None = None,
    model: Model | None = None,
    container: str | None = None,
) -> Digests:
    """The digests of a content, with every reference resolved.

    Args:
        template: Pod template as stored in the Agent.
        prompts: Prompts in the order in which the agent is given them.
        tools: What the ToolRegistry holds; None where the agent refers to none.
        policy: What the AgentPolicy holds; None where the agent refers to none.
        model: The model; None where the agent names none.
        container: Container that gets the content; None for the first one.
    """
    present: tuple[tuple[Plane, Content | None], ...] = (
        (Plane.TOOLS, tools),
        (Plane.POLICY, policy),
        (Plane.MODEL, model),
    )
    documents = {
        Plane.RUNTIME: _runtime(template, container),
        Plane.PROMPT: [prompt.content() for prompt in prompts],
        **{plane: part.content() for plane, part in present if part is not None},
    }
    planes = {plane: _hash(document) for plane, document in documents.items()}
    named = {plane.value: found for plane, found in planes.items()}
    return Digests(_hash({"scheme": SCHEME, "planes": named}), planes)


def spec_digest(spec: Content) -> str:
    """The digest of one object's content: what its status shows and a reference may pin."""
    return _hash(spec.content())


def _runtime(template: Mapping[str, Any], container: str | None) -> dict[str, Any]:
    spec = _without_nulls(template.get("spec") or {})
    containers = [one for kind in _CONTAINERS for one in spec.get(kind, ())]
    for one in containers:
        for port in one.get("ports", ()):
            port.setdefault("protocol", "TCP")  # the API server fills it in as a key of the list
    metadata = _own_metadata(template.get("metadata") or {})
    runtime = {"template": {"spec": spec} | ({"metadata": metadata} if metadata else {})}
    return runtime | _chosen_container(container, spec)


def _chosen_container(name: str | None, spec: Mapping[str, Any]) -> dict[str, str]:
    first = next((one.get("name") for one in spec.get("containers", ())), None)
    return {} if name in {None, first} else {"container": str(name)}


def _own_metadata(metadata: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Labels and annotations of the pods without those that deployment tools put there."""
    own = {
        kind: {
            key: value
            for key, value in (metadata.get(kind) or {}).items()
            if value is not None and not _is_foreign(key)
        }
        for kind in ("labels", "annotations")
    }
    return {kind: pairs for kind, pairs in own.items() if pairs}


def _is_foreign(key: str) -> bool:
    return key in FOREIGN_KEYS or key.startswith(FOREIGN_PREFIXES)


def _without_nulls(document: Any) -> Any:
    if isinstance(document, Mapping):
        pairs = document.items()
        return {key: _without_nulls(value) for key, value in pairs if value is not None}
    if isinstance(document, list | tuple):
        return [_without_nulls(item) for item in document]
    return document


def _hash(document: Any) -> str:
    return f"sha256:{hashlib.sha256(rfc8785.dumps(document)).hexdigest()}"
