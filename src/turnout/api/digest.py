"""The identity of a version: one digest over all that makes an agent behave as it does.

Scheme 1 is SHA-256 over RFC 8785 canonical JSON of `{"scheme": 1, "planes": {name: digest}}`, where
each plane's digest is SHA-256 over canonical JSON of its content. What is null or equal to a default
of ours is left out, so a field that is added later changes no old digest. It is frozen: committed
vectors compare it for ever, and another way of computing is another scheme.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
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
VERSION_NAME_DIGITS = 10

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
class AgentContent:
    """Everything that a version is made of, with each reference resolved.

    Attributes:
        template: Pod template as stored in the Agent.
        prompts: Prompts in the order in which the agent is given them.
        tools: What the ToolRegistry holds; None where the agent refers to none.
        policy: What the AgentPolicy holds; None where the agent refers to none.
        model: The model; None where the agent names none.
        container: Container that gets the content; None for the first one.
    """

    template: Mapping[str, Any]
    prompts: Sequence[PromptSpec]
    tools: ToolRegistrySpec | None = None
    policy: AgentPolicySpec | None = None
    model: Model | None = None
    container: str | None = None


def digest(content: AgentContent) -> str:
    """The digest of a version, as `sha256:` and 64 hex digits."""
    planes = {plane.value: found for plane, found in plane_digests(content).items()}
    return _hash({"scheme": SCHEME, "planes": planes})


def plane_digests(content: AgentContent) -> dict[Plane, str]:
    """The digest of each part that the content has, to say in what two versions differ."""
    return {plane: _hash(document) for plane, document in _planes(content)}


def content_digest(spec: Content) -> str:
    """The digest of one object's content: what its status shows and a reference may pin."""
    return _hash(spec.content())


def version_name(agent: str, version_digest: str, digits: int = VERSION_NAME_DIGITS) -> str:
    """The name of a version: the agent's, a dash, and the digest's first hex digits."""
    return f"{agent}-{version_digest.removeprefix('sha256:')[:digits]}"


def _planes(content: AgentContent) -> Iterator[tuple[Plane, Any]]:
    yield Plane.RUNTIME, _runtime(content)
    yield Plane.PROMPT, [prompt.content() for prompt in content.prompts]
    if content.tools is not None:
        yield Plane.TOOLS, content.tools.content()
    if content.policy is not None:
        yield Plane.POLICY, content.policy.content()
    if content.model is not None:
        yield Plane.MODEL, content.model.content()


def _runtime(content: AgentContent) -> dict[str, Any]:
    spec = _without_nulls(content.template.get("spec") or {})
    containers = [container for kind in _CONTAINERS for container in spec.get(kind, ())]
    for container in containers:
        for port in container.get("ports", ()):
            port.setdefault("protocol", "TCP")  # the API server fills it in as a key of the list
    metadata = _own_metadata(content.template.get("metadata") or {})
    runtime = {"template": {"spec": spec} | ({"metadata": metadata} if metadata else {})}
    return runtime | _chosen_container(content.container, spec)


def _chosen_container(name: str | None, spec: Mapping[str, Any]) -> dict[str, str]:
    first = next((container.get("name") for container in spec.get("containers", ())), None)
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
